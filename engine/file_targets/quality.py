"""The perceived quality of a changed sound beside the original: Zimtohrli's mean opinion score, where installed."""

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from ...models.common.constants import SAMPLE_RATE
from ...models.common.errors import InputError
from ..steering.handle_excerpts import HandleExcerpts

MEASURE: Final = "zimtohrli"
BEST: Final = 5.0
QUALITY_FLOOR: Final = 4.15
"""The mean opinion score below which a change is made smaller, if nothing else is asked and Zimtohrli is there."""
_LESS: Final = 0.9
_LEAST: Final = 0.1
_RATE: Final = 48_000

Sounds = Sequence[npt.NDArray[np.float32]]


def quality_of(before: Sounds, after: Sounds) -> float | None:
    """Mean opinion score, 1 to 5, of excerpts [samples] at 22,050 Hz beside what they were, by their length.

    None without Zimtohrli (the extra `quality`).
    """
    try:
        score = importlib.import_module("zimtohrli").mos_from_signals
    except ImportError:
        return None
    scores = [float(score(_resampled(a), _resampled(b))) for a, b in zip(before, after, strict=True)]
    return float(np.average(scores, weights=[len(sound) for sound in before]))


def need_quality(least: float) -> None:
    """Raises InputError for a score that does not exist, and without Zimtohrli."""
    if not 1 <= least <= BEST:
        raise InputError(f"quality {least:g} is out of range: a mean opinion score goes from 1 to {BEST:g}")
    if importlib.util.find_spec("zimtohrli") is None:
        raise InputError("a least quality needs Zimtohrli: pip install 'moodfader[quality]'")


def _resampled(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(soxr.resample(sound, SAMPLE_RATE, _RATE), np.float32)


def within_quality(
    excerpts: HandleExcerpts, sounds: Sounds, coefficients: npt.NDArray[np.float64], least: float = QUALITY_FLOOR
) -> tuple[npt.NDArray[np.float64], float | None]:
    """Coefficients of the handles, made smaller until the excerpts' score is `least` or better, and that score.

    sounds: the excerpts as they were. As they are, and None, without Zimtohrli.
    """
    share = 1.0
    while True:
        score = quality_of(sounds, excerpts.sounds(share * coefficients))
        if score is None or score >= least or share < _LEAST:
            return share * coefficients, score
        share *= _LESS
