"""What the linear surrogate expects of faders, at once and without torch: from gains to mid-levels to emotions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.soft_limit import soft_limit, unlimited
from ..dsp.segment_mask import segment_gain_db

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from .analysis import Analysis


def midlevel_shift(
    weights: FloatArray, response_per_db: FloatArray, gains_db: FloatArray, *, share: float
) -> FloatArray:
    """Change of the seven mid-levels for gains [segments] in dB: [7].

    weights [segments, 7] are effects on ten seconds, which are `share` of what sounds of the track.
    """
    return np.asarray(((response_per_db * gains_db) @ weights) * share, np.float32)


@dataclass(frozen=True)
class TrackSummary:
    """What the network made of a track, as it travels from the process that has torch to those that have not."""

    analysis: Path
    digest: str
    model_digest: str
    sounding_s: float
    clip_seconds: float
    emotions: Mapping[str, float]
    """Measured on the track as it is, 0..1."""
    emotion_weights: np.ndarray
    """The linear layer [8, 7] from mid-levels to emotions."""


class Surrogate:
    """Answers with the eight emotions of one track for any faders, in less than a millisecond or two."""

    def __init__(self, heard: TrackSummary) -> None:
        """Raises InputError if the analysis file has gone."""
        self.before = dict(heard.emotions)
        self._layer = heard.emotion_weights
        self._share = heard.clip_seconds / heard.sounding_s
        try:
            with np.load(heard.analysis, allow_pickle=False) as archive:
                self._weights = archive["weights"]
                self._response = archive["response_per_db"]
                self._mask_weights = archive["mask_weights"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{heard.analysis}: the analysis cannot be read ({error})") from error

    def emotions(self, faders_db: np.ndarray) -> dict[str, float]:
        """The emotions 0..1 by name that faders [7] in dB are expected to give."""
        effect = self.expected_effect(faders_db)
        return {name: self.before[name] + effect[name] for name in EMOTIONS}

    def expected_effect(self, faders_db: np.ndarray) -> dict[str, float]:
        """Changes of the seven features and the eight emotions by name that faders [7] in dB are expected to give."""
        gains_db = segment_gain_db(self._mask_weights, faders_db)
        moved = midlevel_shift(self._weights, self._response, gains_db, share=self._share)
        before = np.array([self.before[name] for name in EMOTIONS])
        shifts = (*moved, *(soft_limit(unlimited(before) + self._layer @ moved) - before))
        return {name: float(by) for name, by in zip((*MIDLEVEL, *EMOTIONS), shifts, strict=True)}


def surrogate_midlevel(analysis: "Analysis", segment_gains_db: FloatArray) -> FloatArray:
    """Change of the seven mid-levels that the linear surrogate expects of gains [segments] in dB: [7]."""
    share = analysis.clip_seconds / analysis.sounding_s  # weights are effects on ten seconds
    return midlevel_shift(analysis.weights, analysis.response_per_db, segment_gains_db, share=share)


def surrogate_emotions(analysis: "Analysis", segment_gains_db: FloatArray, model: "Model") -> dict[str, float]:
    """Change of the eight emotions that the linear surrogate expects, by name."""
    shift = model.emotion_weights @ surrogate_midlevel(analysis, segment_gains_db)
    return {name: float(value) for name, value in zip(EMOTIONS, shift, strict=True)}
