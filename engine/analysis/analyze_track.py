"""Makes the analysis of a track: explains it window by window, selects segments, decouples the faders.

This is the explanation of Haunschmid et al. (2019), extended from ten seconds to whole tracks.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import CLIP_FRAMES
from ...models.common.progress import progress_span
from ...models.inference.checkpoint import Model
from ...models.inference.heap import return_freed_memory
from ...models.inference.predictor import TorchPredictor
from ...models.inference.threads import one_blas_thread, torch_threads, worker_threads
from ...models.network.spectrogram import TorchFourier
from ..audio.track import Track
from ..excerpts.segment_predictions import SegmentPredictions
from ..excerpts.stretches import (
    WHOLE_S,
    WIDE_S,
    Excerpt,
    few_stretches,
    placed_excerpts,
    spread_stretches,
    wide_stretches,
)
from ..explain import expected_gradients, lime
from ..explain.effect_sums import Checkpoints, EffectSums
from ..explain.lime import SegmentEffects
from ..explain.perturbation import AnalysisWindow, cut_window, perturbation_per_db
from ..explain.significance import expected_lime_p_values, is_significant, mask_weights
from ..segmenting.segmented_track import SEGMENTED, SegmentedTrack, segmented_track
from ..segmenting.subsegments import DividedSegments, divide_segments
from ..steering.faders.masks import DecoupledFaders, decoupled_faders
from ..steering.faders.segment_excerpts import FaderInputs, WholeTrack, whole_track_slopes
from ..steering.faders.slope_fields import divided_by_size
from ..steering.listeners import own_listeners
from .analysis import CLIP_SECONDS, Analysis
from .prediction import predict_spectrograms, predict_track
from .settings import AnalysisSettings, estimator_module
from .surrogate import segment_slopes

_EXPLAINING: Final = 0.9
"""Fraction of the progress that is the explanation, where the faders are decoupled after it."""
_POSITIONS_AT_ONCE: Final = 256
"""Of the whole track, where its faders are measured: a tenth quicker than 128, whose windows overlap more."""


def analyze_track(
    track: Track,
    model: Model,
    settings: AnalysisSettings,
    *,
    partial: Path | None = None,
    progress: Callable[[float], None] | None = None,
    segmented: SegmentedTrack | None = None,
) -> Analysis:
    """Explain a track.

    The output positions of the network are divided into windows, each with its own random numbers. The effect of a
    segment is the sum of its effects on all windows, so there are no seams: every local output is explained once,
    with its whole receptive field. Silent ends of the track are left out.

    Parameters
    ----------
    track
        The track.
    model
        The model to explain.
    settings
        How.
    partial
        Checkpoint file for this track, model and settings, written every 30 s. If it exists, the analysis is resumed,
        with the same result to the bit.
    progress
        Called with the fraction done, 0..1.
    segmented
        What `segmented_track` gives of this track and these settings, where that is there already.

    Returns
    -------
    Analysis
        Not yet stored. On one machine, the same arguments and number of threads give the same arrays to the bit. With
        another number of threads the segments are the same and the effects equal but for rounding (a thousandth of
        the largest effect on a feature): how a processor sums can depend on the number.
    """
    spectrogram, labels = segmented or segmented_track(track, method=settings.segmentation, progress=progress)
    with worker_threads() as pool:
        return _analyze(track, spectrogram, labels, model, settings, pool, partial, progress)


def _analyze(
    track: Track,
    spectrogram: FloatArray,
    labels: Labels,
    model: Model,
    settings: AnalysisSettings,
    pool: Executor,
    partial: Path | None,
    progress: Callable[[float], None] | None,
) -> Analysis:
    # (a draft is to be there in seconds; the full analysis after it keeps the prediction)
    draft = settings.quality == "draft"
    prediction = None if draft else pool.submit(predict_track, track, model)
    # What the faders need is made while the track is explained.
    pending = (
        None if settings.coupled else pool.submit(_fader_inputs, track, spectrogram, labels, model, by_all=not draft)
    )
    sums = _explain(track, spectrogram, labels, model, settings, pool, partial, progress)
    measured_p = lime.p_values(sums.ols_weights, sums.variances, sums.dof)
    bit_variance = estimator_module(settings.estimator).BIT_VARIANCE
    expected_p = expected_lime_p_values(sums.weights, sums.residual_var / sums.clips, bit_variance=bit_variance)
    # A draft has too few evaluations for p-values that small.
    p = expected_p if draft else np.maximum(measured_p, expected_p)
    significant = is_significant(sums.weights, p)
    selected = mask_weights(sums.weights, significant)
    response_per_db = perturbation_per_db(spectrogram, labels, settings.perturbation)
    clip_seconds = min(CLIP_SECONDS, track.sounding_s)
    faders, subsegments = None, None
    return_freed_memory()  # (that of the explanation; the faders need others)
    if pending is not None:
        inputs, rest, divided = pending.result()
        subsegments = divided.numbers
        whole = None
        if rest:
            slopes = segment_slopes(sums.weights, response_per_db, share=clip_seconds / track.sounding_s)
            slopes = _subsegment_slopes(divided, slopes, inputs.sizes)
            # (predictions of a longer track are not those of its pieces)
            before = prediction.result().to_array()[None] if prediction and track.sounding_s <= WIDE_S else None
            whole = _whole_track(rest, spectrogram, divided.labels(labels), model, slopes, before)
        faders = _decouple(inputs, np.repeat(selected, divided.count, axis=0), whole, progress)
    return Analysis(
        segments=labels,
        weights=sums.weights.astype(np.float32),
        standard_errors=np.sqrt(sums.variances).astype(np.float32),
        p_values=measured_p,
        mask_weights=selected if faders is None else faders.masks,
        selected=None if faders is None else selected,
        subsegments=subsegments,
        response=None if faders is None else faders.response,
        slopes=None if faders is None else faders.slopes,
        confirmed=None if faders is None else faders.confirmed,
        response_per_db=response_per_db,
        half_agreement=sums.half_agreement,
        surrogate_r2=sums.surrogate_r2,
        duration_s=track.duration_s,
        track_digest=track.digest,
        model_digest=model.digest,
        settings=settings,
        clip_seconds=clip_seconds,
        sounding_s=track.sounding_s,
        prediction=None if prediction is None else prediction.result(),
        loudness_lufs=track.measured_loudness_lufs,
    )


def _explain(
    track: Track,
    spectrogram: FloatArray,
    labels: Labels,
    model: Model,
    settings: AnalysisSettings,
    pool: Executor,
    partial: Path | None,
    progress: Callable[[float], None] | None,
) -> EffectSums:
    """Sum up the effects of the segments on all windows."""
    segments = int(labels.max()) + 1
    sounding = slice(*track.sounding_frames)
    spectrogram, labels = spectrogram[sounding], labels[sounding]
    borders, shares = _window_borders(len(spectrogram), model, estimator_module(settings.estimator).POSITIONS)
    n_windows = len(shares)
    sums = EffectSums.empty(segments) if partial is None else EffectSums.load(partial, segments)
    if sums.done > n_windows or not np.isclose(sums.clips, shares[: sums.done].sum()):
        sums = EffectSums.empty(segments)  # (of an earlier version, whose windows were others)
    checkpoints = Checkpoints(sums, partial)
    report = checkpoints.saving_when_interrupted(progress)
    numbers = range(sums.done, n_windows)
    cuts = [
        functools.partial(cut_window, spectrogram, labels, model, int(borders[number]), int(borders[number + 1]))
        for number in numbers
    ]
    rngs = [np.random.default_rng([settings.seed, number]) for number in numbers]
    windows = _explained_windows(cuts, model, settings, rngs, pool)
    explained = 1.0 if settings.coupled else _EXPLAINING
    done = [SEGMENTED + (explained - SEGMENTED) * n / n_windows for n in range(n_windows + 1)]  # after n windows
    for number in numbers:
        with progress_span(report, done[number], done[number + 1]):
            window, effects = next(windows)
        # From effects on the mean of this window to effects on the mean of ten seconds.
        sums.add(effects, window.segments, share=float(shares[number]))
        checkpoints.save_if_due()
        if report:
            report(done[number + 1])
    return sums


def _window_borders(frames: int, model: Model, window_length: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Output positions at which the windows of a spectrogram of so many frames begin and end, [windows + 1].

    With their lengths as shares of ten seconds, or of a shorter track, [windows]; window_length: about so many output
    positions; 0: ten seconds.
    """
    geometry = model.network.geometry
    positions, clip = geometry.positions(frames), geometry.positions(CLIP_FRAMES)
    n_windows = max(1, round(positions / (window_length or clip)))
    borders = np.linspace(0, positions, n_windows + 1).round().astype(int)
    return borders, np.diff(borders) / min(clip, positions)


