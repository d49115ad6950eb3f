"""The analysis of a track: its segments and how each speaks for and against the seven features; made and described.

Its file and the cache of such files are in store.py.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ...models.common.arrays import FloatArray, Labels
from ...models.common.constants import CLIP_FRAMES, HOP_LENGTH, MIDLEVEL, N_BANDS, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model
from ...models.network.spectrogram import frame_count, spectrogram_blocks
from ..audio.track import Track
from ..explain import expected_gradients, lime, local_regression
from ..explain.effect_sums import EffectSums
from ..explain.perturbation import PERTURBATIONS, cut_window, perturbation_per_db
from ..explain.segmentation import SEGMENTATIONS, segment_spectrogram
from ..explain.significance import expected_lime_p_values, is_significant, mask_weights

ESTIMATORS: Final[dict[str, ModuleType]] = {"gradient": expected_gradients, "local": local_regression, "lime": lime}
"""The first is the default. Each has explain_window, its usual PASSES, the BIT_VARIANCE of what it perturbs, and the
POSITIONS that it takes at once (0: those of ten seconds)."""
CLIP_SECONDS: Final = CLIP_FRAMES * HOP_LENGTH / SAMPLE_RATE
PASSES_MINIMUM: Final = 64
KEEP_SECONDS: Final = 30.0


@dataclass(frozen=True)
class AnalysisSettings:
    """How a track is explained. Raises InputError for an unknown name or a number out of range.

    estimator: "gradient", "local" or "lime" (the paper's). perturbation: "gain" or "hide" (the paper's). passes: how
    often each stretch of the track goes through the network; 0 is the estimator's usual number.
    """

    segmentation: str = "felzenszwalb"
    estimator: str = "gradient"
    perturbation: str = "gain"
    passes: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.segmentation, SEGMENTATIONS, "segmentation"),
            (self.estimator, ESTIMATORS, "estimator"),
            (self.perturbation, PERTURBATIONS, "perturbation"),
        ):
            if value not in known:
                raise InputError(f"no {what} is called {value!r}: there are {', '.join(known)}")
        if self.passes == 0:
            object.__setattr__(self, "passes", ESTIMATORS[self.estimator].PASSES)
        if self.passes < PASSES_MINIMUM:
            raise InputError(f"{self.passes} passes are too few to explain anything: at least {PASSES_MINIMUM}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed {self.seed} is out of range: a whole number from 0 on")


@dataclass(frozen=True)
class Analysis:
    """What the explanation of one track by one model found.

    segments: int labels [frames, bands] from 0. weights: [segments, 7], the effect of each segment (of turning its
    bit from 0 to 1) on the mid-levels of clip_seconds around it. standard_errors and p_values: of the weights, both
    [segments, 7]. mask_weights: [segments, 7] in -1..1, the selected weights, each feature's strongest 1 in size.
    response_per_db: [segments], how far 1 dB moves the bit. surrogate_r2: [7], the share of the variance that the
    linear surrogate explains. half_agreement: [7], the correlation of the weights from one half of the samples with
    those from the other.
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
    sounding_s: float = 0.0
    """Seconds between the silent ends of the track; 0: duration_s (files of 0.7)."""
    path: Path | None = None
    """The file it is kept in."""

    def __post_init__(self) -> None:
        if self.sounding_s <= 0:
            object.__setattr__(self, "sounding_s", self.duration_s)

    @property
    def reliability(self) -> FloatArray:
        """How well the weights of another seed would correlate with these, [7] in 0..1.

        From the standard errors: the share of the weights' variance that is not noise.
        """
        noise = (self.standard_errors.astype(np.float64) ** 2).mean(0)
        spread = self.weights.var(0, dtype=np.float64)
        return np.asarray(np.clip(1 - noise / np.maximum(spread, 1e-30), 0, 1), np.float32)

    def significant_counts(self) -> dict[str, dict[str, int]]:
        """How many segments speak for (positive) and against (negative) each feature."""
        return {
            name: {
                "positive": int((self.mask_weights[:, k] > 0).sum()),
                "negative": int((self.mask_weights[:, k] < 0).sum()),
            }
            for k, name in enumerate(MIDLEVEL)
        }

    def metadata(self) -> dict[str, Any]:
        """The settings and keys, as they are kept in the file."""
        return {
            "settings": asdict(self.settings),
            "track": self.track_digest,
            "model": self.model_digest,
            "duration_s": self.duration_s,
            "clip_seconds": self.clip_seconds,
            "sounding_s": self.sounding_s,
        }


