"""Short pieces composed by rule: each mid-level quality is a knob in 0..1, independent of the others.

The questions are those the listeners of the Mid-level Perceptual Features dataset were asked (Aljanaki &
Soleymani, "A data-driven approach to mid-level perceptual musical feature modeling", ISMIR 2018): which piece
would you sing along to, which is more staccato, harder to tap, easier to march to, harsher, keeps to one key,
sounds minor. All that no knob fixes (key, tempo, style, instruments, register, density, dynamics, number of
voices) is drawn from the seed and stays what it is while a knob is turned.
"""

from collections.abc import Mapping
from typing import Final

import mido

from ..common.constants import MIDLEVEL
from ..common.errors import InputError
from .accompaniment import bass_part, chord_parts, dissonance_part, percussion_parts
from .harmony import in_key_fraction, plan_chords
from .melody import melody_prominence
from .midi_parts import named_rng, to_midi
from .orchestration import draw_ensemble
from .piece import Piece, melody_part, texture_part
from .timing import Timing

GENERATOR_VERSION: Final = 4
"""Counted up when a knob is given another meaning: it is in the names of the files that are made, so that clips of an
older meaning are never taken for those of the new one."""


def compose(qualities: Mapping[str, float], *, seed: int, seconds: float = 11.0) -> mido.MidiFile:
    """Compose a piece of `seconds` (1..600) with the seven qualities in 0..1; same arguments, same piece.

    Raises InputError for unknown or missing qualities and values out of range.
    """
    piece = _plan(generator_parameters(qualities, seconds), seed, seconds)
    parts = [
        *melody_part(piece),
        *texture_part(piece),
        *chord_parts(piece),
        *bass_part(piece),
        *dissonance_part(piece),
        *percussion_parts(piece),
    ]
    for index, part in enumerate(parts):
        part.pan = piece.ensemble.pans[index % len(piece.ensemble.pans)]
    return to_midi(parts, seconds=seconds)


def generator_parameters(qualities: Mapping[str, float], seconds: float) -> dict[str, float]:
    """What the rules turn, in 0..1: the qualities themselves, but of melodiousness how far the tune is in front, and
    of tonal stability the share of chords at home.

    Raises InputError when a quality or the length is out of range.
    """
    if set(qualities) != set(MIDLEVEL):
        odd = ", ".join(sorted(set(qualities) ^ set(MIDLEVEL)))
        raise InputError(f"qualities: exactly {', '.join(MIDLEVEL)} are wanted; missing or unknown: {odd}")
    for name, value in qualities.items():
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{name}: {value} is not within 0..1 (a rating out of ten?)")
    if not 1.0 <= seconds <= 600.0:
        raise InputError(f"seconds: {seconds} is not within 1..600 (milliseconds?)")
    turned = {name: float(value) for name, value in qualities.items()}
    return turned | {
        "melodiousness": melody_prominence(turned["melodiousness"]),
        "tonal_stability": in_key_fraction(turned["tonal_stability"]),
    }


def _plan(q: dict[str, float], seed: int, seconds: float) -> Piece:
    rng = named_rng(seed, "setting")
    tempo, meter = float(rng.uniform(62, 148)), int(rng.choice([4, 4, 4, 3]))
    timing = Timing(seed=seed, tempo=tempo, meter=meter, stability=q["rhythmic_stability"], seconds=seconds)
    chords = plan_chords(
        timing.bars,
        at_home=q["tonal_stability"],
        modality=q["modality"],
        dissonance=q["dissonance"],
        seed=seed,
        beat_s=timing.beat_s,
    )
    ensemble = draw_ensemble(articulation=q["articulation"], dissonance=q["dissonance"], seed=seed)
    return Piece(
        qualities=q,
        seed=seed,
        seconds=seconds,
        timing=timing,
        chords=chords,
        ensemble=ensemble,
        loudness=float(rng.uniform(55, 100)),
        slope=float(rng.uniform(-1.2, 1.2)),
        density=float(rng.choice([0.5, 1.0, 1.0, 1.0, 2.0, 2.0] if tempo > 95 else [1.0, 1.0, 2.0, 2.0])),
    )
