"""Notes in seconds and the parts that play them, and their way into a MIDI file.

The file has one fixed tempo whose ticks are about a millisecond: whatever the tempo of the music does
(rubato, drift) stands in the onsets themselves, so that a note's time in seconds is exact wherever it is
read.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import mido
import numpy as np

DRUM_CHANNEL = 9
TICKS_PER_BEAT = 500
TICKS_PER_SECOND = 1000  # at MIDI's default tempo, 120 beats a minute


@dataclass(frozen=True)
class Note:
    """One note: `start` and `duration` in seconds, `pitch` as MIDI number, `velocity` 1..127."""

    start: float
    duration: float
    pitch: int
    velocity: int


@dataclass
class Part:
    """One instrument and what it plays. `detune` in cents, the other settings as MIDI controllers, 0..127."""

    program: int
    notes: list[Note] = field(default_factory=list)
    drums: bool = False
    volume: int = 100
    pan: int = 64
    reverb: int = 40
    chorus: int = 0
    detune: float = 0.0
    vibrato: int = 0
    swells: list[tuple[float, int]] = field(default_factory=list)
    """Points (seconds, expression 0..127) of the dynamics within held notes."""

    def add(self, start: float, duration: float, pitch: int, velocity: float) -> None:
        """Append a note; the velocity is limited to 1..127, a pitch off the keyboard moves by octaves."""
        while pitch < 21:
            pitch += 12
        while pitch > 108:
            pitch -= 12
        self.notes.append(Note(float(start), float(duration), int(pitch), int(min(max(velocity, 1), 127))))


def named_rng(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one decision of a piece: a quality that is turned leaves the others alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def to_midi(parts: Sequence[Part], *, seconds: float) -> mido.MidiFile:
    """Write parts into a MIDI file of exactly `seconds`; notes are cut at the end, those after it left out.

    At most fifteen pitched parts get a channel of their own; all drum parts share channel 10. Notes of one
    channel and pitch that overlap are shortened, so that every note-off ends the note it belongs to.
    """
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    pitched = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for part in parts:
        channel = DRUM_CHANNEL if part.drums else pitched.pop(0)
        midi.tracks.append(_track(part, channel, round(seconds * TICKS_PER_SECOND)))
    return midi


def _track(part: Part, channel: int, end: int) -> mido.MidiTrack:
    events: list[tuple[int, int, mido.Message]] = []

    def put(tick: int, order: int, kind: str, **values: int) -> None:
        events.append((tick, order, mido.Message(kind, channel=channel, **values)))

    put(0, 0, "program_change", program=part.program)
    for number, value in ((7, part.volume), (10, part.pan), (91, part.reverb), (93, part.chorus), (1, part.vibrato)):
        put(0, 0, "control_change", control=number, value=min(max(round(value), 0), 127))
    if part.detune:
        put(0, 0, "pitchwheel", pitch=round(min(max(part.detune / 200, -1.0), 0.999) * 8192))
    for moment, value in part.swells:
        if 0 <= moment * TICKS_PER_SECOND < end:
            put(
                round(moment * TICKS_PER_SECOND),
                0,
                "control_change",
                control=11,
                value=min(max(value, 0), 127),
            )
    by_pitch: dict[int, list[tuple[int, int, int]]] = {}
    for note in part.notes:
        on = max(round(note.start * TICKS_PER_SECOND), 0)
        off = min(max(round((note.start + note.duration) * TICKS_PER_SECOND), on + 20), end)
        if off - on >= 20:
            by_pitch.setdefault(note.pitch, []).append((on, off, note.velocity))
    for pitch, spans in by_pitch.items():
        spans.sort()
        for (on, off, velocity), following in zip(spans, [*spans[1:], (end + 1, 0, 0)], strict=True):
            stop = min(off, following[0] - 1)
            if stop - on >= 10:
                put(on, 2, "note_on", note=pitch, velocity=velocity)
                put(stop, 1, "note_off", note=pitch, velocity=0)
    events.sort(key=lambda event: (event[0], event[1]))
    track, now = mido.MidiTrack(), 0
    for tick, _, message in events:
        message.time = tick - now
        track.append(message)
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track
