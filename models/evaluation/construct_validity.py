"""Construct validity of the seven features: correlations with human perceptual scales and with each other.

Each scale that corresponds to a feature (`datasets/perceptual.py`) is reversed if necessary, so that a positive
correlation with its feature is expected: articulation as staccato, mode as minor. `brightness` corresponds to none.
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
    """Convergent and discriminant validity of the features against one perceptual scale.

    Attributes
    ----------
    own
        The feature that the scale corresponds to, or None.
    clips
        Number of clips with a rating on the scale.
    r
        Correlation with each feature, by name.
    margin
        Correlation with the corresponding feature less the absolute correlation with each other one, by name; empty
        where the scale corresponds to none.
    """

    own: str | None
    clips: int
    r: dict[str, Estimate]
    margin: dict[str, Estimate]

    @property
    def is_valid(self) -> bool:
        """Whether no other feature correlates significantly more: no margin's interval lies below zero."""
        return all(not margin.high < 0 for margin in self.margin.values())

    @property
    def closest_other(self) -> str | None:
        """The other feature with the smallest margin, None where there is none."""
        return min(self.margin, key=lambda name: self.margin[name].value) if self.margin else None


def perceptual_ratings(clips: Sequence[Clip]) -> Floats:
    """Collect the ratings of clips on the perceptual scales.

    Parameters
    ----------
    clips
        Clips with ratings named `heard_<scale>`, 0..1.

    Returns
    -------
    numpy.ndarray
        [clips, scales], reversed where the scale is opposite to its feature; NaN where there is no rating.
    """
    scales = np.full((len(clips), len(PERCEPTUAL_SCALES)), np.nan)
    for row, clip in enumerate(clips):
        for column, name in enumerate(PERCEPTUAL_SCALES):
            value = clip.ratings.get(f"heard_{name}", np.nan)
            scales[row, column] = 1 - value if SCALE_TO_FEATURE.get(name, ("", 1))[1] < 0 else value
    return scales


def scale_validity(
    predictions: Floats, scales: Floats, groups: Sequence[str], *, seed: int
) -> dict[str, ScaleValidity]:
    """Correlate the predicted features with the perceptual scales.

    Parameters
    ----------
    predictions
        Mid-level features [runs, clips, 7]; correlations are averaged over the runs.
    scales
        Ratings [clips, scales], as `perceptual_ratings` returns them.
    groups
        Group of each clip, for the bootstrap.
    seed
        Of the bootstrap.

    Returns
    -------
    dict of str to ScaleValidity
        By scale; scales with fewer than three rated clips are left out.
    """
    rows = np.flatnonzero((np.isfinite(scales) & np.isfinite(predictions[0, :, :1])).any(1)).tolist()
    if not rows:
        return {}
    predictions, scales = predictions[:, rows], scales[rows]
    weights = bootstrap_weights([groups[row] for row in rows], seed=seed)
    results = {}
    for column, scale in enumerate(PERCEPTUAL_SCALES):
        valid = np.isfinite(scales[:, column]) & np.isfinite(predictions[0, :, 0])
        if valid.sum() < 3:
            continue
        draws = {
            name: np.mean([pearson(weights, run[:, feature], scales[:, column]) for run in predictions], axis=0)
            for feature, name in enumerate(MIDLEVEL)
        }
        own = SCALE_TO_FEATURE[scale][0] if scale in SCALE_TO_FEATURE else None
        margin = (
            {name: percentile_interval(draws[own] - np.abs(r)) for name, r in draws.items() if name != own}
            if own
            else {}
        )
        r = {name: percentile_interval(values) for name, values in draws.items()}
        results[scale] = ScaleValidity(own=own, clips=int(valid.sum()), r=r, margin=margin)
    return results


def feature_correlations(predictions: Floats) -> Floats:
    """Correlate the predicted features with each other over clips.

    Parameters
    ----------
    predictions
        [runs, clips, 7]; clips with a NaN are left out.

    Returns
    -------
    numpy.ndarray
        [7, 7], the mean over the runs.
    """
    complete = [run[np.isfinite(run).all(1)] for run in predictions]
    with np.errstate(divide="ignore", invalid="ignore"):  # a feature that is the same for all clips: NaN
        return np.asarray(np.mean([np.corrcoef(run.T) for run in complete], axis=0))


def closest_pair(correlations: Floats) -> tuple[str, str, float]:
    """Return the names of the two features with the largest absolute correlation, and the correlation."""
    size = np.nan_to_num(np.abs(correlations - np.diag(np.diag(correlations))))
    a, b = np.unravel_index(int(np.argmax(size)), size.shape)
    return MIDLEVEL[int(a)], MIDLEVEL[int(b)], float(correlations[a, b])
