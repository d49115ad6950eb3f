"""Excerpts whose gain field is one value a segment: where its gain steps from frame to frame."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from moodfader.engine.steering.segment_excerpts import BAND_LOSS, STEP_LOSS, SegmentExcerpts, steps_of
from moodfader.models.common.constants import HOP_LENGTH, N_BANDS


class _Deaf:
    """Says the same of everything."""

    name = "deaf"

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return torch.zeros(15)

    def of_each(self, spectrograms: Sequence[np.ndarray]) -> np.ndarray:
        return np.zeros((len(spectrograms), 15), np.float32)

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        return torch.zeros(len(outputs), *spectrogram.shape)


def test_damage_is_that_of_the_gain_field() -> None:
    """Its square by band, and the squares of its steps after one and after sixteen frames."""
    rng = np.random.default_rng(0)
    segments = np.repeat(rng.integers(0, 20, (40, N_BANDS)), 3, axis=0).astype(np.int32)  # [120, bands]
    sound = rng.normal(0, 0.1, 60 * HOP_LENGTH).astype(np.float32)
    first = 7
    excerpts = SegmentExcerpts([(sound, first * HOP_LENGTH)], segments, [_Deaf()])
    gains = rng.normal(size=20)
    field = gains[segments[first : first + 61]]
    bands = np.interp(np.linspace(0, len(BAND_LOSS) - 1, N_BANDS), np.arange(len(BAND_LOSS)), BAND_LOSS)
    expected = (field**2 * bands).sum() / field.size
    for frames, loss in STEP_LOSS.items():
        expected += loss * ((field[frames:] - field[:-frames]) ** 2).sum() / field.size
    np.testing.assert_allclose(excerpts.damage.loss(gains), expected, rtol=1e-6)
    coefficients, fields = rng.normal(size=3), rng.normal(size=(3, 20))
    step = np.diff((coefficients @ fields)[segments[first : first + 61]], axis=0)
    quadratic = coefficients @ excerpts.damage.step_metric(fields) @ coefficients
    np.testing.assert_allclose(quadratic, (step**2).sum() / field.size, rtol=1e-9)


def test_excerpts_shorter_than_a_step_have_none() -> None:
    labels = [np.zeros((5, N_BANDS), np.int32), np.arange(20 * N_BANDS, dtype=np.int32).reshape(20, -1)]
    _, _, often = steps_of(labels, 20 * N_BANDS, 16)
    assert often.sum() == pytest.approx(4 / 25)
