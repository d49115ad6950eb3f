"""Rule-based composition of short MIDI pieces whose seven mid-level features are input parameters in 0..1.

The parameters follow the questions that the raters of the Mid-level Perceptual Features dataset answered (Aljanaki &
Soleymani, "A data-driven approach to mid-level perceptual musical feature modeling", ISMIR 2018): which piece is
easier to sing along to (melodiousness), more staccato (articulation), harder to tap along (rhythmic complexity),
easier to march to (rhythmic stability), harsher (dissonance), keeps more to one key (tonal stability), sounds more
minor (modality).

The parameters act independently of each other. Everything that none of them controls (key, tempo, style, instruments,
register, density, dynamics, number of parts) is drawn from the seed and does not change with a parameter.
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
"""Version of the generator. Counted up when a parameter changes its meaning; it is part of the names of rendered
files, so that clips of an older version are never mixed with those of this one."""


def compose(qualities: Mapping[str, float], *, seed: int, seconds: float = 11.0) -> mido.MidiFile:
    """Compose a piece with the given mid-level features.

    Parameters
    ----------
    qualities
        The seven features by name (`constants.MIDLEVEL`), each in 0..1.
    seed
        Random seed, 0 or more. The same arguments give the same piece, byte for byte.
    seconds
        Length in seconds, 1..600.

    Returns
    -------
    mido.MidiFile
        A type 1 file with one track per part.

    Raises
    ------
    InputError
        A feature is missing or unknown, or a value is out of range.
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
    """Check the features and convert them to the parameters of the generator.

    Parameters
    ----------
    qualities
        The seven features by name, each in 0..1.
    seconds
        Length of the piece in seconds, 1..600; only checked.

    Returns
    -------
    dict of str to float
        By the same names, 0..1. Two are converted: `melodiousness` to the prominence of the melody, `tonal_stability`
        to the fraction of chords in the home key. The others are passed on.

    Raises
    ------
    InputError
        A feature is missing or unknown, or a value is out of range.
    """
    if set(qualities) != set(MIDLEVEL):
        odd = ", ".join(sorted(set(qualities) ^ set(MIDLEVEL)))
        raise InputError(f"qualities: exactly {', '.join(MIDLEVEL)} are wanted; missing or unknown: {odd}")
    for name, value in qualities.items():
        if not 0.0 <= value <= 1.0:
            raise InputError(f"{name}: {value} is not within 0..1 (a rating out of ten?)")
    if not 1.0 <= seconds <= 600.0:
        raise InputError(f"seconds: {seconds} is not within 1..600 (milliseconds?)")
    parameters = {name: float(value) for name, value in qualities.items()}
    return parameters | {
        "melodiousness": melody_prominence(parameters["melodiousness"]),
        "tonal_stability": in_key_fraction(parameters["tonal_stability"]),
    }


def _plan(parameters: dict[str, float], seed: int, seconds: float) -> Piece:
    """Draw what the parts have in common: tempo, meter, chords, instruments, loudness, density."""
    rng = named_rng(seed, "setting")
    tempo, meter = float(rng.uniform(62, 148)), int(rng.choice([4, 4, 4, 3]))
    timing = Timing(seed=seed, tempo=tempo, meter=meter, stability=parameters["rhythmic_stability"], seconds=seconds)
    chords = plan_chords(
        timing.bars,
        home_fraction=parameters["tonal_stability"],
        modality=parameters["modality"],
        dissonance=parameters["dissonance"],
        seed=seed,
        beat_s=timing.beat_s,
    )
    ensemble = draw_ensemble(articulation=parameters["articulation"], dissonance=parameters["dissonance"], seed=seed)
    return Piece(
        qualities=parameters,
        seed=seed,
        seconds=seconds,
        timing=timing,
        chords=chords,
        ensemble=ensemble,
        loudness=float(rng.uniform(55, 100)),
        slope=float(rng.uniform(-1.2, 1.2)),
        density=float(rng.choice([0.5, 1.0, 1.0, 1.0, 2.0, 2.0] if tempo > 95 else [1.0, 1.0, 2.0, 2.0])),
    )
