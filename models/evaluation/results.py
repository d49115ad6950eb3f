"""The evaluation of a model: from predictions and ratings to one record of all metrics."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..common.arrays import Floats
from ..common.constants import EMOTIONS, MIDLEVEL
from ..datasets.digests import short_digest
from ..datasets.table import Clip, SweepClip
from ..training.cross_validation import FoldEnsemble
from .bootstrap import Estimate
from .by_dataset import DatasetAgreement, agreement_by_dataset
from .construct_validity import ScaleValidity, closest_pair, feature_correlations, perceptual_ratings, scale_validity
from .metrics import RegressionMetrics, column_correlations, compute_metrics
from .parameter_sweeps import SweepResponse, label_correlations, sweep_responses
from .robustness import OUTPUT_NAMES, REFERENCE, RobustnessResult, robustness


@dataclass(frozen=True)
class EvaluationInputs:
    """Predictions and ratings to evaluate. Predictions have 15 columns: seven features, eight emotions.

    Attributes
    ----------
    clips
        The rated recordings.
    predictions
        Predictions of the clips, [runs, clips, 15].
    rated
        Ratings by target set, as `ClipDataset.targets`.
    sweep_clips
        Synthetic music that no network was trained on.
    sweep_predictions
        Its predictions, [networks, sweep clips, 15].
    out_of_domain
        Predictions of out-of-domain sounds by name, [networks, 15].
    perturbed
        Predictions of perturbed audio by name of the perturbation, [runs, some clips, 15].
    perturbed_rows
        Indices of those clips.
    model_predictions
        Predictions of a model that is shown next to a cross-validation, [1, clips, 15]; it may be trained on these
        clips, so it is never compared with the ratings.
    datasets
        Name of the data set of each clip; empty for one without a name.
    """

    clips: Sequence[Clip]
    predictions: Floats
    rated: Mapping[str, Floats]
    sweep_clips: Sequence[SweepClip] = ()
    sweep_predictions: Floats = field(default_factory=lambda: np.zeros((1, 0, len(OUTPUT_NAMES))))
    out_of_domain: Mapping[str, Floats] = field(default_factory=dict)
    perturbed: Mapping[str, Floats] = field(default_factory=dict)
    perturbed_rows: Sequence[int] = ()
    model_predictions: Floats | None = None
    datasets: Sequence[str] = ()

    @property
    def complete_rows(self) -> list[int]:
        """Indices of the complete recordings: neither excerpts of another rating study nor synthetic music."""
        rows = [i for i, c in enumerate(self.clips) if not any(n.startswith(("heard_", "known_")) for n in c.ratings)]
        return rows or list(range(len(self.clips)))


@dataclass(frozen=True)
class EvaluationResults:
    """The metrics of an evaluation. The names of the fields are keys of record.json, so they do not change.

    Attributes
    ----------
    emotions, midlevel
        Agreement with the ratings, by name and `mean` (`metrics.py`).
    scales
        Validity of the features, by perceptual scale (`construct_validity.py`).
    between
        Correlations of the features with each other on complete recordings, [7][7].
    closest
        The two most correlated features, and their correlation.
    model_between, model_closest
        The same for the model that is shown next to a cross-validation.
    known
        Correlation with the labels of synthetic music, by feature.
    turned
        Response to parameter sweeps, by kind of music and parameter (`parameter_sweeps.py`).
    usual
        5th, 50th and 95th percentile of each output over complete recordings (of that model, if there is one).
    unusual
        Mean prediction of each output by out-of-domain sound.
    moved
        Effect of each perturbation (`robustness.py`).
    moved_r
        Mean correlation of the emotions with the ratings, by perturbation.
    by_dataset
        Agreement with the ratings of each data set, within genres and between them (`by_dataset.py`).
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
    by_dataset: list[DatasetAgreement] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return the results as JSON-serialisable values: numbers to five decimals, undefined ones as None."""
        values: dict[str, Any] = to_json(dataclasses.asdict(self))
        return values


def evaluate(inputs: EvaluationInputs, *, seed: int) -> EvaluationResults:
    """Compute all metrics that the inputs allow; the others are empty.

    Parameters
    ----------
    inputs
        Predictions and ratings.
    seed
        Of the bootstrap.
    """
    groups = [clip.group for clip in inputs.clips]
    midlevel, emotions = inputs.predictions[:, :, :7], inputs.predictions[:, :, 7:]
    whole = inputs.predictions[:, inputs.complete_rows]
    between = feature_correlations(whole[:, :, :7])
    model = None if inputs.model_predictions is None else inputs.model_predictions[:, inputs.complete_rows]
    model_between = None if model is None else feature_correlations(model[:, :, :7])
    usual = np.nanpercentile(whole if model is None else model, [5, 50, 95], axis=(0, 1)).T  # [15, 3]
    labels = np.array(
        [[clip.clip.ratings.get(f"known_{n}", np.nan) for n in MIDLEVEL] for clip in inputs.sweep_clips]
    )
    series_groups = [clip.clip.group for clip in inputs.sweep_clips]
    series_midlevel = inputs.sweep_predictions[:, :, :7]
    return EvaluationResults(
        emotions=compute_metrics(emotions, inputs.rated["emotions"], groups, EMOTIONS, seed=seed),
        midlevel=compute_metrics(midlevel, inputs.rated["midlevel"], groups, MIDLEVEL, seed=seed),
        scales=scale_validity(midlevel, perceptual_ratings(inputs.clips), groups, seed=seed),
        between=between.tolist(),
        closest=closest_pair(between),
        model_between=None if model_between is None else model_between.tolist(),
        model_closest=None if model_between is None else closest_pair(model_between),
        known=label_correlations(series_midlevel, labels, series_groups, seed=seed) if len(labels) else {},
        turned=_sweep_responses(inputs.sweep_clips, series_midlevel, labels, seed=seed),
        usual={name: tuple(row) for name, row in zip(OUTPUT_NAMES, usual.tolist(), strict=True)},
        unusual={
            name: dict(zip(OUTPUT_NAMES, predictions.mean(0).tolist(), strict=True))
            for name, predictions in inputs.out_of_domain.items()
        },
        moved={
            name: robustness(inputs.perturbed[REFERENCE], predictions)
            for name, predictions in inputs.perturbed.items()
            if name != REFERENCE and np.isfinite(predictions).all((0, 2)).sum() >= 3
        },
        moved_r=_perturbed_r(inputs),
        by_dataset=agreement_by_dataset(
            inputs.clips, inputs.datasets or [""] * len(inputs.clips), emotions, inputs.rated
        ),
    )


def _sweep_responses(
    series: Sequence[SweepClip], midlevel: Floats, labels: Floats, *, seed: int
) -> dict[str, dict[str, SweepResponse]]:
    """Responses to the parameter sweeps: of all music ("all") and, if there are several, of each kind."""
    kinds = sorted({clip.kind for clip in series if clip.quality and clip.kind})
    results = {}
    for kind in ["all", *(kinds if len(kinds) > 1 else [])]:
        rows = [i for i, clip in enumerate(series) if kind in ("all", clip.kind)]
        qualities, names = ([getattr(series[i], attribute) for i in rows] for attribute in ("quality", "series"))
        if any(qualities):
            groups = [series[i].clip.group for i in rows]
            results[kind] = sweep_responses(midlevel[:, rows], labels[rows], qualities, names, groups, seed=seed)
    return results


def _perturbed_r(inputs: EvaluationInputs) -> dict[str, float]:
    """Mean correlation of the emotions with the ratings, by perturbation, over clips that have all perturbations."""
    rows = list(inputs.perturbed_rows)
    rated = inputs.rated["emotions"][rows]
    predicted = [np.isfinite(predictions).all((0, 2)) for predictions in inputs.perturbed.values()]
    valid = np.all(predicted, axis=0) if predicted else np.zeros(0, bool)
    if valid.sum() < 3 or not np.isfinite(rated[valid]).any():
        return {}
    return {
        name: float(np.nanmean([column_correlations(run[valid, 7:], rated[valid]) for run in predictions]))
        for name, predictions in inputs.perturbed.items()
    }


def per_fold(inputs: EvaluationInputs, ensemble: FoldEnsemble) -> list[dict[str, Any]]:
    """Correlations of the emotions in each test fold, so that two evaluations can be compared fold by fold.

    Parameters
    ----------
    inputs
        Predictions and ratings.
    ensemble
        The networks of the cross-validation, with the clips that each was tested on.

    Returns
    -------
    list of dict
        Keys `seed`, `part` (number of the fold), `clips`, `clips_are` (a digest of the ratings, equal in two
        evaluations if the fold is the same), `r` by emotion, and `mean_r`.
    """
    results = []
    rated = inputs.rated["emotions"]
    for run, models in enumerate(ensemble.runs):
        for model in models:
            rows = [row for row in model.tested if np.isfinite(rated[row]).any()]
            r = column_correlations(inputs.predictions[run, rows, 7:], rated[rows])
            if np.isfinite(r).any():
                clips_are = short_digest(to_json(rated[rows].astype(float).tolist()))
                results.append({"seed": model.seed, "part": model.part, "clips": len(rows), "clips_are": clips_are})
                results[-1]["r"] = to_json(dict(zip(EMOTIONS, r.tolist(), strict=True)))
                results[-1]["mean_r"] = round(float(np.nanmean(r)), 5)
    return results


def to_json(value: Any) -> Any:  # noqa: ANN401
    """Convert nested values to JSON-serialisable ones: floats to five decimals, None for NaN and infinity."""
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value