def track_spectrogram(track: Track) -> FloatArray:
    """The network's view of the whole track, [frames, bands], scaled by the track's peak."""
    # Filled in place, for hours of it should not be in memory twice; the resampler decides on the last frame.
    spectrogram = np.empty((frame_count(round(track.duration_s * SAMPLE_RATE)) + 2, N_BANDS), np.float32)
    frames = 0
    for block in spectrogram_blocks(track.network_input_blocks(), scale=track.network_peak):
        spectrogram[frames : frames + len(block)] = block
        frames += len(block)
    return spectrogram[:frames]


def analyze_track(
    track: Track,
    model: Model,
    settings: AnalysisSettings,
    *,
    partial: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Explain a whole track. progress is called with the fraction done.

    The track is measured stretch by stretch (as long as suits the estimator; ten seconds for the paper's), each with
    its own random numbers. A segment's effect is the sum of its effects on all stretches, so there are no seams:
    every local output of the track is explained once, with all that it sees. Silent ends are left out.

    `partial` is a file, of this track, model and settings alone, in which the work is kept every half minute; a run
    that was killed goes on from there, and its result is the same to the last bit.
    """
    spectrogram = track_spectrogram(track)
    labels = segment_spectrogram(spectrogram, method=settings.segmentation)
    geometry = model.network.geometry
    sounding = slice(*track.sounding_frames)
    positions = geometry.positions(len(spectrogram[sounding]))
    clip = geometry.positions(CLIP_FRAMES)
    stretch_length = ESTIMATORS[settings.estimator].POSITIONS or clip
    stretches = max(1, round(positions / stretch_length))
    edges = np.linspace(0, positions, stretches + 1).round().astype(int)
    segments = int(labels.max()) + 1
    sums = EffectSums.empty(segments) if partial is None else EffectSums.load(partial, segments)
    kept = time.monotonic()
    for number in range(sums.done, stretches):
        first, last = int(edges[number]), int(edges[number + 1])
        stretch = cut_window(spectrogram[sounding], labels[sounding], model, first, last)
        # NumPy's own threads make its small solves slower, on a busy machine many times so.
        with threadpool_limits(1, user_api="blas"):
            effects = ESTIMATORS[settings.estimator].explain_window(
                stretch,
                model,
                passes=settings.passes,
                perturbation=settings.perturbation,
                rng=np.random.default_rng([settings.seed, number]),
            )
        # from effects on the mean of this stretch to effects on the mean of ten seconds
        sums.add(effects, stretch.segments, share=(last - first) / min(clip, positions))
        if partial is not None and time.monotonic() - kept > KEEP_SECONDS:
            sums.save(partial)
            kept = time.monotonic()
        if progress:
            progress((number + 1) / stretches)
    measured = lime.p_values(sums.plain, sums.variances, sums.freedom[:, None])
    bit_variance = ESTIMATORS[settings.estimator].BIT_VARIANCE
    at_paper = expected_lime_p_values(sums.weights, sums.unexplained / sums.shares, bit_variance=bit_variance)
    chosen = is_significant(sums.weights, np.maximum(measured, at_paper))
    return Analysis(
        segments=labels,
        weights=sums.weights.astype(np.float32),
        standard_errors=np.sqrt(sums.variances).astype(np.float32),
        p_values=measured,
        mask_weights=mask_weights(sums.weights, chosen),
        response_per_db=perturbation_per_db(spectrogram, labels, settings.perturbation),
        half_agreement=_agreement(*sums.halves),
        surrogate_r2=(1 - sums.unexplained / np.maximum(sums.total, 1e-30)).astype(np.float32),
        duration_s=track.duration_s,
        track_digest=track.digest,
        model_digest=model.digest,
        settings=settings,
        clip_seconds=min(CLIP_SECONDS, track.sounding_s),
        sounding_s=track.sounding_s,
    )


def _agreement(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> FloatArray:
    """Pearson correlation of the columns of [segments, 7], 0 where one does not vary."""
    a, b = one - one.mean(0), other - other.mean(0)
    size = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    return np.asarray(np.divide((a * b).sum(0), size, out=np.zeros_like(size), where=size > 0), np.float32)
