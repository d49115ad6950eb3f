"""The notes of a MIDI file by track, in seconds, with the sustain pedal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido

from ..common.errors import InputError
from ..composition.midi_parts import DRUM_CHANNEL, Note

_MAX_BYTES: Final = 4 << 20
_MAX_NOTES: Final = 200_000
_SUSTAIN: Final = 64
"""Controller number of the sustain pedal."""
LONGEST_NOTE_S: Final = 8.0
"""Notes that the pedal holds end after this time at the latest."""


@dataclass(frozen=True)
class NoteTrack:
    """Pitched notes of one track, by onset.

    Attributes
    ----------
    name
        As the file has it, often empty.
    notes
        Onsets and durations in seconds.
    """

    name: str
    notes: tuple[Note, ...]


def read_note_tracks(path: Path) -> list[NoteTrack]:
    """Read the pitched notes of a MIDI file.

    Parameters
    ----------
    path
        A standard MIDI file of type 0 or 1, at most 4 MB.

    Returns
    -------
    list of NoteTrack
        The tracks that have notes, as they lie in the file. Drums are left out.

    Raises
    ------
    InputError
        The file is missing, too large, no MIDI file, or has no notes.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: larger than {_MAX_BYTES >> 20} MB, no MIDI file of a piece")
        midi = mido.MidiFile(path)
        seconds = _clock(midi)
        tracks = [NoteTrack(track.name.strip(), tuple(_notes(track, seconds))) for track in midi.tracks]
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read as MIDI ({error.strerror or 'damaged, or something else?'})"
        ) from error
    except (ValueError, KeyError, IndexError, EOFError, TypeError, ZeroDivisionError, AttributeError) as error:
        raise InputError(f"{path}: not a readable MIDI file (damaged, or something else?)") from error
    tracks = [track for track in tracks if track.notes]
    if not tracks:
        raise InputError(f"{path}: has no notes")
    if sum(len(track.notes) for track in tracks) > _MAX_NOTES:
        raise InputError(f"{path}: more than {_MAX_NOTES} notes")
    return tracks


class _Clock:
    """Seconds at a tick, by the tempo changes of all tracks."""

    def __init__(self, changes: Sequence[tuple[int, int]], ticks_per_beat: int) -> None:
        self._points = [(0, 0.0, 500_000)]
        self._ticks_per_beat = ticks_per_beat
        for tick, tempo in sorted(changes):
            self._points.append((tick, self(tick), tempo))

    def __call__(self, tick: int) -> float:
        first, start, tempo = next(point for point in reversed(self._points) if point[0] <= tick)
        return start + (tick - first) * tempo / self._ticks_per_beat / 1e6


def _clock(midi: mido.MidiFile) -> _Clock:
    changes = []
    for track in midi.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                changes.append((tick, message.tempo))
    return _Clock(changes, midi.ticks_per_beat)


def _notes(track: mido.MidiTrack, seconds: _Clock) -> list[Note]:
    """Notes of a track; a note that is never released ends with the track."""
    tick = 0
    started: dict[tuple[int, int], tuple[float, int]] = {}  # (channel, pitch): onset, velocity
    pedalled: dict[tuple[int, int], tuple[float, int]] = {}
    pedals: set[int] = set()
    notes: list[Note] = []

    def end(key: tuple[int, int], onset: float, velocity: int, now: float) -> None:
        notes.append(Note(onset, min(max(now - onset, 0.02), LONGEST_NOTE_S), key[1], velocity))

    for message in track:
        tick += message.time
        if message.is_meta or not hasattr(message, "channel") or message.channel == DRUM_CHANNEL:
            continue
        now = seconds(tick)
        if message.type == "control_change" and message.control == _SUSTAIN:
            if message.value >= 64:
                pedals.add(message.channel)
            else:
                pedals.discard(message.channel)
                for key in [key for key in pedalled if key[0] == message.channel]:
                    end(key, *pedalled.pop(key), now)
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            begins = message.type == "note_on" and message.velocity > 0
            if begins and key in pedalled:
                end(key, *pedalled.pop(key), now)
            if key in started:
                found = started.pop(key)
                if begins or message.channel not in pedals:
                    end(key, *found, now)
                else:
                    pedalled[key] = found
            if begins:
                started[key] = (now, message.velocity)
    for held in (started, pedalled):
        for key, found in held.items():
            end(key, *found, seconds(tick))
    return sorted(notes, key=lambda note: (note.start, note.pitch))