_Cuts = Sequence[Callable[[], AnalysisWindow]]
_Explained = Iterator[tuple[AnalysisWindow, SegmentEffects]]


def _explained_windows(
    cuts: _Cuts, model: Model, settings: AnalysisSettings, rngs: Sequence[np.random.Generator], pool: Executor
) -> _Explained:
    """Each window with the effects of its segments, by the estimator of the settings."""
    estimator, passes = estimator_module(settings.estimator), settings.passes
    if estimator is not expected_gradients:
        return _one_by_one(estimator, cuts, model, settings, rngs)
    if settings.quality != "draft":  # (which has no p-values)
        passes = max(passes, expected_gradients.LEAST_PASSES)
    return expected_gradients.explain_windows(
        cuts, model, passes=passes, perturbation=settings.perturbation, rngs=rngs, pool=pool
    )


def _one_by_one(
    estimator: ModuleType,
    cuts: _Cuts,
    model: Model,
    settings: AnalysisSettings,
    rngs: Sequence[np.random.Generator],
) -> _Explained:
    """What `expected_gradients.explain_windows` does, for the other estimators, with torch's threads."""
    for cut, rng in zip(cuts, rngs, strict=True):
        window = cut()
        effects = estimator.explain_window(
            window, model, passes=settings.passes, perturbation=settings.perturbation, rng=rng
        )
        yield window, effects


