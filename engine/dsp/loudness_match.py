"""Loudness match while playing: a causal gain, from the sound so far only, and the same offline.

The K-weighted power (ITU-R BS.1770-4) of each frame before and after steering is averaged over about three seconds;
the square root of their ratio is the gain on the steered sound.
"""

import numpy as np

from ..audio.loudness import bin_k_power

AVERAGE_S = 3.0
LIMIT_DB = 12.0
_APPROACH_S = 0.1
_REST = 1e-4


class LoudnessMatcher:
    """Follows the loudness that steering adds or takes, step by step."""

    def __init__(self, *, sample_rate: int, n_fft: int, hop_length: int) -> None:
        self._hop_length = hop_length
        self._share = hop_length / (AVERAGE_S * sample_rate)
        self._approach = 1 - np.exp(-hop_length / (_APPROACH_S * sample_rate))
        self._weights = bin_k_power(sample_rate, n_fft)
        self._before = self._after = 0.0
        self.gain = 1.0
        """The linear gain at the end of the last step."""

    def update(self, before: np.ndarray | None, gain: np.ndarray | None) -> None:
        """Take one frame's spectrum complex [bins, channels] and the gain [bins] it was given; None: nothing."""
        if before is None or gain is None:
            return
        power = (before.real**2 + before.imag**2).sum(axis=1) * self._weights
        self._before += (float(power.sum()) - self._before) * self._share
        self._after += (float(power @ gain**2) - self._after) * self._share

    def reset(self) -> None:
        """Forget the averages: the faders are at zero, and the sound before does not predict the gain after."""
        self._before = self._after = 0.0

    def next_gain(self, wanted: bool) -> np.ndarray:
        """The gain of the next step's samples: float32 [1, 1] at rest (exactly 1 when not wanted), else [hop, 1]."""
        target = 1.0
        if wanted and self._after > 1e-12:
            limit = 10 ** (LIMIT_DB / 20)
            target = float(np.clip(np.sqrt(self._before / self._after), 1 / limit, limit))
        start = self.gain
        self.gain += (target - start) * self._approach
        if abs(self.gain - target) < _REST and target == 1.0:
            self.gain = 1.0
        if start == self.gain:
            return np.full((1, 1), start, dtype=np.float32)
        way = (np.arange(self._hop_length) + 1) / self._hop_length
        return (start + (self.gain - start) * way).astype(np.float32)[:, None]
