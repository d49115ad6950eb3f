"""Passages of real scores, arranged so that each mid-level quality is a knob in 0..1, as `compose` does by rule.

The seed chooses score, passage, key, tempo, instruments, room and register. Modality and tonal stability act on
the notes (passages.py), articulation and rhythmic stability on the playing (voices.py, patterns.py). Melodiousness
brings the tune in front on an instrument of its own, or hides it: softer, handed about, scattered over octaves,
or gone; the less there is of it the more the other voices repeat their chord, so that none takes its place.
Rhythmic complexity syncopates the voices and adds layers; low, it lets the accompaniment move on the beats only.
Dissonance adds what rubs (accompaniment.py), mistunes, and brings in harsh instruments.
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
OCTAVES: Final = (-24, -12, -12, 12, 12, 24)
LEAST_MOVES: Final = 2
"""Notes that a tune begins in a bar, in three bars of four at least."""


def arrange(
    qualities: Mapping[str, float], *, seed: int, seconds: float = 11.0, part: str = "train"
) -> mido.MidiFile:
    """Arrange a passage of `seconds` (1..600) of a score of the `train` or `test` part; same arguments, same piece.

    Raises InputError for unknown or missing qualities, values out of range, and when music21 is missing.
    """
    piece, voices = _plan(generator_parameters(qualities, seconds), draw_score(seed, part), seed, seconds)
    parts = _tune(piece, voices[0])
    if len(voices) > 1:
        for index, voice in enumerate(voices[1:], start=1):
            parts.append(_other(piece, voice, index, lowest=index == len(voices) - 1))
        parts += _rubbing(piece, voices[1])
    else:
        parts += [*chord_parts(piece), *bass_part(piece)]
    parts += [*texture_part(piece), *dissonance_part(piece), *percussion_parts(piece)]
    for index, played in enumerate(parts):
        played.pan = piece.ensemble.pans[index % len(piece.ensemble.pans)]
    return to_midi(parts, seconds=seconds)


def _plan(q: dict[str, float], score: Score, seed: int, seconds: float) -> tuple[Piece, list[list[MelodyNote]]]:
    """What all voices share, and the voices of the passage in their new keys."""
    rng = named_rng(seed, "passage")
    # As fast as its own rhythm wants: the tune moves every 0.22 to 0.6 s.
    usual = float(np.median([length for _, _, length, _ in score.voices[0]]))
    beat_s = float(np.clip(np.exp(rng.uniform(np.log(0.22), np.log(0.6))) / usual, 0.3, 1.3))
    timing = Timing(
        seed=seed, tempo=60 / beat_s, meter=score.meter, stability=q["rhythmic_stability"], seconds=seconds
    )
    first = _begin(score, int(np.ceil(seconds / (beat_s * score.meter))), rng)
    passage = Passage(
        score,
        timing,
        first=first % len(score.tonics),
        transposed=int(rng.integers(-5, 6)),
        at_home=q["tonal_stability"],
        modality=q["modality"],
        seed=seed,
    )
    voices = [passage.voice(index) for index in range(len(score.voices))]
    piece = Piece(
        qualities=q,
        seed=seed,
        seconds=seconds,
        timing=timing,
        chords=passage.chords(voices, q["dissonance"]),
        ensemble=draw_ensemble(articulation=q["articulation"], dissonance=q["dissonance"], seed=seed),
        loudness=float(rng.uniform(55, 100)),
        slope=float(rng.uniform(-1.2, 1.2)),
        density=float(rng.choice([0.5, 1.0, 1.0, 2.0] if beat_s < 0.63 else [1.0, 1.0, 2.0])),
    )
    return piece, voices


def draw_score(seed: int, part: str = "train") -> Score:
    """The score that a seed draws from a part of the corpus. Raises InputError when music21 is missing."""
    rng, names = named_rng(seed, "score"), list_scores(part)
    for _ in range(100):
        kind = str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
        score = read_score(names[kind][int(rng.integers(len(names[kind])))], kind) if names[kind] else None
        if score is not None:
            return score
    raise InputError(f"no usable scores of {', '.join(KINDS)} in music21's corpus (an installation without it?)")


def _begin(score: Score, needed: int, rng: np.random.Generator) -> int:
    """A bar to begin with: of eight drawn, one after which the tune moves on, and the key changes least.

    Where the first voice rests or holds a note for most of a passage, no knob brings out a tune.
    """
    count = len(score.tonics)
    starts = [int(rng.integers(max(count - needed, 1))) for _ in range(8)]
    moves = np.bincount([bar for bar, _, _, _ in score.voices[0]], minlength=count)

    def disadvantages(start: int) -> tuple[bool, int]:
        bars = [(start + k) % count for k in range(min(needed, count))]
        keys = [score.tonics[bar] for bar in bars]
        return sum(moves[bar] < LEAST_MOVES for bar in bars) > len(bars) / 4, sum(x != y for x, y in pairwise(keys))

    return min(starts, key=disadvantages)


def _spread64(rng: np.random.Generator) -> np.ndarray:
    thresholds: np.ndarray = (rng.permutation(64) + 0.5) / 64
    return thresholds


def _tune(piece: Piece, tones: list[MelodyNote]) -> list[Part]:
    """The first voice: in front on an instrument of its own, or handed about and scattered, often gone at 0."""
    m = piece.qualities["melodiousness"]
    rng = named_rng(piece.seed, "tune")
    leap, hand, octaves = _spread64(rng), _spread64(rng), rng.choice(OCTAVES, 64)
    if (m < 0.1 and rng.random() < 0.5) or not tones:
        return []
    centre = piece.ensemble.lead_centre + int(rng.choice([-12, -7, 0]))  # high or low, whatever the quality
    lift = 12 * round((centre - float(np.mean([tone.pitch for tone in tones]))) / 12)
    tones = _syncopated(piece, tones, "tune", 0.7)
    lead, second = (piece.part(program, 60 + 67 * m) for program in (piece.ensemble.lead, piece.ensemble.texture))
    lead.vibrato = round(36 * m * (1 - piece.qualities["articulation"]))
    for part in (lead, second):
        part.detune = 12 * piece.qualities["dissonance"]
    for index, tone in enumerate(tones):
        slot = index % 64
        pitch = tone.pitch + lift + (int(octaves[slot]) if leap[slot] > m + 0.05 else 0)
        part = second if hand[slot] > m + 0.35 else lead
        piece.add_note(part, tone, pitch, level=12 * m)
    return [part for part in (lead, second) if part.notes]


def _other(piece: Piece, tones: list[MelodyNote], index: int, *, lowest: bool) -> Part:
    """Another voice of the score, the softer the more there is of a tune; where there is little, no tune itself:
    it repeats a note of the chord, scattered too.
    """
    m, c, ensemble = piece.qualities["melodiousness"], piece.qualities["rhythmic_complexity"], piece.ensemble
    rng = named_rng(piece.seed, f"other {index}")
    leap, octaves, plain, still = _spread64(rng), rng.choice([-12, 12], 64), _spread64(rng), _spread64(rng)
    centre = float(np.mean([tone.pitch for tone in tones])) if tones else 0.0
    program = ensemble.bass if lowest else (ensemble.chord, ensemble.second_chord)[index % 2]
    lift = 12 * int(not lowest and named_rng(piece.seed, "height").random() < 0.35)
    part = piece.part(program, (100 - 34 * m) if lowest else (98 - 54 * m))
    part.detune = 0.0 if lowest else 25 * piece.qualities["dissonance"] * (-1) ** index
    kept: list[MelodyNote] = []
    for k, tone in enumerate(tones):
        if kept and tone.start % 1.0 > 0.05 and plain[k % 64] > 2.5 * c:
            before = kept[-1]  # instead of a note between the beats the one before goes on
            longer = max(before.length, min(tone.start + tone.length - before.start, 1.5))
            kept[-1] = MelodyNote(before.start, longer, before.pitch, before.strength)
        else:
            kept.append(tone)
    for k, tone in enumerate(_syncopated(piece, kept, f"other {index}", 0.9)):
        pitch = tone.pitch
        if not lowest:
            if still[k % 64] > 0.15 + 1.4 * m:
                pitch = nearest_pitch(centre, piece.chord(tone.start).triad)
            pitch += lift + (int(octaves[k % 64]) if leap[k % 64] > 0.2 + 2 * m else 0)
        piece.add_note(part, tone, pitch, level=-4.0)
    return part


def _syncopated(piece: Piece, tones: list[MelodyNote], name: str, most: float) -> list[MelodyNote]:
    """Notes moved off their places: up to a share `most` of them as complexity rises to one."""
    rng = named_rng(piece.seed, f"syncopation {name}")
    late, shifts = _spread64(rng), rng.choice(SHIFTS[:4], 64)
    moved = []
    for index, tone in enumerate(tones):
        shift = float(shifts[index % 64]) if late[index % 64] < most * piece.qualities["rhythmic_complexity"] else 0.0
        shift = float(np.clip(shift, -0.5 * tone.length, 0.5 * tone.length))
        moved.append(
            MelodyNote(
                max(tone.start + shift, 0.0), max(tone.length - max(shift, 0.0), 0.15), tone.pitch, tone.strength
            )
        )
    return sorted(moved, key=lambda tone: tone.start)


def _rubbing(piece: Piece, tones: list[MelodyNote]) -> list[Part]:
    """Notes that rub against the chord, where an inner voice moves."""
    onsets = sorted({tone.start for tone in tones})
    if not any(chord.rubs for chord in piece.chords):
        return []
    part = piece.part(piece.ensemble.second_chord, 92 - 54 * piece.qualities["melodiousness"])
    part.detune = 25 * piece.qualities["dissonance"]
    centre = piece.ensemble.chord_centre
    pitches = [[centre + (rub - centre) % 12 for rub in piece.chord(beat).rubs] for beat in onsets]
    piece.play(part, onsets, pitches, level=-6)
    return [part]
