"""The analysis of a track: its segments, and the effect of each segment on the seven features.

This is the explanation of Haunschmid et al. (2019), extended from ten seconds to whole tracks. `cache.py` stores
analyses.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits

from ...models.common.arrays import FloatArray, Labels, ProgressCallback
from ...models.common.constants import CLIP_FRAMES, HOP_LENGTH, MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.extras import require
from ...models.common.progress import progress_span, report_step
from ...models.inference.checkpoint import Model
from ...models.inference.threads import torch_threads
from ...models.network.spectrogram import frame_count, spectrogram_blocks
from ..audio.track import Track
from ..explain import expected_gradients, lime, local_regression
from ..explain.effect_sums import EffectSums
from ..explain.perturbation import PERTURBATIONS, cut_window, perturbation_per_db
from ..explain.segmentation import SEGMENTATIONS, segment_spectrogram
from ..explain.significance import expected_lime_p_values, is_significant, mask_weights
from ..steering.excerpts import middle_start, read_excerpts, several_starts
from ..steering.fader_masks import DecoupledFaders, decoupled_faders
from ..steering.levels import without_effect
from ..steering.listeners import own_listeners

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ESTIMATORS: Final[dict[str, ModuleType]] = {"gradient": expected_gradients, "local": local_regression, "lime": lime}
"""The estimators, the default first. Each module has the function explain_window and the constants PASSES (default
number of network evaluations per window), BIT_VARIANCE (variance of the perturbation variable) and POSITIONS (length
of a window in output positions; 0 for ten seconds)."""
CLIP_SECONDS: Final = CLIP_FRAMES * HOP_LENGTH / SAMPLE_RATE
"""Ten seconds, rounded to whole frames: weights are effects on the mean prediction of so much music."""
PASSES_MINIMUM: Final = 64
KEEP_SECONDS: Final = 30.0
"""Time between two checkpoints."""
_EXPLAINING: Final = 0.9
"""Fraction of the progress that is the explanation, where the faders are decoupled after it."""
_SPECTROGRAM_SPAN: Final = (0.0, 0.03)
_SEGMENTATION_SPAN: Final = (0.03, 0.08)
_WINDOWS_FROM: Final = 0.08
"""Shares of the time that the parts of an analysis take, about: for its progress."""


@dataclass(frozen=True)
class AnalysisSettings:
    """Settings of an analysis.

    Attributes
    ----------
    segmentation
        "felzenszwalb" (the paper's), "slic", "chan-vese" or "watershed".
    estimator
        "gradient" (expected gradients), "local" (local regression) or "lime" (the paper's).
    perturbation
        "gain" (+-6 dB) or "hide" (silence; the paper's).
    passes
        Network evaluations per window, at least 64; 0 is replaced by the estimator's default.
    seed
        0 or more. The same settings give the same analysis.
    coupled
        Whether the faders' masks are those of the explanation, as before 0.8; otherwise each fader moves its own
        feature and leaves the other six.

    Raises
    ------
    InputError
        A name is unknown or a number out of range.
    """

    segmentation: str = "felzenszwalb"
    estimator: str = "gradient"
    perturbation: str = "gain"
    passes: int = 0
    seed: int = 0
    coupled: bool = False

    def __post_init__(self) -> None:
        if self.perturbation == "mask":  # the word for users; files and cache keys have the older one
            object.__setattr__(self, "perturbation", "hide")
        for value, allowed, what in (
            (self.segmentation, SEGMENTATIONS, "segmentation"),
            (self.estimator, ESTIMATORS, "estimator"),
            (self.perturbation, PERTURBATIONS, "perturbation"),
        ):
            if value not in allowed:
                raise InputError(f"no {what} is called {value!r}: there are {', '.join(allowed)}")
        if self.passes == 0:
            object.__setattr__(self, "passes", ESTIMATORS[self.estimator].PASSES)
        if self.passes < PASSES_MINIMUM:
            raise InputError(f"{self.passes} passes are too few to explain anything: at least {PASSES_MINIMUM}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed {self.seed} is out of range: a whole number from 0 on")


@dataclass(frozen=True, repr=False)
class Analysis:
    """The explanation of a track by a model.

    Attributes
    ----------
    segments
        Labels from 0, int32 [frames, bands].
    weights
        Effect of each segment on the mid-level features of `clip_seconds` of music around it, when its perturbation
        variable goes from 0 to 1; float32 [segments, 7].
    standard_errors, p_values
        Of the weights, [segments, 7].
    mask_weights
        The masks of the faders: gain of each segment per decibel of each fader, -1..1; [segments, 7], or
        [segments, 14] where a fader has one mask above zero (the first seven) and another below (decoupled).
    response_per_db
        Change of the perturbation variable per decibel of gain, [segments].
    half_agreement
        Pearson correlation of the weights estimated from two halves of the samples, [7].
    surrogate_r2
        Fraction of the variance that the linear surrogate explains, [7].
    duration_s
        Length of the track in seconds.
    track_digest, model_digest
        Digests of the track's samples and of the model's weights.
    settings
        How the analysis was made.
    clip_seconds
        Ten seconds, or the length of a shorter track.
    selected
        Weights of the significant segments, scaled to a maximum magnitude of 1 for each feature, [segments, 7]; None
        where they are the faders' masks (coupled).
    response
        Measured change of the features under each fader alone at LEVELS_DB (steering/levels.py), [7 faders, 6, 7];
        None where the faders are coupled.
    path
        The file that the analysis is stored in, if it is.
    """

    segments: Labels
    weights: FloatArray
    standard_errors: FloatArray
    p_values: npt.NDArray[np.float64]
    mask_weights: FloatArray
    response_per_db: FloatArray
    half_agreement: FloatArray
    surrogate_r2: FloatArray
    duration_s: float
    track_digest: str
    model_digest: str
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    clip_seconds: float = CLIP_SECONDS
    selected: FloatArray | None = None
    response: FloatArray | None = None
    sounding_s: float = 0.0
    """Seconds between the silent ends of the track; 0: duration_s (files of 0.7)."""
    path: Path | None = None

    def __post_init__(self) -> None:
        if self.sounding_s <= 0:
            object.__setattr__(self, "sounding_s", self.duration_s)

    @property
    def reliability(self) -> FloatArray:
        """Reliability of the weights, 0..1, [7]: the expected correlation with the weights of another seed.

        Computed from the standard errors: the fraction of the variance of the weights that is not noise.
        """
        noise = (self.standard_errors.astype(np.float64) ** 2).mean(0)
        variance = self.weights.var(0, dtype=np.float64)
        return np.asarray(np.clip(1 - noise / np.maximum(variance, 1e-30), 0, 1), np.float32)

    @property
    def features_without_segments(self) -> tuple[str, ...]:
        """The features that no selected segment moves, or hardly: their faders do nothing."""
        return without_effect(self.mask_weights, self.response)

    @property
    def selected_weights(self) -> FloatArray:
        """The masks of the explanation: weights of the significant segments, -1..1, [segments, 7]."""
        return self.mask_weights if self.selected is None else self.selected

    def significant_counts(self) -> dict[str, dict[str, int]]:
        """Return the numbers of significant segments by feature, with `positive` and with `negative` weight."""
        return {
            name: {
                "positive": int((self.selected_weights[:, k] > 0).sum()),
                "negative": int((self.selected_weights[:, k] < 0).sum()),
            }
            for k, name in enumerate(MIDLEVEL)
        }

    def to_dict(self) -> dict[str, Any]:
        """Where it is stored, its size and its measures by feature, as `moodfader analyze --json` prints them.

        The tables themselves (label map, weights, standard errors) are arrays: see the attributes.
        """
        measures = {
            "surrogate_r2": self.surrogate_r2,
            "half_agreement": self.half_agreement,
            "stability": self.reliability,
        }
        return {
            "analysis": None if self.path is None else str(self.path),
            "segments": len(self.weights),
            "passes": self.settings.passes,
            **{key: dict(zip(MIDLEVEL, map(float, values), strict=True)) for key, values in measures.items()},
            "selected": self.significant_counts(),
        }

    def plot(self, feature: str, ax: "Axes | None" = None, *, track: Track | None = None) -> "Axes":
        """Plot the mask of a feature over time and frequency.

        Parameters
        ----------
        feature
            Name of a mid-level feature; a hyphen may stand for an underscore.
        ax
            matplotlib Axes to draw into; those of a new pyplot figure if None.
        track
            The analysed track, whose spectrogram is then the background.

        Returns
        -------
        Axes
            Segments that raise the prediction in blue, those that lower it in orange, the stronger the fuller.

        Raises
        ------
        InputError
            For an unknown feature, and for a track that is not the analysed one.
        """
        # The one import of an upper layer: a doorway for users, opened when it is used (matplotlib is an extra).
        require("matplotlib")
        from ..plotting.mask_plot import plot_mask

        name = feature.strip().lower().replace("-", "_")
        if name not in MIDLEVEL:
            raise InputError(f"no feature is called {feature!r}: there are {', '.join(MIDLEVEL)}")
        if track is not None and track.digest != self.track_digest:
            raise InputError(f"{track.path}: another sound than the analysed one")
        return plot_mask(self, name, ax, spectrogram=None if track is None else track_spectrogram(track))

    def __repr__(self) -> str:
        """What was analysed and how, without the tables."""
        settings = self.settings
        return (
            f"Analysis({len(self.weights)} segments in {self.duration_s:.1f} s, {settings.estimator}, "
            f"{settings.passes} evaluations, surrogate R² {self.surrogate_r2.min():.2f} to "
            f"{self.surrogate_r2.max():.2f}, track {self.track_digest[:8]}, model {self.model_digest[:8]})"
        )

    def metadata(self) -> dict[str, Any]:
        """Return the metadata that is stored with the arrays: settings, digests and lengths."""
        return {
            "settings": asdict(self.settings),
            "track": self.track_digest,
            "model": self.model_digest,
            "duration_s": self.duration_s,
            "clip_seconds": self.clip_seconds,
            "sounding_s": self.sounding_s,
        }


def track_spectrogram(track: Track) -> FloatArray:
    """Compute the spectrogram of a track, scaled by its peak: float32 [frames, bands].

    Computed on one thread, so that the spectrogram, and with it the segmentation, does not depend on the number of
    threads.
    """
    # Filled in place, so that hours of music are not in memory twice. The resampler determines the last frames.
    spectrogram = np.empty((frame_count(round(track.duration_s * SAMPLE_RATE)) + 2, N_BANDS), np.float32)
    frames = 0
    with torch_threads(1):
        for block in spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak):
            spectrogram[frames : frames + len(block)] = block
            frames += len(block)
            report_step(min(frames / len(spectrogram), 1.0))
    return spectrogram[:frames]


def analyze_track(
    track: Track,
    model: Model,
    settings: AnalysisSettings,
    *,
    partial: Path | None = None,
    progress: Callable[[float], None] | None = None,
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

    Returns
    -------
    Analysis
        Not yet stored. On one machine, the same arguments and number of threads give the same arrays to the bit. With
        another number of threads the segments are the same and the effects equal but for rounding (a thousandth of
        the largest effect on a feature): how a processor sums can depend on the number.
    """
    with progress_span(progress, *_SPECTROGRAM_SPAN):
        report_step(0.0)
        spectrogram = track_spectrogram(track)
    with progress_span(progress, *_SEGMENTATION_SPAN):
        labels = segment_spectrogram(spectrogram, method=settings.segmentation)
    geometry = model.network.geometry
    sounding = slice(*track.sounding_frames)
    positions = geometry.positions(len(spectrogram[sounding]))
    clip = geometry.positions(CLIP_FRAMES)
    window_length = ESTIMATORS[settings.estimator].POSITIONS or clip
    n_windows = max(1, round(positions / window_length))
    borders = np.linspace(0, positions, n_windows + 1).round().astype(int)
    segments = int(labels.max()) + 1
    sums = EffectSums.empty(segments) if partial is None else EffectSums.load(partial, segments)
    last_saved = time.monotonic()
    windows_to = 1.0 if settings.coupled else _EXPLAINING
    report = _saving_when_interrupted(progress, sums, partial)
    for number in range(sums.done, n_windows):
        first, last = int(borders[number]), int(borders[number + 1])
        span = (_WINDOWS_FROM + (windows_to - _WINDOWS_FROM) * n / n_windows for n in (number, number + 1))
        excerpt = cut_window(spectrogram[sounding], labels[sounding], model, first, last)
        # BLAS threads slow the small systems of equations down, many times so on a busy machine.
        with threadpool_limits(1, user_api="blas"), progress_span(report, *span):
            effects = ESTIMATORS[settings.estimator].explain_window(
                excerpt,
                model,
                passes=settings.passes,
                perturbation=settings.perturbation,
                rng=np.random.default_rng([settings.seed, number]),
            )
        # From effects on the mean of this window to effects on the mean of ten seconds.
        sums.add(effects, excerpt.segments, share=(last - first) / min(clip, positions))
        if partial is not None and time.monotonic() - last_saved > KEEP_SECONDS:
            try:
                sums.save(partial)
            except InputError:
                partial = None  # a full disk must not cost the analysis, only its resumption
            last_saved = time.monotonic()
        if report:
            report(_WINDOWS_FROM + (windows_to - _WINDOWS_FROM) * (number + 1) / n_windows)
    measured_p = lime.p_values(sums.ols_weights, sums.variances, sums.dof[:, None])
    bit_variance = ESTIMATORS[settings.estimator].BIT_VARIANCE
    expected_p = expected_lime_p_values(sums.weights, sums.residual_var / sums.clips, bit_variance=bit_variance)
    significant = is_significant(sums.weights, np.maximum(measured_p, expected_p))
    selected = mask_weights(sums.weights, significant)
    faders = None if settings.coupled else _decouple(track, spectrogram, labels, selected, model, progress)
    return Analysis(
        segments=labels,
        weights=sums.weights.astype(np.float32),
        standard_errors=np.sqrt(sums.variances).astype(np.float32),
        p_values=measured_p,
        mask_weights=selected if faders is None else faders.masks,
        selected=None if faders is None else selected,
        response=None if faders is None else faders.response,
        response_per_db=perturbation_per_db(spectrogram, labels, settings.perturbation),
        half_agreement=_column_correlations(*sums.split_halves),
        surrogate_r2=(1 - sums.residual_var / np.maximum(sums.total_var, 1e-30)).astype(np.float32),
        duration_s=track.duration_s,
        track_digest=track.digest,
        model_digest=model.digest,
        settings=settings,
        clip_seconds=min(CLIP_SECONDS, track.sounding_s),
        sounding_s=track.sounding_s,
    )


def _decouple(
    track: Track,
    spectrogram: FloatArray,
    labels: Labels,
    selected: FloatArray,
    model: Model,
    progress: Callable[[float], None] | None,
) -> DecoupledFaders:
    few_stretches, all_stretches = middle_start(track), several_starts(track)
    stretches = few_stretches + (all_stretches if all_stretches != few_stretches else [])
    first_samples = [round(start * SAMPLE_RATE) for start, _ in stretches]
    threads = min(torch.get_num_threads(), 2)
    with torch_threads(1):  # (many small operations: a second thread waits more than it works)
        excerpts = list(zip(read_excerpts(track, stretches), first_samples, strict=True))
        few = excerpts[: len(few_stretches)]
        return decoupled_faders(
            spectrogram,
            labels,
            selected,
            few,
            excerpts[len(few_stretches) :] or few,
            own_listeners(model),
            progress=None if progress is None else lambda done: progress(_EXPLAINING + (1 - _EXPLAINING) * done),
            threads=threads,
        )


def _column_correlations(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> FloatArray:
    """Pearson correlations [7] of the columns of two arrays [segments, 7]; 0 where a column is constant."""
    a, b = first - first.mean(0), second - second.mean(0)
    norm = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return np.asarray(np.divide((a * b).sum(0), norm, out=np.zeros_like(norm), where=norm > 0), np.float32)


def _saving_when_interrupted(
    progress: ProgressCallback | None, sums: EffectSums, partial: Path | None
) -> ProgressCallback | None:
    """The same callback; if it ends the work by an exception, what is done of it is kept in `partial`."""
    if progress is None or partial is None:
        return progress

    def report(done: float) -> None:
        try:
            progress(done)
        except BaseException:
            sums.save(partial)
            raise

    return report
