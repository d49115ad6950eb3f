"""The linear surrogate model of a track: expected features and emotions for fader gains, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.signal.soft_limit import soft_limit, unlimited
from ..dsp.segment_mask import segment_gain_db
from ..steering.faders.levels import measured_curve, without_effect
from .analysis_file import load_tables

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from .analysis import Analysis


def midlevel_shift(
    weights: FloatArray, response_per_db: FloatArray, gains_db: FloatArray, *, share: float
) -> FloatArray:
    """Return the change of the mid-level features that the linear surrogate expects.

    Parameters
    ----------
    weights
        Effects on ten seconds, [segments, 7].
    response_per_db
        Change of the perturbation variable per decibel, [segments].
    gains_db
        Gains of the segments in dB, [segments].
    share
        Ten seconds as a fraction of what sounds of the track.

    Returns
    -------
    numpy.ndarray
        Change of the features of the whole track on the scale 0..1, float32 [7].
    """
    return np.asarray(((response_per_db * gains_db) @ weights) * share, np.float32)


def segment_slopes(weights: FloatArray | Floats, response_per_db: FloatArray, *, share: float) -> Floats:
    """Change of the whole track's features per dB of each segment, float64 [7, segments]; as `midlevel_shift`."""
    return np.asarray(weights.T.astype(np.float64) * response_per_db * share)


def response_shift(response: FloatArray, faders_db: FloatArray) -> FloatArray:
    """Return the change of the mid-level features that the measured response of a track gives.

    Parameters
    ----------
    response
        Change of the features under each fader alone at LEVELS_DB, [7 faders, 6, 7]. Between the levels it is
        interpolated, and the changes of several faders are added.
    faders_db
        The faders in dB, [7].

    Returns
    -------
    numpy.ndarray
        float32 [7].
    """
    shift = np.zeros(response.shape[2])
    for measured, fader_db in zip(response, faders_db, strict=True):
        levels, changes = measured_curve(measured)
        shift += [np.interp(fader_db, levels, column) for column in changes.T]
    return shift.astype(np.float32)


@dataclass(frozen=True)
class TrackSummary:
    """Summary of an analysed track, sent from the analysis process to processes without torch.

    Attributes
    ----------
    analysis
        The file of the analysis.
    digest, model_digest
        Digests of the track's samples and of the model's weights.
    duration_s
        Length of the track in seconds.
    clip_seconds
        Length of music that the weights are effects on.
    emotions
        Predicted emotions of the unchanged track by name, 0..1.
    emotion_weights
        The linear layer from features to emotions, [8, 7].
    sounding_s
        Seconds between the silent ends of the track; 0 for all of it.
    """

    analysis: Path
    digest: str
    model_digest: str
    duration_s: float
    clip_seconds: float
    emotions: Mapping[str, float]
    emotion_weights: np.ndarray
    sounding_s: float = 0.0


class Surrogate:
    """The linear surrogate of one track: emotions for any fader setting in one or two milliseconds.

    Parameters
    ----------
    summary
        Summary of the track.

    Raises
    ------
    InputError
        The file of the analysis is missing or damaged.

    Attributes
    ----------
    before : dict of str to float
        Predicted emotions of the unchanged track, 0..1.
    """

    def __init__(self, summary: TrackSummary) -> None:
        self.before = dict(summary.emotions)
        self._layer = summary.emotion_weights
        self._share = summary.clip_seconds / (summary.sounding_s or summary.duration_s)
        names = "weights", "response_per_db", "mask_weights"
        tables = load_tables(summary.analysis, (*names, "response"), duration_s=summary.duration_s)
        self._weights, self._response_per_db, self._mask_weights = (tables[name] for name in names)
        self._measured = tables.get("response")

    @property
    def features_without_segments(self) -> tuple[str, ...]:
        """The features that no selected segment moves, or hardly: their faders do nothing."""
        return without_effect(self._mask_weights, self._measured)

    def emotions(self, faders_db: np.ndarray) -> dict[str, float]:
        """The emotions 0..1 by name that faders [7] in dB are expected to give."""
        effect = self.expected_effect(faders_db)
        return {name: self.before[name] + effect[name] for name in EMOTIONS}

    def expected_effect(self, faders_db: np.ndarray) -> dict[str, float]:
        """Changes of the seven features and the eight emotions by name that faders [7] in dB are expected to give."""
        if self._measured is None:
            gains_db = segment_gain_db(self._mask_weights, faders_db)
            moved = midlevel_shift(self._weights, self._response_per_db, gains_db, share=self._share)
        else:
            moved = response_shift(self._measured, faders_db)
        emotions = dict(zip(EMOTIONS, map(float, self._layer @ moved), strict=True))
        after = shifted_emotions(self.before, emotions)
        shifts = (*moved, *(after[name] - self.before[name] for name in EMOTIONS))
        return {name: float(by) for name, by in zip((*MIDLEVEL, *EMOTIONS), shifts, strict=True)}


def surrogate_midlevel(analysis: "Analysis", segment_gains_db: FloatArray) -> FloatArray:
    """Return the change of the mid-level features that the linear surrogate expects.

    Parameters
    ----------
    analysis
        The analysis of the track.
    segment_gains_db
        Gains in dB, [segments].

    Returns
    -------
    numpy.ndarray
        float32 [7].
    """
    share = analysis.clip_seconds / analysis.sounding_s  # weights are effects on ten seconds
    return midlevel_shift(analysis.weights, analysis.response_per_db, segment_gains_db, share=share)


def expected_midlevel(analysis: "Analysis", faders_db: FloatArray) -> FloatArray:
    """Return the change of the features that is expected of faders [7] in dB: float32 [7].

    From the measured response where the faders are decoupled, else from the linear surrogate.
    """
    if analysis.response is not None:
        return response_shift(analysis.response, faders_db)
    return surrogate_midlevel(analysis, segment_gain_db(analysis.mask_weights, faders_db))


def shifted_emotions(before: Mapping[str, float], shift: Mapping[str, float]) -> dict[str, float]:
    """Return emotions by name after a shift of the linear layer's values: within 0..1, as the network keeps them."""
    values = soft_limit(unlimited([before[name] for name in EMOTIONS]) + np.array([shift[name] for name in EMOTIONS]))
    return dict(zip(EMOTIONS, map(float, values), strict=True))


def expected_emotions(analysis: "Analysis", faders_db: FloatArray, model: "Model") -> dict[str, float]:
    """Return the change of the emotions that is expected of faders [7] in dB, by name."""
    return emotions_of(expected_midlevel(analysis, faders_db), model)


def emotions_of(moves: FloatArray, model: "Model") -> dict[str, float]:
    """Return the change of the emotions by name that belongs to changes of the features [7]."""
    shift = model.emotion_weights @ moves
    return {name: float(value) for name, value in zip(EMOTIONS, shift, strict=True)}
