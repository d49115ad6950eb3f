"""A network's forward pass on NumPy's arrays: by NumPy itself, or by torch where that is asked for or needed.

NumPy's is used for every sound on a processor, however long: importing torch takes as long as NumPy's pass through an
hour of sound takes longer. So a file has the same prediction in any process, whatever ran before in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..common.arrays import FloatArray
from ..network.padding import PaddedSpectrogram
from ..network.receptive_field import ReceptiveField
from ..numpy_network.network import SUPPORTED, NumpyNetwork

if TYPE_CHECKING:
    from ..network.model import MidlevelNetwork


class Predictor(Protocol):
    """Forward pass of a network on arrays."""

    @property
    def geometry(self) -> ReceptiveField:
        """Which frames its local outputs see."""

    def local(self, extended: PaddedSpectrogram) -> FloatArray:
        """Extended spectrogram, an array [batch, frames, bands] -> local outputs [batch, 7, time, columns]."""

    def read(self, pooled: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """Means of local outputs [..., 7] -> mid-level [..., 7] and emotions [..., 8], within 0..1."""


class TorchPredictor:
    """The forward pass of a network in torch, on its device."""

    def __init__(self, network: "MidlevelNetwork") -> None:
        self._network = network
        self.geometry = network.geometry

    def local(self, extended: PaddedSpectrogram) -> FloatArray:
        """See `Predictor`."""
        import torch

        with torch.inference_mode():
            sound = torch.from_numpy(np.ascontiguousarray(extended.sound)).to(self._network.device)
            return np.asarray(self._network.local(replace(extended, sound=sound)).cpu().numpy())

    def read(self, pooled: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        """See `Predictor`."""
        import torch

        with torch.inference_mode():
            values = self._network.read(torch.from_numpy(pooled.astype(np.float32)).to(self._network.device))
            midlevel, emotions = (value.cpu().numpy() for value in values)
        return midlevel, emotions


def make_predictor(
    architecture: str,
    tensors: Mapping[str, npt.NDArray[Any]],
    *,
    device: str,
    network: "Callable[[], MidlevelNetwork]",
) -> Predictor:
    """NumPy's forward pass for an architecture that it has, on a processor; torch's otherwise.

    Parameters
    ----------
    architecture, tensors
        Of the checkpoint.
    device
        Where it shall compute, as torch calls it.
    network
        Gives the network in torch; called only where it is needed.
    """
    if device == "cpu" and architecture in SUPPORTED:
        return NumpyNetwork(architecture, tensors)
    return TorchPredictor(network())
