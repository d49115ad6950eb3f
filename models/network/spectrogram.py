"""The network's view of sound: a magnitude spectrogram in logarithmic bands, log10(1 + x).

The definition is madmom's LogarithmicFilteredSpectrogram (Boeck et al., 2016), as used by Chowdhury et al. (2019)
and Haunschmid et al. (2019): frames of 2048 samples centred on multiples of the hop, symmetric Hann window,
triangular filters 24 an octave from 20 Hz to 16 kHz whose coefficients sum to one, duplicates dropped. Pixels are
[frames, bands]; frame i is centred on sample i * HOP_LENGTH, and outside of the sound lies silence.
"""

import numpy as np
import torch

from ..common.arrays import FloatArray
from ..common.constants import HOP_LENGTH, N_FFT
from ..common.filterbank import band_frequencies, filterbank, frame_count
from ..signal.log_spectrogram import INPUT_VERSION

__all__ = [
    "INPUT_VERSION",
    "FloatArray",
    "LogSpectrogram",
    "TorchFourier",
    "apply_gain_db",
    "band_frequencies",
    "filterbank",
    "frame_count",
]


def apply_gain_db(spectrogram: torch.Tensor, gain_db: torch.Tensor | float) -> torch.Tensor:
    """The log10(1 + x) spectrogram of the same sound, louder by gain_db: a number, or one for each pixel."""
    return torch.log10(1.0 + (torch.pow(10.0, spectrogram) - 1.0) * 10 ** (gain_db / 20))


class TorchFourier:
    """torch's Fourier transforms of arrays (`signal.log_spectrogram.Fourier`): where it has MKL, twice as quick."""

    def rfft(self, x: np.ndarray) -> np.ndarray:
        """float32 [..., n] -> complex64 [..., n // 2 + 1]."""
        return np.asarray(torch.fft.rfft(torch.from_numpy(x)).numpy())

    def irfft(self, x: np.ndarray, n: int) -> np.ndarray:
        """complex64 [..., n // 2 + 1] -> float32 [..., n]."""
        return np.asarray(torch.fft.irfft(torch.from_numpy(x), n).numpy())


class LogSpectrogram(torch.nn.Module):
    """[..., samples] at SAMPLE_RATE -> [..., frames, N_BANDS], log10(1 + filtered magnitude).

    The front end is not invariant to level: scale a track by its own level (input_level.py), once, before.
    """

    window: torch.Tensor
    filters: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # numpy's hanning is the symmetric window, as in madmom
        self.register_buffer("window", torch.from_numpy(np.hanning(N_FFT)).float(), persistent=False)
        self.register_buffer("filters", torch.from_numpy(filterbank()), persistent=False)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """The spectrogram [..., frames, bands] of a sound at 22,050 Hz [..., samples]."""
        frames = frame_count(sound.shape[-1])
        right = (frames - 1) * HOP_LENGTH + N_FFT // 2 - sound.shape[-1]
        return self.unpadded(torch.nn.functional.pad(sound, (N_FFT // 2, max(right, 0))))[..., :frames, :]

    def unpadded(self, sound: torch.Tensor) -> torch.Tensor:
        """As forward, for sound that already starts half a frame early and ends half a frame late."""
        frames = sound.unfold(-1, N_FFT, HOP_LENGTH)  # [..., frames, N_FFT]
        magnitude = torch.fft.rfft(frames * self.window).abs()[..., :-1]  # without the Nyquist bin
        return torch.log10(1.0 + magnitude @ self.filters)
