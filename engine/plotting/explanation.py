"""An explanation as an object: figures, sounds as arrays, faithfulness curves, and the folder with its HTML page."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...models.common.arrays import FloatArray
from ...models.common.constants import HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model
from ..analysis.analysis import Analysis
from ..analysis.faithfulness import FaithfulnessCurve, faithfulness_curves
from ..analysis.prediction import Prediction, predict_track
from ..audio.track import Track
from ..audio.track_spectrogram import track_spectrogram
from ..dsp.faders import Faders
from ..render.sonify import Sonifier, choose_excerpt
from .emotion_effects_plot import plot_emotion_effects
from .export import FORMATS, check_explanation, explanation_paths, write_explanation
from .faithfulness_plot import plot_faithfulness
from .feature_plot import plot_feature
from .style import figure_title, pyplot_figure


class Explanation:
    """Which segments of an excerpt raise or lower the prediction of each feature. Made by `moodfader.explain`.

    Sounds are float32 [samples, channels] at `sample_rate`; all have one level and can be compared. Plots are drawn
    into `figure` (a new one of pyplot if None) and return its axes.
    """

    def __init__(
        self,
        track: Track,
        analysis: Analysis,
        model: Model,
        *,
        features: Sequence[str] | None = None,
        begin_s: float | None = None,
        end_s: float | None = None,
    ) -> None:
        """Raises InputError for an analysis of another sound or model, an unknown feature, an impossible excerpt."""
        if analysis.track_digest != track.digest:
            raise InputError(f"{analysis.path or 'the analysis'}: it is of another sound than {track.path}")
        if analysis.model_digest != model.digest:
            raise InputError(f"{analysis.path or 'the analysis'}: made with another model than {model.path.name}")
        Faders.from_mapping(dict.fromkeys(features or (), 0.0))  # knows the names
        chosen = [name.strip().lower().replace("-", "_") for name in features or MIDLEVEL]
        self.track = track
        self.analysis = analysis
        self.model = model
        self.features = tuple(name for name in MIDLEVEL if name in chosen)
        """Names of the features explained, in the order of MIDLEVEL."""
        self.excerpt_s = choose_excerpt(analysis, list(self.features), begin_s, end_s)
        """The excerpt, (begin, end) in seconds of the track."""

    @property
    def sample_rate(self) -> int:
        """Of the sounds, in Hz."""
        return self.track.sample_rate

    @cached_property
    def prediction(self) -> Prediction:
        """The network's prediction for the whole track."""
        return predict_track(self.track, self.model)

    @cached_property
    def spectrogram(self) -> FloatArray:
        """The network's input for the whole track, log10(1 + magnitude) [frames, bands]."""
        return track_spectrogram(self.track)

    @cached_property
    def curves(self) -> list[FaithfulnessCurve]:
        """Insertion and deletion curves of the features over the excerpt; computed when first asked for."""
        first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in self.excerpt_s)
        frames = first, min(last, len(self.spectrogram))
        return faithfulness_curves(self.spectrogram, self.analysis, self.model, self.features, frames=frames)

    def original(self) -> npt.NDArray[np.float32]:
        """The excerpt as it is."""
        return self._sounds.original()

    def boosted(self, feature: str) -> npt.NDArray[np.float32]:
        """The excerpt with the feature's fader at +6 dB."""
        return self._sounds.boosted(self._checked(feature))

    def isolated(self, feature: str) -> npt.NDArray[np.float32]:
        """The segments that raise the prediction of the feature, without the rest."""
        return self._sounds.isolated(self._checked(feature))

    def plot(self, feature: str, figure: Figure | None = None) -> list[Axes]:
        """Plot the segments that raise and that lower the prediction of a feature, and the largest weights.

        Returns the axes of the two spectrograms and of the weights.
        """
        return plot_feature(
            self.analysis,
            self.spectrogram,
            self._checked(feature),
            title=figure_title(self.track.path),
            excerpt_s=self.excerpt_s,
            figure=figure or pyplot_figure(12, 4.3),
        )

    def plot_emotion_effects(self, figure: Figure | None = None) -> list[Axes]:
        """Plot the effect of each feature on each emotion of the track; returns eight axes."""
        return plot_emotion_effects(
            self.prediction.midlevel,
            self.prediction.emotions,
            self.model.emotion_weights,
            title=figure_title(self.track.path),
            quantiles=self.model.record.get("midlevel_quantiles"),
            figure=figure or pyplot_figure(10, 5.4),
        )

    def plot_faithfulness(self, feature: str, figure: Figure | None = None) -> list[Axes]:
        """Plot the prediction while the feature's segments are masked, cut and boosted; returns an axes for each."""
        own = [curve for curve in self.curves if curve.feature == self._checked(feature)]
        return plot_faithfulness(own, title=figure_title(self.track.path), figure=figure or pyplot_figure(12, 3.5))

    def save(
        self,
        folder: str | os.PathLike[str],
        *,
        format: str = "both",
        overwrite: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> dict[str, Path]:
        """Write figures ("png", "svg" or "both"), sounds and index.html into a folder, as `moodfader explain` does.

        Returns the files by key. Raises InputError where they cannot be written, and for an unknown format.
        """
        if format not in FORMATS:
            raise InputError(f"no format is called {format!r}: there are {', '.join(FORMATS)}")
        files = explanation_paths(Path(folder), self.features, form=format)
        check_explanation(Path(folder), list(files.values()), source=self.track.path, overwrite=overwrite)
        write_explanation(
            self.track,
            self.analysis,
            self.model,
            files,
            excerpt_s=self.excerpt_s,
            progress=progress or (lambda fraction: None),
        )
        return files

    def to_dict(self) -> dict[str, Any]:
        """The track, the excerpt, the features and the prediction as plain dicts, lists, numbers and texts."""
        return {
            "file": str(self.track.path),
            "from_s": self.excerpt_s[0],
            "to_s": self.excerpt_s[1],
            "features": list(self.features),
            "prediction": self.prediction.to_dict(),
        }

    def __repr__(self) -> str:
        """The track, the excerpt and the features."""
        begin, end = self.excerpt_s
        return f"Explanation({self.track.path.name}, {begin:.1f} to {end:.1f} s, {', '.join(self.features)})"

    @cached_property
    def _sounds(self) -> Sonifier:
        return Sonifier(self.track, self.analysis, self.excerpt_s)

    def _checked(self, feature: str) -> str:
        name = feature.strip().lower().replace("-", "_")
        if name not in self.features:
            raise InputError(f"no feature {feature!r} is explained here: there are {', '.join(self.features)}")
        return name