_Inputs = tuple[FaderInputs, list[Excerpt], DividedSegments]


def _fader_inputs(track: Track, spectrogram: FloatArray, labels: Labels, model: Model, *, by_all: bool) -> _Inputs:
    """Divide the segments, read the stretches by which the faders are solved, and make what does not depend on gains.

    by_all: read also what they are put right by; that of a track up to a minute is nothing more.
    """
    begin, several = few_stretches(track), spread_stretches(track)
    between = several if several != begin else []
    rest = wide_stretches(track) if by_all and track.sounding_s > WHOLE_S else []
    excerpts = placed_excerpts(track, begin + between + rest)
    few, many = excerpts[: len(begin)], excerpts[len(begin) : len(begin) + len(between)]
    divided = divide_segments(spectrogram, labels, model, slice(*track.sounding_frames))
    inputs = FaderInputs(spectrogram, divided.labels(labels), few, many or few, own_listeners(model))
    return inputs, excerpts[len(excerpts) - len(rest) :], divided


def _subsegment_slopes(divided: DividedSegments, slopes: Floats, sizes: Floats) -> Floats:
    """Slopes of subsegments without gain, made to add up to those of the explanation: [7, subsegments].

    slopes: of the explanation, [7, segments]; sizes: of the subsegments, as shares of the track.
    """
    added = divided.slopes.reshape(*slopes.shape, divided.count).sum(2)
    return np.asarray(divided.slopes + divided_by_size(slopes - added, sizes))


def _whole_track(
    excerpts: Sequence[Excerpt],
    spectrogram: FloatArray,
    labels: Labels,
    model: Model,
    slopes: Floats,
    before: Floats | None,
) -> WholeTrack:
    """The whole track for the solver of masks: excerpts that are (about) all of it, and its slopes [7, segments].

    slopes: per dB of each segment, loudness not matched; before: predictions without gain [1, 15], where known.
    """
    predictor = TorchPredictor(model.network)  # (twice as quick, and torch is there)
    predict = functools.partial(predict_spectrograms, model=model, predictor=predictor, positions=_POSITIONS_AT_ONCE)
    return WholeTrack(
        lambda: SegmentPredictions(excerpts, labels, [predict], before=before, fourier=TorchFourier()),
        whole_track_slopes(slopes, spectrogram, labels),
    )


def _decouple(
    inputs: FaderInputs,
    selected: FloatArray,
    whole: WholeTrack | None,
    progress: Callable[[float], None] | None,
) -> DecoupledFaders:
    # (many small operations: a third thread waits more than it works)
    threads = min(torch.get_num_threads(), 2)
    with torch_threads(1), one_blas_thread():
        return decoupled_faders(
            inputs,
            selected,
            whole=whole,
            progress=None if progress is None else lambda done: progress(_EXPLAINING + (1 - _EXPLAINING) * done),
            threads=threads,
        )
