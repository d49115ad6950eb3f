"""Excerpts whose gain field is one value a segment: where its gain steps from frame to frame."""

from collections.abc import Sequence

import numpy as np
import torch
from moodfader.engine.steering.segment_excerpts import SegmentExcerpts
from moodfader.models.common.constants import HOP_LENGTH, N_BANDS


class _Deaf:
    """Says the same of everything."""

    name = "deaf"

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return torch.zeros(15)

    def of_each(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        return np.zeros((len(spectrograms), 15), np.float32)


def test_steps_of_a_gain_are_those_of_its_field() -> None:
    rng = np.random.default_rng(0)
    segments = np.repeat(rng.integers(0, 20, (40, N_BANDS)), 3, axis=0).astype(np.int32)  # [120, bands]
    sound = rng.normal(0, 0.1, 60 * HOP_LENGTH).astype(np.float32)
    first = 7
    excerpts = SegmentExcerpts([(sound, first * HOP_LENGTH)], segments, [_Deaf()])
    gains = rng.normal(size=20)
    field = gains[segments[first : first + 61]]
    before, after, often = excerpts.steps
    assert (before != after).all()
    steps = float(often @ (gains[before] - gains[after]) ** 2)
    np.testing.assert_allclose(steps, (np.diff(field, axis=0) ** 2).sum() / field.size, rtol=1e-6)
    np.testing.assert_allclose(excerpts.sizes @ gains**2, (field**2).mean(), rtol=1e-6)
