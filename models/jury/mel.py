"""The mel spectrogram that musicnn's networks take (Pons & Serra 2019): 16 kHz, 96 bands, log10(1 + 10,000 x).

Power spectra of 512 samples (periodic Hann window, hop 256, zeros beyond the ends), triangular filters on Slaney's
mel scale (linear below 1 kHz, logarithmic above), each of unit area: librosa's `melspectrogram` with its defaults,
written out here so that a judge needs no more than torch.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ..common.arrays import FloatArray

MEL_RATE: Final = 16_000
MEL_N_FFT: Final = 512
MEL_HOP: Final = 256
MEL_BANDS: Final = 96


def slaney_filters(sample_rate: int, n_fft: int, n_mels: int) -> FloatArray:
    """Filters [n_mels, n_fft // 2 + 1] from 0 Hz to half the sample rate, each of unit area (in 1/Hz)."""
    edges = _hertz(np.linspace(0.0, _mel(sample_rate / 2), n_mels + 2))
    bins = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    rising = (bins[None] - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins[None]) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + np.log(hertz / 1000) * 27 / np.log(6.4)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27)))


class LogMel(torch.nn.Module):
    """Sound [samples] at 16 kHz -> [frames, 96]."""

    filters: torch.Tensor
    window: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        filters = torch.from_numpy(slaney_filters(MEL_RATE, MEL_N_FFT, MEL_BANDS))
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("window", torch.hann_window(MEL_N_FFT), persistent=False)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """log10(1 + 10,000 power) [frames, bands] of a sound at 16 kHz [samples]."""
        padded = torch.nn.functional.pad(sound, (MEL_N_FFT // 2, MEL_N_FFT // 2))
        power = torch.fft.rfft(padded.unfold(-1, MEL_N_FFT, MEL_HOP) * self.window).abs() ** 2
        return torch.log10(1 + 10_000 * (power @ self.filters.T))
