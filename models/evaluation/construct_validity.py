"""Whether the seven features mean what they are called: against human perceptual scales, and against each other.

Each scale that speaks for a feature (batches.HEARD_AS) is turned so that a positive correlation with its feature is
right: articulation as staccato, mode as minor. `brightness` speaks for none of the seven and is shown for what it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats
from ..common.constants import MIDLEVEL
from ..datasets.perceptual import PERCEPTUAL_SCALES, SCALE_TO_FEATURE
from ..datasets.table import Clip
from .bootstrap import Estimate, bootstrap_weights, pearson, percentile_interval


@dataclass(frozen=True)
class ScaleValidity:
    """How one human scale goes with the seven features.

    own: the feature it stands for, None for a scale that stands for none. r: signed correlation with each feature.
    margin: r of its own feature less the size of r of each other one; `holds` while the interval of none lies
    wholly below zero.
    """

    own: str | None
    clips: int
    r: dict[str, Estimate]
    margin: dict[str, Estimate]

    @property
    def is_valid(self) -> bool:
        return all(not margin.high < 0 for margin in self.margin.values())

    @property
    def closest_other(self) -> str | None:
        """The feature with the smallest margin."""
        return min(self.margin, key=lambda name: self.margin[name].value) if self.margin else None


def perceptual_ratings(clips: Sequence[Clip]) -> Floats:
    """Human ratings of the clips on the PERCEPTUAL scales, turned: [clips, 7], NaN where there is none."""
    scales = np.full((len(clips), len(PERCEPTUAL_SCALES)), np.nan)
    for row, clip in enumerate(clips):
        for column, name in enumerate(PERCEPTUAL_SCALES):
            value = clip.ratings.get(f"heard_{name}", np.nan)
            scales[row, column] = 1 - value if SCALE_TO_FEATURE.get(name, ("", 1))[1] < 0 else value
    return scales


def scale_validity(said: Floats, scales: Floats, groups: Sequence[str], *, seed: int) -> dict[str, ScaleValidity]:
    """What each scale goes with. said: mid-levels [runs, clips, 7]; scales: [clips, 7] as `heard_scales`."""
    rows = np.flatnonzero((np.isfinite(scales) & np.isfinite(said[0, :, :1])).any(1)).tolist()
    if not rows:
        return {}
    said, scales = said[:, rows], scales[rows]
    weights = bootstrap_weights([groups[row] for row in rows], seed=seed)
    found = {}
    for column, scale in enumerate(PERCEPTUAL_SCALES):
        counted = np.isfinite(scales[:, column]) & np.isfinite(said[0, :, 0])
        if counted.sum() < 3:
            continue
        draws = {
            name: np.mean([pearson(weights, run[:, feature], scales[:, column]) for run in said], axis=0)
            for feature, name in enumerate(MIDLEVEL)
        }
        own = SCALE_TO_FEATURE[scale][0] if scale in SCALE_TO_FEATURE else None
        margin = (
            {name: percentile_interval(draws[own] - np.abs(r)) for name, r in draws.items() if name != own}
            if own
            else {}
        )
        r = {name: percentile_interval(values) for name, values in draws.items()}
        found[scale] = ScaleValidity(own=own, clips=int(counted.sum()), r=r, margin=margin)
    return found


def feature_correlations(said: Floats) -> Floats:
    """Correlations [7, 7] of the features with each other over clips, mean of the runs. said: [runs, clips, 7]."""
    kept = [run[np.isfinite(run).all(1)] for run in said]
    return np.asarray(np.mean([np.corrcoef(run.T) for run in kept], axis=0))


def closest_pair(correlations: Floats) -> tuple[str, str, float]:
    """The two features that are most alike, and their correlation."""
    size = np.abs(correlations - np.diag(np.diag(correlations)))
    a, b = np.unravel_index(int(np.nanargmax(size)), size.shape)
    return MIDLEVEL[int(a)], MIDLEVEL[int(b)], float(correlations[a, b])
