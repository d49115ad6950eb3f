"""Everything an evaluation finds out, from predictions and ratings to one record."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..common.arrays import Floats
from ..common.constants import EMOTIONS, MIDLEVEL
from ..common.digests import short_digest
from ..datasets.table import Clip, SweepClip
from ..training.cross_validation import FoldEnsemble
from .bootstrap import Estimate
from .construct_validity import ScaleValidity, closest_pair, feature_correlations, perceptual_ratings, scale_validity
from .metrics import RegressionMetrics, column_correlations, compute_metrics
from .parameter_sweeps import SweepResponse, label_correlations, sweep_responses
from .robustness import OUTPUT_NAMES, REFERENCE, RobustnessResult, robustness


@dataclass(frozen=True)
class EvaluationInputs:
    """What was said and what is so. said: all 15 outputs, mid-levels first, of each run.

    clips: the rated recordings; said: [runs, clips, 15]; rated: by head, see Material.targets.
    series: music of known qualities that no judge has heard; series_said: [judges, series clips, 15].
    unusual: by name, [judges, 15]. disturbed: by name, [runs, some clips, 15], and which clips they are.
    model_said: what a model beside a cross-validation says of the clips, [1, clips, 15]; never held against ratings.
    """

    clips: Sequence[Clip]
    said: Floats
    rated: Mapping[str, Floats]
    series: Sequence[SweepClip] = ()
    series_said: Floats = field(default_factory=lambda: np.zeros((1, 0, len(OUTPUT_NAMES))))
    unusual: Mapping[str, Floats] = field(default_factory=dict)
    disturbed: Mapping[str, Floats] = field(default_factory=dict)
    disturbed_rows: Sequence[int] = ()
    model_said: Floats | None = None

    @property
    def whole(self) -> list[int]:
        """Rows of the recordings themselves: neither excerpts for another study nor rendered music."""
        own = [i for i, c in enumerate(self.clips) if not any(n.startswith(("heard_", "known_")) for n in c.ratings)]
        return own or list(range(len(self.clips)))


@dataclass(frozen=True)
class EvaluationResults:
    """See the modules that each part comes from; `between`: correlations [7][7] of the features on whole clips.

    model_between, model_closest: the same of a model beside a cross-validation. usual: 5, 50 and 95 percent of each
    output over whole clips (that model's, if there is one); unusual: mean over the judges of each output.
    moved_r: mean r of the emotions with the ratings, by disturbance.
    """

    emotions: dict[str, RegressionMetrics]
    midlevel: dict[str, RegressionMetrics]
    scales: dict[str, ScaleValidity]
    between: list[list[float]]
    closest: tuple[str, str, float]
    model_between: list[list[float]] | None
    model_closest: tuple[str, str, float] | None
    known: dict[str, Estimate]
    turned: dict[str, dict[str, SweepResponse]]
    usual: dict[str, tuple[float, float, float]]
    unusual: dict[str, dict[str, float]]
    moved: dict[str, RobustnessResult]
    moved_r: dict[str, float]

    def record(self) -> dict[str, Any]:
        """The same as JSON can hold it, numbers to five decimals, undefined ones as null."""
        values: dict[str, Any] = to_json(dataclasses.asdict(self))
        return values


def evaluate(evidence: EvaluationInputs, *, seed: int) -> EvaluationResults:
    """Work out everything that the evidence allows; what it does not is empty."""
    groups = [clip.group for clip in evidence.clips]
    midlevel, emotions = evidence.said[:, :, :7], evidence.said[:, :, 7:]
    whole = evidence.said[:, evidence.whole]
    between = feature_correlations(whole[:, :, :7])
    models = None if evidence.model_said is None else evidence.model_said[:, evidence.whole]
    model_between = None if models is None else feature_correlations(models[:, :, :7])
    usual = np.nanpercentile(whole if models is None else models, [5, 50, 95], axis=(0, 1)).T  # [15, 3]
    known = np.array([[one.clip.ratings.get(f"known_{n}", np.nan) for n in MIDLEVEL] for one in evidence.series])
    series_groups = [one.clip.group for one in evidence.series]
    heard = evidence.series_said[:, :, :7]
    return EvaluationResults(
        emotions=compute_metrics(emotions, evidence.rated["emotions"], groups, EMOTIONS, seed=seed),
        midlevel=compute_metrics(midlevel, evidence.rated["midlevel"], groups, MIDLEVEL, seed=seed),
        scales=scale_validity(midlevel, perceptual_ratings(evidence.clips), groups, seed=seed),
        between=between.tolist(),
        closest=closest_pair(between),
        model_between=None if model_between is None else model_between.tolist(),
        model_closest=None if model_between is None else closest_pair(model_between),
        known=label_correlations(heard, known, series_groups, seed=seed) if len(known) else {},
        turned=_turned(evidence.series, heard, known, seed=seed),
        usual={name: tuple(row) for name, row in zip(OUTPUT_NAMES, usual.tolist(), strict=True)},
        unusual={
            name: dict(zip(OUTPUT_NAMES, said.mean(0).tolist(), strict=True))
            for name, said in evidence.unusual.items()
        },
        moved={
            name: robustness(evidence.disturbed[REFERENCE], said)
            for name, said in evidence.disturbed.items()
            if name != REFERENCE and np.isfinite(said).all((0, 2)).sum() >= 3
        },
        moved_r=_moved_r(evidence),
    )


def _turned(
    series: Sequence[SweepClip], heard: Floats, known: Floats, *, seed: int
) -> dict[str, dict[str, SweepResponse]]:
    """By kind of music, and `all` of it."""
    kinds = sorted({one.kind for one in series if one.quality and one.kind})
    found = {}
    for kind in ["all", *(kinds if len(kinds) > 1 else [])]:
        rows = [i for i, one in enumerate(series) if kind in ("all", one.kind)]
        qualities, names = ([getattr(series[i], part) for i in rows] for part in ("quality", "series"))
        if any(qualities):
            groups = [series[i].clip.group for i in rows]
            found[kind] = sweep_responses(heard[:, rows], known[rows], qualities, names, groups, seed=seed)
    return found


def _moved_r(evidence: EvaluationInputs) -> dict[str, float]:
    """Mean r of the rated emotions, over runs, among the clips that every disturbance could be done to."""
    rows = list(evidence.disturbed_rows)
    rated = evidence.rated["emotions"][rows]
    both = [np.isfinite(said).all((0, 2)) for said in evidence.disturbed.values()]
    counted = np.all(both, axis=0) if both else np.zeros(0, bool)
    if counted.sum() < 3 or not np.isfinite(rated[counted]).any():
        return {}
    return {
        name: float(np.nanmean([column_correlations(run[counted, 7:], rated[counted]) for run in said]))
        for name, said in evidence.disturbed.items()
    }


def per_fold(evidence: EvaluationInputs, jury: FoldEnsemble) -> list[dict[str, Any]]:
    """r of the emotions within each part that was tested, so that two ways of training can be compared part by part.

    clips_are names the part: the same in two records where the same ratings were predicted.
    """
    found = []
    rated = evidence.rated["emotions"]
    for run, judges in enumerate(jury.runs):
        for judge in judges:
            rows = [row for row in judge.tested if np.isfinite(rated[row]).any()]
            r = column_correlations(evidence.said[run, rows, 7:], rated[rows])
            if np.isfinite(r).any():
                clips_are = short_digest(to_json(rated[rows].astype(float).tolist()))
                found.append({"seed": judge.seed, "part": judge.part, "clips": len(rows), "clips_are": clips_are})
                found[-1]["r"] = to_json(dict(zip(EMOTIONS, r.tolist(), strict=True)))
                found[-1]["mean_r"] = round(float(np.nanmean(r)), 5)
    return found


def to_json(value: Any) -> Any:  # noqa: ANN401
    """Numbers to five decimals, None for what is not a finite number."""
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value
