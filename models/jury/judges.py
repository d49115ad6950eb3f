"""Judges: models that take no part in training, explaining or solving, and predict the result of steering.

There are two juries of three judges each, of different kinds, weights and clips (weights/NOTICE.md says how they were
made):

* `development`, by which this project chooses: a network of statistics, a regression on acoustic measures, a
  regression on the embeddings of musicnn;
* `reporting`, opened for the tables of the documentation only: a recurrent network, a regression on librosa's
  measures, a regression on the embeddings of a VGG network.

No network that ships has seen their weights, and they have seen nothing of its.
"""

import importlib.resources
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import soxr
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..common.arrays import FloatArray
from ..common.constants import SAMPLE_RATE
from ..common.errors import InputError
from .librosa_measures import librosa_measures
from .measures import acoustic_measures
from .mel import MEL_RATE, LogMel
from .networks import JudgeNetwork
from .tagger import Tagger

_FURTHEST: Final = 6.0


Predict = Callable[[FloatArray], FloatArray]
"""Mono sound float [samples] at 22,050 Hz, on the scale at which the original has a peak of one -> features and
emotions [15] on the scale 0..1, in the order of OUTPUTS (constants.py).
"""


@dataclass(frozen=True)
class Judge:
    """One judge of a jury.

    Attributes
    ----------
    name
        The kind of model: network, measures or tagger.
    predict
        Its prediction of a sound.
    """

    name: str
    predict: Predict


def _weights(name: str) -> dict[str, torch.Tensor]:
    path = Path(str(importlib.resources.files("moodfader.models.jury") / "weights" / f"{name}.safetensors"))
    try:
        return {key: tensor.float() for key, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not the weights of a judge ({error})") from error


class LinearReadout:
    """Features and emotions from measures [N]: standardised, projected on principal axes, then a linear layer."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self._tensors = {name: tensor.double().numpy() for name, tensor in tensors.items()}

    def __call__(self, measures: FloatArray) -> FloatArray:
        """Features and emotions [15] of acoustic measures."""
        t = self._tensors
        standard = np.clip((measures - t["mean"]) / t["deviation"], -_FURTHEST, _FURTHEST) @ t["axes"]
        return np.asarray(standard @ t["slopes"] + t["offset"])


def _read_linear(
    measure: Callable[[FloatArray], FloatArray], readout: LinearReadout, sound: FloatArray
) -> FloatArray:
    return readout(measure(sound))


class TaggerEmbedding:
    """Embedding of a sound at 22,050 Hz by a network that tags music, "musicnn" or "vgg"."""

    def __init__(self, kind: str) -> None:
        self._tagger = Tagger(kind, _weights(f"tagger-{kind}"))

    def __call__(self, sound: FloatArray) -> FloatArray:
        """Embedding of a sound at 22,050 Hz."""
        return np.asarray(self._tagger(torch.from_numpy(_at_mel_rate(sound))).numpy())


class NetworkJudge:
    """The prediction of a judge that is a network."""

    def __init__(self, kind: str) -> None:
        self._network = JudgeNetwork(kind)
        self._network.load_state_dict(_weights(f"network-{kind}"))
        self._network.eval()
        self._mel = LogMel()

    def __call__(self, sound: FloatArray) -> FloatArray:
        """Features and emotions [15] of a sound at 22,050 Hz."""
        with torch.inference_mode():
            mel = self._mel(torch.from_numpy(_at_mel_rate(sound)))[::2]
            midlevel, emotions = self._network(mel[None])
        return np.asarray(torch.cat((midlevel[0], emotions[0])).double().numpy())


def _at_mel_rate(sound: FloatArray) -> FloatArray:
    return np.asarray(soxr.resample(sound, SAMPLE_RATE, MEL_RATE), np.float32)


def _readout(measure: Callable[[FloatArray], FloatArray], weights: str) -> Predict:
    return partial(_read_linear, measure, LinearReadout(_weights(weights)))


JURIES: Final[Mapping[str, Mapping[str, Callable[[], Predict]]]] = {
    "development": {
        "network": lambda: NetworkJudge("statistics"),
        "measures": lambda: _readout(acoustic_measures, "development-measures"),
        "tagger": lambda: _readout(TaggerEmbedding("musicnn"), "development-tagger"),
    },
    "reporting": {
        "network": lambda: NetworkJudge("recurrent"),
        "measures": lambda: _readout(librosa_measures, "reporting-measures"),
        "tagger": lambda: _readout(TaggerEmbedding("vgg"), "reporting-tagger"),
    },
}
"""The juries: what loads each judge, by its name. A judge more is a line more."""


def load_jury(name: str = "development") -> tuple[Judge, ...]:
    """Load all judges of a jury.

    Raises
    ------
    InputError
        For an unknown name, and for weights that are missing or damaged.
    """
    if name not in JURIES:
        raise InputError(f"no jury is called {name!r}: there are {', '.join(JURIES)}")
    return tuple(Judge(judge, load()) for judge, load in JURIES[name].items())
