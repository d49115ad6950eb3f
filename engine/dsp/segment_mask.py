"""From seven faders to the gain of every bin of every STFT frame.

    faders [7] dB -> segments [S] dB -> spectrogram frames x bands (gather by label, lightly smoothed)
                  -> STFT frames x bins (interpolated in dB over time and log frequency) -> linear

The labels live on the network's grid: frame i is centred on second i * 704 / 22050, bands are the 149 of
models.spectrogram. The STFT lives on the track's own rate: frame j is centred on sample j * hop_length.
"""

import math

import numpy as np
import torch

from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from .band_gains import SEGMENT_LIMIT_DB, band_interpolation, segment_gain_db

__all__ = ["SEGMENT_LIMIT_DB", "SegmentMaskTorch", "segment_gain_db"]


class SegmentMaskTorch:
    """Gain of each STFT bin, read from a label map [frames, bands] and one gain a segment.

    The gains of the label map are smoothed by 1-2-1 over frames and bands (an edge of 24 dB in one step would
    ring), then interpolated in dB. Above the top band and below the bottom one their gain goes on.
    """

    def __init__(
        self,
        labels: np.ndarray,
        *,
        sample_rate: int,
        n_fft: int,
        hop_length: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self._labels = torch.as_tensor(np.ascontiguousarray(labels, dtype=np.int32), device=device)
        # STFT frame j lies at j * _step / _unit spectrogram frames; whole numbers keep this exact in a long
        # track.
        self._step, self._unit = hop_length * SAMPLE_RATE, sample_rate * HOP_LENGTH
        below, fraction = band_interpolation(np.arange(n_fft // 2 + 1) * (sample_rate / n_fft))
        self._band = torch.as_tensor(below, device=device)
        self._band_fraction = torch.as_tensor(fraction, dtype=torch.float32, device=device)

    def frame_gains(self, first_frame: int, count: int, segment_gains_db: torch.Tensor) -> torch.Tensor:
        """Linear gain of `count` STFT frames from `first_frame` on: float32 [count, n_fft // 2 + 1].

        segment_gains_db is float32 [segments] on the device of the labels.
        """
        positions = np.arange(first_frame, first_frame + count, dtype=np.int64) * self._step
        frame, fraction = positions // self._unit, (positions % self._unit / self._unit).astype(np.float32)
        start, stop = int(frame[0]), int(frame[-1]) + 2
        decibels = self._smoothed(start, stop, segment_gains_db)  # [stop - start, bands]
        index = torch.as_tensor(frame - start, device=decibels.device)
        weight = torch.as_tensor(fraction, device=decibels.device)[:, None]
        decibels = torch.lerp(decibels[index], decibels[index + 1], weight)  # [count, bands]
        slope = torch.diff(decibels, dim=1)
        decibels = decibels[:, self._band] + slope[:, self._band] * self._band_fraction  # [count, bins]
        return torch.exp(decibels * (math.log(10) / 20))

    def _smoothed(self, start: int, stop: int, segment_gains_db: torch.Tensor) -> torch.Tensor:
        """Gains in dB of the spectrogram frames start..stop, those beyond the ends repeating the last."""
        wanted = torch.arange(start - 1, stop + 1, device=self._labels.device).clamp(0, len(self._labels) - 1)
        decibels = segment_gains_db[self._labels[wanted].long()]
        decibels = torch.cat((decibels[:, :1], decibels, decibels[:, -1:]), dim=1)
        decibels = (decibels[:, :-2] + 2 * decibels[:, 1:-1] + decibels[:, 2:]) / 4
        return (decibels[:-2] + 2 * decibels[1:-1] + decibels[2:]) / 4
