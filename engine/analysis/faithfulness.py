"""Faithfulness of an explanation: insertion and deletion curves (Petsiuk et al., RISE, BMVC 2018).

The segments with the largest positive (or negative) weights for a feature are masked, cut by 6 dB or boosted by 6 dB,
in increasing number, and the network predicts every step; random segments of the same total area are the baseline.
The further a curve is from the baseline, the more faithful is the explanation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import CLIP_FRAMES, MIDLEVEL
from ...models.inference.checkpoint import Model
from ...models.network.spectrogram import apply_gain_db
from ..explain.perturbation import BATCH_SIZE, GAIN_DB, AnalysisWindow, cut_window
from .analysis import Analysis

CHANGES: Final = ("hide", "cut", "boost")
SIDES: Final = ("for", "against")
LARGEST_SHARE: Final = 0.4
"""Largest fraction of the area that is changed."""
STEPS: Final = 12
"""Number of points of a curve after the first."""
DRAWS: Final = 16
"""Number of random orders of the baseline."""

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FaithfulnessCurve:
    """Prediction of one feature while an increasing number of its segments is changed.

    Attributes
    ----------
    feature
        Name of the feature.
    side
        "for": segments with positive weight; "against": with negative weight.
    change
        "hide", "cut" or "boost".
    fractions
        Fraction of the excerpt's area that is changed, ascending from 0, [n].
    predictions
        Of the feature, 0..1, [n].
    random_mean, random_low, random_high
        The same for random segments of the same area: mean, and 2.5th and 97.5th percentile of the draws, [n].
    """

    feature: str
    side: str
    change: str
    fractions: Floats
    predictions: Floats
    random_mean: Floats
    random_low: Floats
    random_high: Floats

    @property
    def area_above_random(self) -> float:
        """Mean distance between the curve and the mean of the random baseline, in units of the prediction.

        Positive where the prediction moves in the direction that the explanation implies.
        """
        if len(self.fractions) < 2:
            return 0.0
        direction = (1 if self.side == "for" else -1) * (1 if self.change == "boost" else -1)
        area = np.trapezoid(direction * (self.predictions - self.random_mean), self.fractions)
        return float(area / self.fractions[-1])


def faithfulness_curves(
    spectrogram: FloatArray,
    analysis: Analysis,
    model: Model,
    features: Sequence[str] = MIDLEVEL,
    *,
    frames: tuple[int, int] | None = None,
    changes: Sequence[str] = CHANGES,
    steps: int = STEPS,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[FaithfulnessCurve]:
    """Compute the curves of every feature, side and change.

    Parameters
    ----------
    spectrogram
        Of the whole track, [frames, bands].
    analysis
        The explanation.
    model
        The model that is explained.
    features
        Names of features.
    frames
        The excerpt, as first and last (exclusive) frame; None for the whole track. Predictions are the mean of the
        outputs of the excerpt, whose receptive fields reach beyond it.
    changes
        Any of "hide", "cut" and "boost".
    steps
        Number of points of a curve after the first, up to LARGEST_SHARE of the area. Segments are taken in order of
        their weight as long as it has the right sign.
    draws
        Number of random orders of the baseline, the same for all features.
    seed
        Of the random orders.

    Returns
    -------
    list of FaithfulnessCurve
        By change, feature and side.
    """
    geometry = model.network.geometry
    first, last = frames or (0, len(spectrogram))
    first_position, last_position = first // geometry.stride, geometry.positions(last)
    excerpt = cut_window(spectrogram, analysis.segments, model, first_position, last_position)
    areas = np.bincount(excerpt.rows.ravel(), minlength=len(excerpt.segments))
    grid = np.linspace(0, LARGEST_SHARE, steps + 1)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(areas)) for _ in range(draws)]
    random_sets = np.stack([sets_by_area(areas, order, grid) for order in orders])  # [draws, steps + 1, segments]
    ranked = {}
    for feature in features:
        weights = analysis.weights[excerpt.segments, MIDLEVEL.index(feature)]
        for side, strength in zip(SIDES, (weights, -weights), strict=True):
            ranked[feature, side] = _strongest_sets(areas, strength, grid)
    curves = []
    for change in changes:
        predictions = _predict_sets(
            excerpt, np.concatenate([random_sets.reshape(-1, len(areas)), *ranked.values()]), model, change
        )
        random, remaining = np.split(predictions, [draws * (steps + 1)])
        random = random.reshape(draws, steps + 1, -1)  # [draws, steps + 1, 7]
        for (feature, side), sets in ranked.items():
            ordered, remaining = np.split(remaining, [len(sets)])
            curves.append(_curve(feature, side, change, areas, sets, ordered, random, random_sets))
    return curves


def sets_by_area(areas: npt.NDArray[np.integer], order: npt.NDArray[np.integer], fractions: Floats) -> Bits:
    """Return sets of segments whose area is about a given fraction of the total.

    Parameters
    ----------
    areas
        Pixels of each segment, [segments].
    order
        Segments are added in this order; one that no longer fits is skipped.
    fractions
        Of the total area, 0..1, [n].

    Returns
    -------
    numpy.ndarray
        bool [n, segments].
    """
    sets = np.zeros((len(fractions), len(areas)), bool)
    for row, remaining in zip(sets, np.asarray(fractions) * areas.sum(), strict=True):
        for segment in order:
            if areas[segment] <= remaining:
                row[segment] = True
                remaining -= areas[segment]
    return sets


def _strongest_sets(areas: npt.NDArray[np.integer], strength: FloatArray, fractions: Floats) -> Bits:
    """For each fraction of the area the k strongest segments of positive strength whose area is nearest to it."""
    order = np.argsort(-strength, kind="stable")[: np.count_nonzero(strength > 0)]
    covered = np.concatenate([[0], np.cumsum(areas[order])]) / areas.sum()
    counts = np.unique(np.abs(covered[:, None] - fractions).argmin(0))
    sets = np.zeros((len(counts), len(areas)), bool)
    for row, count in zip(sets, counts, strict=True):
        row[order[:count]] = True
    return sets


def _predict_sets(excerpt: AnalysisWindow, sets: Bits, model: Model, change: str) -> Floats:
    """Predict the features [sets, 7] of the excerpt with the segments of each set [sets, segments] changed."""
    original = torch.from_numpy(excerpt.spectrogram)
    versions = {
        "hide": torch.zeros_like(original),
        "cut": apply_gain_db(original, -GAIN_DB),
        "boost": apply_gain_db(original, GAIN_DB),
    }
    original, changed = original.to(model.device), versions[change].to(model.device)
    segment_index = excerpt.segment_index(model.device)
    batch_size = max(1, BATCH_SIZE * CLIP_FRAMES // len(excerpt.labels))  # memory does not grow with the length
    predictions = []
    with torch.inference_mode():
        for start in range(0, len(sets), batch_size):
            bits = torch.from_numpy(sets[start : start + batch_size]).to(model.device)
            is_changed = bits.index_select(1, segment_index).view(-1, *original.shape)
            local = model.network.local(excerpt.padded(torch.where(is_changed, changed, original)))
            predictions.append(local.mean((2, 3), dtype=torch.float64).cpu().numpy())
    return np.concatenate(predictions)


def _curve(
    feature: str,
    side: str,
    change: str,
    areas: npt.NDArray[np.integer],
    sets: Bits,
    predictions: Floats,
    random: Floats,
    random_sets: Bits,
) -> FaithfulnessCurve:
    """One curve; the baseline is interpolated at the areas of the curve's sets.

    `predictions` [sets, 7] and `random` [draws, steps + 1, 7] are those of `sets` and `random_sets`.
    """
    column = MIDLEVEL.index(feature)
    fractions = (sets * areas).sum(1) / areas.sum()
    random_fractions = (random_sets * areas).sum(2) / areas.sum()  # [draws, steps + 1]
    values = np.stack([np.interp(fractions, x, y[:, column]) for x, y in zip(random_fractions, random, strict=True)])
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return FaithfulnessCurve(
        feature=feature,
        side=side,
        change=change,
        fractions=fractions,
        predictions=predictions[:, column],
        random_mean=values.mean(0),
        random_low=low,
        random_high=high,
    )
