"""Pop songs set for a band: melody, second voice and chords of the file, with a bass and drums on its beats.

The notes keep their pitches but for a transposition, so key and mode stay true; the tempo is the song's own.
"""

from collections.abc import Sequence
from typing import Final

import mido
import numpy as np

from ..common.arrays import Floats
from ..composition.midi_parts import Note, Part, named_rng, to_midi
from ..composition.orchestration import draw_ensemble
from .instrumentation import cut_excerpt
from .midi_notes import NoteTrack
from .rendered_sets import MidiPiece

USUAL_BPM: Final = 90.0
"""Tempo of a piece that does not tell."""
KICK, SNARE, CLOSED_HAT, OPEN_HAT, RIDE = 36, 38, 42, 46, 51
NO_DRUMS_SHARE: Final = 0.2
"""Probability of a band without drums."""
BASS_PROGRAMS: Final = (32, 33, 34, 35, 38, 39, 43)
CHORD_PROGRAMS: Final = (0, 4, 5, 24, 25, 26, 27, 48, 50, 89)
LEAD_PROGRAMS: Final = (11, 22, 40, 52, 53, 65, 66, 73, 80, 81)


def beat_times(onsets: Floats, bpm: float, seconds: float) -> Floats:
    """Return the beats within an excerpt, at a constant tempo and where most onsets fall on beats.

    Parameters
    ----------
    onsets
        In seconds, [notes].
    bpm
        Beats a minute.
    seconds
        Length of the excerpt.
    """
    beat_s = 60 / bpm
    phase = np.angle(np.exp(2j * np.pi * onsets / beat_s).sum()) / (2 * np.pi) * beat_s if len(onsets) else 0.0
    return np.arange(phase % beat_s, seconds, beat_s)


def band_setting(
    piece: MidiPiece, tracks: Sequence[NoteTrack], start_s: float, seconds: float, seed: int
) -> mido.MidiFile:
    """Set an excerpt for a random band (`Setting`): the first track that is named MELODY sings, others accompany."""
    rng = named_rng(seed, "band")
    ensemble = draw_ensemble(articulation=float(rng.random()), dissonance=0.0, seed=seed)
    transposition = int(rng.integers(-3, 4))
    parts: list[Part] = []
    lowest: list[Note] = []
    onsets: list[float] = []
    for place, track in enumerate(tracks):
        notes = cut_excerpt(track.notes, start_s, seconds)
        programs = LEAD_PROGRAMS if track.name.upper() in ("MELODY", "BRIDGE") else CHORD_PROGRAMS
        part = Part(
            int(rng.choice(programs)),
            volume=int(rng.integers(85, 120)) if programs is LEAD_PROGRAMS else int(rng.integers(65, 100)),
            pan=ensemble.pans[place % len(ensemble.pans)],
            reverb=ensemble.reverb,
        )
        for note in notes:
            part.add(note.start, note.duration, note.pitch + transposition, note.velocity)
        parts.append(part)
        onsets += [note.start for note in notes]
        lowest += notes if programs is CHORD_PROGRAMS else []
    beats = beat_times(np.array(onsets), piece.bpm or USUAL_BPM, seconds)
    parts.append(_bass(lowest, beats, transposition, rng))
    if rng.random() >= NO_DRUMS_SHARE:
        parts.append(_drums(beats, 60 / (piece.bpm or USUAL_BPM), rng))
    return to_midi([part for part in parts if part.notes][:15], seconds=seconds)


def _bass(notes: Sequence[Note], beats: Floats, transposition: int, rng: np.random.Generator) -> Part:
    """A bass that plays on every beat or every other the lowest note that sounds there."""
    part = Part(int(rng.choice(BASS_PROGRAMS)), volume=int(rng.integers(85, 115)))
    every = int(rng.choice((1, 2)))
    for place, beat in enumerate(beats[::every]):
        sounding = [note.pitch for note in notes if note.start <= beat + 0.08 < note.start + note.duration + 0.08]
        if sounding:
            end = beats[::every][place + 1] if (place + 1) * every < len(beats) else beat + 0.5
            pitch = min(sounding) + transposition
            while pitch > 48:
                pitch -= 12
            part.add(float(beat), 0.9 * float(end - beat), pitch, float(rng.normal(88, 6)))
    return part


def _drums(beats: Floats, beat_s: float, rng: np.random.Generator) -> Part:
    """A plain pattern: kick on odd beats, snare on even ones, cymbals on beats or halves, some kicks between."""
    part = Part(0, drums=True, volume=int(rng.integers(70, 110)))
    cymbal, halves = int(rng.choice((CLOSED_HAT, CLOSED_HAT, RIDE))), rng.random() < 0.7
    between, loudness = float(rng.choice((0.0, 0.25, 0.5))), float(rng.uniform(70, 105))
    for place, beat in enumerate(beats):
        part.add(beat, 0.1, SNARE if place % 2 else KICK, loudness + float(rng.normal(0, 5)))
        part.add(beat, 0.1, cymbal, 0.8 * loudness + float(rng.normal(0, 5)))
        if halves:
            last = place % 8 == 7 and rng.random() < 0.5
            part.add(beat + beat_s / 2, 0.1, OPEN_HAT if last else cymbal, 0.65 * loudness)
        if rng.random() < between:
            part.add(beat + beat_s / 2, 0.1, KICK, 0.9 * loudness)
    return part
