"""The analysis of a track: its segments, and the effect of each segment on the seven features.

`analyze_track.py` makes it, `analysis_file.py` reads and writes it, `cache.py` stores it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Labels, Subsegments
from ...models.common.constants import CLIP_FRAMES, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.extras import require
from ...models.common.formatting import display_name
from ..audio.track import Track
from ..dsp.segment_mask import subsegment_labels
from ..steering.faders.levels import hardly_heard, without_effect
from .prediction import Prediction
from .settings import AnalysisSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLIP_SECONDS: Final = CLIP_FRAMES * HOP_LENGTH / SAMPLE_RATE
"""Ten seconds, rounded to whole frames: weights are effects on the mean prediction of so much music."""


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
        The masks of the faders: gain per decibel of each fader. Coupled: of each segment, -1..1, [segments, 7].
        Decoupled: of each subsegment (`mask_labels`), -1.5..1.5, [subsegments, 14]: one mask above zero (the first
        seven) and another below.
    response_per_db
        Change of the perturbation variable per decibel of gain, [segments].
    half_agreement
        Pearson correlation of the weights estimated from two halves of the samples, [7].
    surrogate_r2
        1 less the fraction of the variance that the linear surrogate leaves, [7]: below 0 where its predictions are
        worse than none (`explained_share` is what it explains).
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
        Measured change of the features under each fader alone at LEVELS_DB (steering/faders/levels.py), [7 faders,
        6, 7]; None where the faders are coupled.
    slopes
        Change of the features per dB of each mask of the faders and of the explanation, without gain, [7, 14 + 7];
        None where the faders are coupled, and in files of 0.10 and before.
    confirmed
        Share of a fader's own move that judges may be expected to share, 0..1, above zero and below, [7, 2]; None
        where the faders are coupled, and in files of 0.12 and before.
    subsegments
        Number of each pixel's subsegment within its segment (segmenting/subsegments.py), uint8 [frames, bands]; None
        where masks lie on segments: where the faders are coupled, and in files of 0.16 and before.
    path
        The file that the analysis is stored in, if it is.
    prediction
        Of the whole track by the same model; None in files of 0.9 and before.
    loudness_lufs
        Integrated loudness of the track; None in files of 0.9 and before.
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
    slopes: FloatArray | None = None
    confirmed: FloatArray | None = None
    subsegments: Subsegments | None = None
    sounding_s: float = 0.0
    """Seconds between the silent ends of the track; 0: duration_s (files of 0.7)."""
    path: Path | None = None
    prediction: Prediction | None = None
    loudness_lufs: float | None = None

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
    def explained_share(self) -> FloatArray:
        """Share of the variance that the linear surrogate explains, 0..1, [7]: `surrogate_r2`, or 0 if less."""
        return np.maximum(self.surrogate_r2, 0)

    @property
    def features_without_segments(self) -> tuple[str, ...]:
        """The features that no selected segment moves, or hardly: their faders do nothing."""
        return without_effect(self.mask_weights, self.response)

    @property
    def features_hardly_heard(self) -> tuple[str, ...]:
        """The features whose faders move the model here, but of which next to nothing is confirmed (levels.py)."""
        return hardly_heard(self.response, self.confirmed)

    def fader_notes(self, features: Iterable[str] = MIDLEVEL) -> list[str]:
        """Which faders do nothing to this track, and of which next to nothing is confirmed.

        Parameters
        ----------
        features : iterable of str
            The features that matter here.

        Returns
        -------
        list of str
            A line for each of the two, where there are such faders.
        """
        asked = list(features)
        dead = [display_name(name) for name in asked if name in self.features_without_segments]
        unheard = [display_name(name) for name in asked if name in self.features_hardly_heard]
        notes = []
        if dead:
            does = "its fader does" if len(dead) == 1 else "their faders do"
            notes.append(
                f"no segment was found that moves {', '.join(dead)}: {does} nothing to this track "
                "(more --evaluations help)"
            )
        if unheard:
            names = ", ".join(unheard)
            notes.append(f"other models confirm next to nothing of it on this track: the fader of {names}")
        return notes

    @property
    def selected_weights(self) -> FloatArray:
        """The masks of the explanation: weights of the significant segments, -1..1, [segments, 7]."""
        return self.mask_weights if self.selected is None else self.selected

    @cached_property
    def mask_labels(self) -> Labels:
        """The labels that `mask_weights` belong to, int32 [frames, bands]: of subsegments, or the segments."""
        if self.subsegments is None:
            return self.segments
        return subsegment_labels(self.segments, self.subsegments, self.subsegments_each)

    @property
    def subsegments_each(self) -> int:
        """How many rows of `mask_weights` belong to each segment."""
        return len(self.mask_weights) // len(self.weights)

    @property
    def explained_masks(self) -> FloatArray:
        """`selected_weights` for the rows of `mask_weights`, [subsegments, 7]."""
        return np.repeat(self.selected_weights, self.subsegments_each, axis=0)

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
            "quality": self.settings.quality,
            **{key: dict(zip(MIDLEVEL, map(float, values), strict=True)) for key, values in measures.items()},
            "selected": self.significant_counts(),
            "confirmed": None
            if self.confirmed is None
            else {
                name: {"above": float(above), "below": float(below)}
                for name, (above, below) in zip(MIDLEVEL, self.confirmed, strict=True)
            },
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
        # The one import of an upper layer, for convenience, and only when it is called (matplotlib is an extra).
        require("matplotlib")
        from ..audio.track_spectrogram import track_spectrogram
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
        measured: dict[str, Any] = {}
        if self.prediction is not None:
            measured["prediction"] = self.prediction.to_dict()
        if self.loudness_lufs is not None:
            measured["loudness_lufs"] = self.loudness_lufs
        return measured | {
            "settings": self.settings.stored(),
            "track": self.track_digest,
            "model": self.model_digest,
            "duration_s": self.duration_s,
            "clip_seconds": self.clip_seconds,
            "sounding_s": self.sounding_s,
        }
