"""The whole way of the sound from the track to the ear: mixer, level, limiter; the same live and offline."""

import numpy as np
import torch

from .faders import Faders
from .limiter import Limiter
from .mask_filter import StftMaskFilter


class SteeredSound:
    """Push blocks of a track in with `process`, end with `flush`; `latency` samples are kept back.

    The output is aligned with the input and as long, and does not depend on how the input is cut into blocks.
    Where the faders are at zero (and gain_db is) the samples are the input's own, else their true peak stays
    below ceiling_dbtp.
    """

    def __init__(
        self,
        labels: np.ndarray,
        mask_weights: np.ndarray,
        *,
        sample_rate: int,
        channels: int,
        gain_db: float = 0.0,
        ceiling_dbtp: float = -1.0,
        start: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        """labels int [frames, bands], mask_weights [segments, 7] in -1..1; `start` as in Mixer."""
        self._mixer = StftMaskFilter(
            labels, mask_weights, sample_rate=sample_rate, channels=channels, start=start, device=device
        )
        self._gain = np.float32(10 ** (gain_db / 20))
        self._limiter = Limiter(sample_rate=sample_rate, channels=channels, ceiling_dbtp=ceiling_dbtp)
        self.hop_length = self._mixer.hop_length
        self.latency = self._mixer.latency + self._limiter.latency

    def process(self, block: np.ndarray, faders: Faders) -> np.ndarray:
        """Push `block` float32 [n, channels] under these faders, get float32 [m, channels]."""
        return self._limited(*self._mixer.process(block, faders))

    def flush(self) -> np.ndarray:
        """Give the rest; the object is then spent."""
        return np.concatenate((self._limited(*self._mixer.flush()), self._limiter.flush()))

    def _limited(self, samples: np.ndarray, touched: np.ndarray) -> np.ndarray:
        if self._gain == 1:
            return self._limiter.process(samples, touched)
        return self._limiter.process(samples * self._gain)
