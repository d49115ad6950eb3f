"""Arrangement of passages from real scores with the seven mid-level features as parameters in 0..1.

The counterpart of rule-based composition (`composition/compose.py`). The seed chooses score, passage, key, tempo,
instruments, reverb and register. How each feature acts:

- modality and tonal stability on the pitches (`passage.py`);
- articulation and rhythmic stability on durations and onsets (`piece.py`, `timing.py`);
- melodiousness brings the melody forward on an instrument of its own, or weakens it: softer, alternating between two
  instruments, scattered over octaves, or left out. The lower it is, the more the other voices repeat notes of the
  chord, so that none of them becomes a melody instead;
- rhythmic complexity syncopates the voices and adds layers; where it is low, the accompaniment moves on the beats
only; - dissonance adds dissonant notes (`accompaniment.py`), detunes parts and selects harsh instruments.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import mido
import numpy as np

from ..common.errors import InputError
from ..composition.accompaniment import bass_part, chord_parts, dissonance_part, percussion_parts
from ..composition.compose import generator_parameters
from ..composition.melody import MelodyNote, nearest_pitch
from ..composition.midi_parts import Part, named_rng, to_midi
from ..composition.orchestration import draw_ensemble
from ..composition.piece import Piece, texture_part
from ..composition.timing import SHIFTS, Timing
from .corpus import KINDS, Score, list_scores, read_score
from .passage import Passage

WEIGHTS: Final = {"chorale": 0.35, "quartet": 0.2, "polyphony": 0.15, "tune": 0.3}
"""Probabilities of the kinds of score."""
OCTAVES: Final = (-24, -12, -12, 12, 12, 24)
"""Octave displacements of a scattered melody, in semitones."""
MIN_ONSETS: Final = 2
"""Number of melody onsets in a bar that is not static; at most one bar in four of a passage may be static."""
N_THRESHOLDS: Final = 64


def arrange(
    qualities: Mapping[str, float], *, seed: int, seconds: float = 11.0, part: str = "train"
) -> mido.MidiFile:
    """Arrange a passage of a score with the given mid-level features.

    Parameters
    ----------
    qualities
        The seven features by name (`constants.MIDLEVEL`), each in 0..1.
    seed
        Random seed, 0 or more. The same arguments give the same piece, byte for byte.
    seconds
        Length in seconds, 1..600.
    part
        Which part of the corpus the score is from: "train" or "test".

    Returns
    -------
    mido.MidiFile
        A type 1 file with one track per part.

    Raises
    ------
    InputError
        A feature is missing or unknown, a value is out of range, or music21 is missing.
    """
    piece, voices = _plan(generator_parameters(qualities, seconds), draw_score(seed, part), seed, seconds)
    parts = _melody_parts(piece, voices[0])
    if len(voices) > 1:
        for index, voice in enumerate(voices[1:], start=1):
            parts.append(_accompanying_part(piece, voice, index, lowest=index == len(voices) - 1))
        parts += _dissonant_parts(piece, voices[1])
    else:
        parts += [*chord_parts(piece), *bass_part(piece)]
    parts += [*texture_part(piece), *dissonance_part(piece), *percussion_parts(piece)]
    for index, midi_part in enumerate(parts):
        midi_part.pan = piece.ensemble.pans[index % len(piece.ensemble.pans)]
    return to_midi(parts, seconds=seconds)


def _plan(
    parameters: dict[str, float], score: Score, seed: int, seconds: float
) -> tuple[Piece, list[list[MelodyNote]]]:
    """Draw what the parts have in common; returns it with the voices of the passage in their new keys."""
    rng = named_rng(seed, "passage")
    # The tempo suits the rhythm of the melody: its median note lasts 0.22 to 0.6 s.
    median_length = float(np.median([length for _, _, length, _ in score.voices[0]]))
    beat_s = float(np.clip(np.exp(rng.uniform(np.log(0.22), np.log(0.6))) / median_length, 0.3, 1.3))
    timing = Timing(
        seed=seed,
        tempo=60 / beat_s,
        meter=score.meter,
        stability=parameters["rhythmic_stability"],
        seconds=seconds,
    )
    first = _first_bar(score, int(np.ceil(seconds / (beat_s * score.meter))), rng)
    passage = Passage(
        score,
        timing,
        first=first % len(score.tonics),
        transposition=int(rng.integers(-5, 6)),
        home_fraction=parameters["tonal_stability"],
        modality=parameters["modality"],
        seed=seed,
    )
    voices = [passage.voice(index) for index in range(len(score.voices))]
    piece = Piece(
        qualities=parameters,
        seed=seed,
        seconds=seconds,
        timing=timing,
        chords=passage.chords(voices, parameters["dissonance"]),
        ensemble=draw_ensemble(
            articulation=parameters["articulation"], dissonance=parameters["dissonance"], seed=seed
        ),
        loudness=float(rng.uniform(55, 100)),
        slope=float(rng.uniform(-1.2, 1.2)),
        density=float(rng.choice([0.5, 1.0, 1.0, 2.0] if beat_s < 0.63 else [1.0, 1.0, 2.0])),
    )
    return piece, voices


def draw_score(seed: int, part: str = "train") -> Score:
    """Draw a score from a part of the corpus.

    Parameters
    ----------
    seed
        Seed of the piece.
    part
        "train" or "test".

    Returns
    -------
    Score
        A score with enough bars of equal length.

    Raises
    ------
    InputError
        music21 or its corpus is missing, or `part` is unknown.
    """
    rng, names = named_rng(seed, "score"), list_scores(part)
    for _ in range(100):
        kind = str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
        score = read_score(names[kind][int(rng.integers(len(names[kind])))], kind) if names[kind] else None
        if score is not None:
            return score
    raise InputError(f"no usable scores of {', '.join(KINDS)} in music21's corpus (an installation without it?)")


def _first_bar(score: Score, needed: int, rng: np.random.Generator) -> int:
    """Choose the first of `needed` bars: of eight drawn, one whose melody is not static and whose key changes least.

    Where the first voice rests or holds a note for most of a passage, no setting could bring out a melody.
    """
    count = len(score.tonics)
    candidates = [int(rng.integers(max(count - needed, 1))) for _ in range(8)]
    onsets = np.bincount([bar for bar, _, _, _ in score.voices[0]], minlength=count)

    def cost(start: int) -> tuple[bool, int]:
        bars = [(start + k) % count for k in range(min(needed, count))]
        keys = [score.tonics[bar] for bar in bars]
        return sum(onsets[bar] < MIN_ONSETS for bar in bars) > len(bars) / 4, sum(a != b for a, b in pairwise(keys))

    return min(candidates, key=cost)


def _thresholds(rng: np.random.Generator) -> np.ndarray:
    """64 evenly spaced thresholds in 0..1 in random order: a parameter at 0.5 exceeds exactly half of them."""
    thresholds: np.ndarray = (rng.permutation(N_THRESHOLDS) + 0.5) / N_THRESHOLDS
    return thresholds


def _melody_parts(piece: Piece, tones: list[MelodyNote]) -> list[Part]:
    """The first voice: prominent on one instrument, or alternating between two and scattered over octaves.

    Half of the pieces with a prominence below 0.1 have no melody at all.
    """
    prominence = piece.qualities["melodiousness"]
    rng = named_rng(piece.seed, "tune")
    leap_at, alternate_at, octaves = _thresholds(rng), _thresholds(rng), rng.choice(OCTAVES, N_THRESHOLDS)
    if (prominence < 0.1 and rng.random() < 0.5) or not tones:
        return []
    # The register is drawn, so that it does not give the feature away.
    centre = piece.ensemble.lead_centre + int(rng.choice([-12, -7, 0]))
    transposition = 12 * round((centre - float(np.mean([tone.pitch for tone in tones]))) / 12)
    tones = _syncopated(piece, tones, "tune", 0.7)
    lead, second = (
        piece.part(program, 60 + 67 * prominence) for program in (piece.ensemble.lead, piece.ensemble.texture)
    )
    lead.vibrato = round(36 * prominence * (1 - piece.qualities["articulation"]))
    for part in (lead, second):
        part.detune = 12 * piece.qualities["dissonance"]
    for index, tone in enumerate(tones):
        slot = index % N_THRESHOLDS
        pitch = tone.pitch + transposition + (int(octaves[slot]) if leap_at[slot] > prominence + 0.05 else 0)
        part = second if alternate_at[slot] > prominence + 0.35 else lead
        piece.add_note(part, tone, pitch, level=12 * prominence)
    return [part for part in (lead, second) if part.notes]


def _accompanying_part(piece: Piece, tones: list[MelodyNote], index: int, *, lowest: bool) -> Part:
    """Another voice of the score, softer as the melody gets more prominent.

    Where the melody is weak, the voice repeats and scatters notes of the chord, so that it is no melody itself.
    """
    prominence, complexity, ensemble = (
        piece.qualities["melodiousness"],
        piece.qualities["rhythmic_complexity"],
        piece.ensemble,
    )
    rng = named_rng(piece.seed, f"other {index}")
    leap_at, octaves, simplify_at, repeat_at = (
        _thresholds(rng),
        rng.choice([-12, 12], N_THRESHOLDS),
        _thresholds(rng),
        _thresholds(rng),
    )
    centre = float(np.mean([tone.pitch for tone in tones])) if tones else 0.0
    program = ensemble.bass if lowest else (ensemble.chord, ensemble.second_chord)[index % 2]
    transposition = 12 * int(not lowest and named_rng(piece.seed, "height").random() < 0.35)
    part = piece.part(program, (100 - 34 * prominence) if lowest else (98 - 54 * prominence))
    part.detune = 0.0 if lowest else 25 * piece.qualities["dissonance"] * (-1) ** index
    simplified: list[MelodyNote] = []
    for k, tone in enumerate(tones):
        if simplified and tone.start % 1.0 > 0.05 and simplify_at[k % N_THRESHOLDS] > 2.5 * complexity:
            previous = simplified[-1]  # it is prolonged, in place of a note between the beats
            length = max(previous.length, min(tone.start + tone.length - previous.start, 1.5))
            simplified[-1] = MelodyNote(previous.start, length, previous.pitch, previous.strength)
        else:
            simplified.append(tone)
    for k, tone in enumerate(_syncopated(piece, simplified, f"other {index}", 0.9)):
        slot = k % N_THRESHOLDS
        pitch = tone.pitch
        if not lowest:
            if repeat_at[slot] > 0.15 + 1.4 * prominence:
                pitch = nearest_pitch(centre, piece.chord(tone.start).triad)
            pitch += transposition + (int(octaves[slot]) if leap_at[slot] > 0.2 + 2 * prominence else 0)
        piece.add_note(part, tone, pitch, level=-4.0)
    return part


def _syncopated(piece: Piece, tones: list[MelodyNote], name: str, max_fraction: float) -> list[MelodyNote]:
    """The notes with some onsets shifted: none at a rhythmic complexity of 0, `max_fraction` of them at 1."""
    rng = named_rng(piece.seed, f"syncopation {name}")
    shift_at, shifts = _thresholds(rng), rng.choice(SHIFTS[:4], N_THRESHOLDS)
    syncopated = []
    for index, tone in enumerate(tones):
        slot = index % N_THRESHOLDS
        shift = float(shifts[slot]) if shift_at[slot] < max_fraction * piece.qualities["rhythmic_complexity"] else 0.0
        shift = float(np.clip(shift, -0.5 * tone.length, 0.5 * tone.length))
        syncopated.append(
            MelodyNote(
                max(tone.start + shift, 0.0), max(tone.length - max(shift, 0.0), 0.15), tone.pitch, tone.strength
            )
        )
    return sorted(syncopated, key=lambda tone: tone.start)


def _dissonant_parts(piece: Piece, tones: list[MelodyNote]) -> list[Part]:
    """A part that plays the added dissonant notes of the chords at the onsets of an inner voice, or none."""
    onsets = sorted({tone.start for tone in tones})
    if not any(chord.added_notes for chord in piece.chords):
        return []
    part = piece.part(piece.ensemble.second_chord, 92 - 54 * piece.qualities["melodiousness"])
    part.detune = 25 * piece.qualities["dissonance"]
    centre = piece.ensemble.chord_centre
    pitches = [
        [centre + (pitch_class - centre) % 12 for pitch_class in piece.chord(beat).added_notes] for beat in onsets
    ]
    piece.play(part, onsets, pitches, level=-6)
    return [part]
