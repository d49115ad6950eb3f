"""What gains of segments do to the sound: the estimates against sums over the pixels of the gain field."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from moodfader.engine.excerpts.array_path import band_k_power, smoothed_rows
from moodfader.engine.excerpts.segment_damage import (
    ABOVE_FLOOR,
    BAND_LOSS,
    BAND_WEIGHT,
    FLOOR,
    MAX_LOUDNESS_LOSS,
    STEP_LOSS,
    LoudnessDamage,
    steps_of,
)
from moodfader.engine.steering.faders.segment_excerpts import SegmentExcerpts
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


def _blocks(rng: np.random.Generator, frames: int = 12, bands: int = 12) -> np.ndarray:
    """Labels [120, bands] of segments that are blocks."""
    grid = np.arange((120 // frames) * -(-N_BANDS // bands)).reshape(120 // frames, -1)
    grid = rng.permutation(grid.ravel()).reshape(grid.shape)
    return np.repeat(np.repeat(grid, frames, axis=0), bands, axis=1)[:, :N_BANDS].astype(np.int32)


def _picture(rng: np.random.Generator) -> np.ndarray:
    """A log-spectrogram [120, bands] with loud, soft and silent places."""
    level = np.repeat(rng.normal(-1.0, 0.5, (8, N_BANDS)), 15, axis=0) + np.linspace(1, -1.5, N_BANDS)
    level[40:50] = -9.0
    return np.log10(1 + 10**level).astype(np.float32)


def _at_bands(values: Sequence[float]) -> np.ndarray:
    return np.interp(np.linspace(0, len(values) - 1, N_BANDS), np.arange(len(values)), values)


def test_damage_of_gains_is_that_of_the_gain_field() -> None:
    """Its square by band, and the squares of its steps after one and after sixteen frames."""
    rng = np.random.default_rng(0)
    segments = np.repeat(rng.integers(0, 20, (40, N_BANDS)), 3, axis=0).astype(np.int32)  # [120, bands]
    sound = rng.normal(0, 0.1, 60 * HOP_LENGTH).astype(np.float32)
    first = 7
    excerpts = SegmentExcerpts([(sound, first * HOP_LENGTH)], segments, [_Deaf()])
    damage = excerpts.damage
    gains = rng.normal(size=20)
    field = gains[segments[first : first + 61]]
    expected = (field**2 * _at_bands(BAND_LOSS)).sum() / field.size
    for frames, loss in STEP_LOSS.items():
        expected += loss * ((field[frames:] - field[:-frames]) ** 2).sum() / field.size
    np.testing.assert_allclose(damage.loss(gains), expected, rtol=1e-6)
    coefficients, fields = rng.normal(size=3), rng.normal(size=(3, 20))
    step = np.diff((coefficients @ fields)[segments[first : first + 61]], axis=0)
    quadratic = coefficients @ damage.step_metric(fields) @ coefficients
    np.testing.assert_allclose(quadratic, (step**2).sum() / field.size, rtol=1e-9)


def test_difference_in_loudness_is_about_that_of_the_smoothed_field() -> None:
    """Beside a sum over pixels, with the logarithm of what is heard and both brought to their loudest moments."""
    rng = np.random.default_rng(1)
    labels, picture = _blocks(rng), _picture(rng)
    damage = LoudnessDamage([labels], [picture], int(labels.max()) + 1)
    energy = (10.0**picture - 1) ** 2
    weight, heard = _at_bands(BAND_WEIGHT), energy * np.exp(_at_bands(ABOVE_FLOOR))
    before = weight * (np.log1p(heard) + FLOOR)
    power = energy * band_k_power()
    for scale in (1.0, 3.0):
        gains = rng.normal(0, scale, int(labels.max()) + 1)
        field = smoothed_rows(np.pad(gains[labels], ((1, 1), (0, 0)), mode="edge")).astype(np.float64)
        field -= 10 * np.log10((power * 10 ** (field / 10)).sum() / power.sum())
        after = weight * (np.log1p(heard * 10 ** (field / 10)) + FLOOR)
        after *= before.max() / after.max()
        square, step = damage.differences(gains)
        assert square == pytest.approx(((after - before) ** 2).mean(), rel=0.15)
        steps = np.diff(after - before, axis=0)[np.arange(119) % 15 < 13]  # (not where the sound itself changes)
        assert step == pytest.approx((steps**2).mean(), rel=0.35)


def test_gain_where_there_is_no_sound_does_no_damage_to_the_loudness() -> None:
    rng = np.random.default_rng(2)
    picture = _picture(rng)
    labels = np.zeros(picture.shape, np.int32)
    labels[42:48] = 1  # (silent)
    damage = LoudnessDamage([labels], [picture], 2)
    silent, sounding = (damage.loss(gains) for gains in (np.array([0.0, 6.0]), np.array([6.0, 0.0])))
    assert damage.loss(np.zeros(2)) == pytest.approx(0, abs=1e-6)
    assert damage.loss(np.full(2, 6.0)) == pytest.approx(0, abs=1e-6)  # (as loud as before)
    assert silent < 1e-3
    assert sounding < 1e-3  # (the same change, but for the loudness match)


def test_gain_of_the_loudest_moment_costs_more_than_that_of_another() -> None:
    """A score that compares sounds by their loudest moments hears all the rest change."""
    rng = np.random.default_rng(3)
    labels, picture = _blocks(rng), _picture(rng)
    picture[60:66, 110:120] += 2.0
    loudest = labels[62, 114]
    quieter = labels[100, 114]
    labels[60:66, 110:120] = loudest
    damage = LoudnessDamage([labels], [picture], int(labels.max()) + 1)
    one, other = (
        damage.loss(np.where(np.arange(labels.max() + 1) == place, -9.0, 0.0)) for place in (loudest, quieter)
    )
    assert one > 2 * other


def test_share_of_a_field_that_the_sound_bears() -> None:
    rng = np.random.default_rng(5)
    labels, picture = _blocks(rng), _picture(rng)
    damage = LoudnessDamage([labels], [picture], int(labels.max()) + 1)
    field = rng.normal(0, 1.0, int(labels.max()) + 1)
    assert damage.share_within_limit(lambda share: 0.1 * share * field) == 1.0
    share = damage.share_within_limit(lambda share: 12.0 * share * field)
    assert damage.loss(12.0 * field) > 2 * MAX_LOUDNESS_LOSS
    assert 0.8 * MAX_LOUDNESS_LOSS < damage.loss(12.0 * share * field) <= MAX_LOUDNESS_LOSS


def test_silence_is_no_error() -> None:
    rng = np.random.default_rng(4)
    labels = _blocks(rng)
    damage = LoudnessDamage([labels], [np.zeros(labels.shape, np.float32)], int(labels.max()) + 1)
    assert damage.loss(rng.normal(0, 3, int(labels.max()) + 1)) == pytest.approx(0, abs=1e-9)


def test_excerpts_shorter_than_a_step_have_none() -> None:
    labels = [np.zeros((5, N_BANDS), np.int32), np.arange(20 * N_BANDS, dtype=np.int32).reshape(20, -1)]
    _, _, often = steps_of(labels, 20 * N_BANDS, frames=16)
    assert often.sum() == pytest.approx(4 / 25)
