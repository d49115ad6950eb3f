"""Notes and instrumental parts, named random streams, and the MIDI file writer.

Onsets and durations are in seconds. The MIDI file has a fixed tempo of 120 beats a minute with 500 ticks a beat (one
tick is 1 ms); tempo changes of the music (rubato, drift) are written into the onsets, so a note's time in seconds
does not depend on the reader.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import mido
import numpy as np

DRUM_CHANNEL = 9  # counted from 0: MIDI channel 10
TICKS_PER_BEAT = 500
TICKS_PER_SECOND = 1000  # at MIDI's default tempo, 120 beats a minute


@dataclass(frozen=True)
class Note:
    """One note.

    Attributes
    ----------
    start, duration
        In seconds.
    pitch
        MIDI note number.
    velocity
        MIDI velocity, 1..127.
    """

    start: float
    duration: float
    pitch: int
    velocity: int


@dataclass
class Part:
    """The notes of one instrument and its channel settings.

    Attributes
    ----------
    program
        General MIDI program, from 0; without effect when `drums` is set.
    notes
        In any order.
    drums
        Whether the part is written to the percussion channel, where the pitch selects the drum.
    volume, pan, reverb, chorus, vibrato
        Values of the MIDI controllers 7, 10, 91, 93 and 1, 0..127.
    detune
        Pitch bend in cents, -200..200.
    swells
        Points (seconds, value 0..127) of controller 11, expression.
    """

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

    def add(self, start: float, duration: float, pitch: int, velocity: float) -> None:
        """Append a note.

        Parameters
        ----------
        start, duration
            In seconds.
        pitch
            MIDI note number; moved by octaves into 21..108, the range of a piano.
        velocity
            Limited to 1..127.
        """
        while pitch < 21:
            pitch += 12
        while pitch > 108:
            pitch -= 12
        self.notes.append(Note(float(start), float(duration), int(pitch), int(min(max(velocity, 1), 127))))


def named_rng(seed: int, name: str) -> np.random.Generator:
    """Return the random generator of one decision of a piece.

    Every decision draws from a generator of its own, so that changing one parameter leaves the random numbers of all
    other decisions as they are.

    Parameters
    ----------
    seed
        Seed of the piece, 0 or more.
    name
        Name of the decision. Part of the seed: another name gives other music.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def to_midi(parts: Sequence[Part], *, seconds: float) -> mido.MidiFile:
    """Write parts to a MIDI file.

    Overlapping notes of the same pitch and part are shortened, so that every note-off belongs to one note.

    Parameters
    ----------
    parts
        At most 15 pitched parts, each on its own channel; all drum parts share channel 10.
    seconds
        Length of the file. Notes that sound at the end are cut, later ones left out.

    Returns
    -------
    mido.MidiFile
        A type 1 file with one track per part.
    """
    midi = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    pitched = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for part in parts:
        channel = DRUM_CHANNEL if part.drums else pitched.pop(0)
        midi.tracks.append(_track(part, channel, round(seconds * TICKS_PER_SECOND)))
    return midi


def _track(part: Part, channel: int, end: int) -> mido.MidiTrack:
    """One part as a MIDI track that ends at tick `end`."""
    events: list[tuple[int, int, mido.Message]] = []  # tick, order within the tick, message

    def add(tick: int, order: int, message_type: str, **values: int) -> None:
        events.append((tick, order, mido.Message(message_type, channel=channel, **values)))

    add(0, 0, "program_change", program=part.program)
    for number, value in ((7, part.volume), (10, part.pan), (91, part.reverb), (93, part.chorus), (1, part.vibrato)):
        add(0, 0, "control_change", control=number, value=min(max(round(value), 0), 127))
    if part.detune:
        add(0, 0, "pitchwheel", pitch=round(min(max(part.detune / 200, -1.0), 0.999) * 8192))
    for time, value in part.swells:
        if 0 <= time * TICKS_PER_SECOND < end:
            add(
                round(time * TICKS_PER_SECOND),
                0,
                "control_change",
                control=11,
                value=min(max(value, 0), 127),
            )
    by_pitch: dict[int, list[tuple[int, int, int]]] = {}  # on, off, velocity
    for note in part.notes:
        on = max(round(note.start * TICKS_PER_SECOND), 0)
        off = min(max(round((note.start + note.duration) * TICKS_PER_SECOND), on + 20), end)
        if off - on >= 20:
            by_pitch.setdefault(note.pitch, []).append((on, off, note.velocity))
    for pitch, spans in by_pitch.items():
        spans.sort()
        for (on, off, velocity), (next_on, _, _) in zip(spans, [*spans[1:], (end + 1, 0, 0)], strict=True):
            stop = min(off, next_on - 1)
            if stop - on >= 10:
                add(on, 2, "note_on", note=pitch, velocity=velocity)
                add(stop, 1, "note_off", note=pitch, velocity=0)
    events.sort(key=lambda event: (event[0], event[1]))
    track, previous_tick = mido.MidiTrack(), 0
    for tick, _, message in events:
        message.time = tick - previous_tick
        track.append(message)
        previous_tick = tick
    track.append(mido.MetaMessage("end_of_track", time=end - previous_tick))
    return track
