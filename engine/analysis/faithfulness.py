"""Insertion and deletion curves: does the network move as the explanation says when its strongest segments change?

The segments that speak most strongly for (or against) a feature are hidden, cut by 6 dB or boosted by 6 dB, more and
more of them, and the network hears every step; the same is done with random segments of the same total area (Petsiuk
et al. 2018, RISE). A good explanation is far from random.
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
from ...models.network.spectrogram import amplify
from ..explain.perturbation import BATCH_SIZE, GAIN_DB, AnalysisWindow, cut_window
from .analysis import Analysis

CHANGES: Final = ("hide", "cut", "boost")
SIDES: Final = ("for", "against")
LARGEST_SHARE: Final = 0.4
"""Share of the area up to which segments are changed."""
STEPS: Final = 12
DRAWS: Final = 16

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FaithfulnessCurve:
    """What the network says of one feature while more and more of its segments change.

    side: "for" or "against", whose segments. change: one of CHANGES. fractions: [n] share of the stretch's area that
    is changed, rising from 0; predictions: [n] of the feature, 0..1. random_mean, random_low, random_high: [n] the
    same for random segments of the same area, mean and the band that holds 95 % of the draws.
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
        """Area between the curve and random's mean, divided by the width: how much further it moves on average.

        In units of the prediction; positive where the curve goes the way that the explanation says.
        """
        if len(self.fractions) < 2:
            return 0.0
        way = (1 if self.side == "for" else -1) * (1 if self.change == "boost" else -1)
        area = np.trapezoid(way * (self.predictions - self.random_mean), self.fractions)
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
    """Curves of every feature, side and change over the frames [first, last) of a track (all of it without).

    spectrogram is the whole track's [frames, bands]. The network hears the stretch with what lies around it. Segments
    go from the strongest on, as long as their weight is of the right sign, up to LARGEST_SHARE of the area in `steps`
    steps; random segments come in `draws` orders, the same for all features.
    """
    geometry = model.network.geometry
    first, last = frames or (0, len(spectrogram))
    first_position, last_position = first // geometry.stride, geometry.positions(last)
    stretch = cut_window(spectrogram, analysis.segments, model, first_position, last_position)
    areas = np.bincount(stretch.rows.ravel(), minlength=len(stretch.segments))
    grid = np.linspace(0, LARGEST_SHARE, steps + 1)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(areas)) for _ in range(draws)]
    drawn = np.stack([sets_by_area(areas, order, grid) for order in orders])  # [draws, steps + 1, segments]
    ranked = {}
    for feature in features:
        weights = analysis.weights[stretch.segments, MIDLEVEL.index(feature)]
        for side, strength in zip(SIDES, (weights, -weights), strict=True):
            ranked[feature, side] = _strongest(areas, strength, grid)
    curves = []
    for change in changes:
        heard = _predicted(stretch, np.concatenate([drawn.reshape(-1, len(areas)), *ranked.values()]), model, change)
        random, own = np.split(heard, [draws * (steps + 1)])
        random = random.reshape(draws, steps + 1, -1)  # [draws, steps + 1, 7]
        for (feature, side), sets in ranked.items():
            mine, own = np.split(own, [len(sets)])
            curves.append(_curve(feature, side, change, areas, sets, mine, random, drawn))
    return curves


def sets_by_area(areas: npt.NDArray[np.integer], order: npt.NDArray[np.integer], shares: Floats) -> Bits:
    """Sets of segments [shares, segments] of about those shares of the whole area.

    For each share, the segments are taken in their order, and one that no longer fits is passed over.
    """
    sets = np.zeros((len(shares), len(areas)), bool)
    for row, room in zip(sets, np.asarray(shares) * areas.sum(), strict=True):
        for segment in order:
            if areas[segment] <= room:
                row[segment] = True
                room -= areas[segment]
    return sets


def _strongest(areas: npt.NDArray[np.integer], strength: FloatArray, shares: Floats) -> Bits:
    """The k strongest segments of positive strength, k such that their area comes nearest to each share."""
    order = np.argsort(-strength, kind="stable")[: np.count_nonzero(strength > 0)]
    covered = np.concatenate([[0], np.cumsum(areas[order])]) / areas.sum()
    counts = np.unique(np.abs(covered[:, None] - shares).argmin(0))
    sets = np.zeros((len(counts), len(areas)), bool)
    for row, count in zip(sets, counts, strict=True):
        row[order[:count]] = True
    return sets


def _predicted(stretch: AnalysisWindow, changed: Bits, model: Model, change: str) -> Floats:
    """Mid-levels [sets, 7] of the stretch with the segments of each set [sets, segments] changed."""
    plain = torch.from_numpy(stretch.spectrogram)
    others = {
        "hide": torch.zeros_like(plain),
        "cut": amplify(plain, -GAIN_DB),
        "boost": amplify(plain, GAIN_DB),
    }
    plain, other = plain.to(model.device), others[change].to(model.device)
    places = stretch.segment_index(model.device)
    at_once = max(1, BATCH_SIZE * CLIP_FRAMES // len(stretch.labels))  # a long stretch needs no more memory
    heard = []
    with torch.inference_mode():
        for start in range(0, len(changed), at_once):
            bits = torch.from_numpy(changed[start : start + at_once]).to(model.device)
            where = bits.index_select(1, places).view(-1, *plain.shape)
            local = model.network.local(stretch.padded(torch.where(where, other, plain)))
            heard.append(local.mean((2, 3), dtype=torch.float64).cpu().numpy())
    return np.concatenate(heard)


def _curve(
    feature: str,
    side: str,
    change: str,
    areas: npt.NDArray[np.integer],
    sets: Bits,
    predictions: Floats,
    random: Floats,
    drawn: Bits,
) -> FaithfulnessCurve:
    """Random's values are read between its steps at the areas that the curve's own segments have."""
    column = MIDLEVEL.index(feature)
    fractions = (sets * areas).sum(1) / areas.sum()
    at_random = (drawn * areas).sum(2) / areas.sum()  # [draws, steps + 1]
    values = np.stack([np.interp(fractions, x, y[:, column]) for x, y in zip(at_random, random, strict=True)])
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
