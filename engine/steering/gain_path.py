"""The way from a gain field to what a network hears, differentiable and equal to the written file.

    gain field [frames, bands] dB -> 1-2-1 smoothing -> gains of the STFT's bins -> overlap-add -> log-spectrogram

The arithmetic is the mask filter's (same frames, windows, smoothing and interpolation), at the rate at which the
networks hear: frames of 1,024 samples at 22,050 Hz last as long as those of 2,048 at 44,100 Hz, and have the same
bins. A field may be heard as loud as the original (BS.1770 without its gates). What the limiter does is not in it;
where it is idle, predictions agree with the written file's to 1e-4.
"""

import math

import numpy as np
import torch

from ...models.common.arrays import FloatArray
from ...models.common.constants import HOP_LENGTH, N_BANDS, SAMPLE_RATE
from ...models.common.filterbank import band_frequencies
from ...models.network.spectrogram import LogSpectrogram
from ..audio.loudness import k_weighting, section_response
from ..dsp.segment_mask import band_interpolation
from ..dsp.stft import OVERLAP, frame_length

_FRAME = frame_length(SAMPLE_RATE)
_HOP = _FRAME // OVERLAP
_EDGE = 3
"""Frames by which the smoothed field is longer at each end: the first and last STFT frames lie beyond the sound."""


class GainPath:
    """A sound to be heard under any gain field; everything that does not depend on the field is made once."""

    def __init__(self, samples: FloatArray, *, offset: int = 0) -> None:
        """Make what is needed of mono sound float32 [samples] at 22,050 Hz, on the scale at which it is heard.

        offset: how many samples the first frame of gain fields lies before it.
        """
        sound = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        self.samples = len(sound)
        window = torch.sin((torch.arange(_FRAME, dtype=torch.float64) + 0.5) * (math.pi / _FRAME))
        self._synthesis = (window * (2 / OVERLAP)).float()
        # Frame j is centred on sample j * _HOP; the first that reaches the sound is number -1.
        count = (self.samples - 1 + _FRAME // 2) // _HOP + 2
        before = _FRAME // 2 + _HOP
        after = max(0, (count - 2) * _HOP + _FRAME // 2 - self.samples)
        frames = torch.nn.functional.pad(sound, (before, after)).unfold(0, _FRAME, _HOP)[:count]
        self._spectra = torch.fft.rfft(frames * window.float())  # [count, bins]
        self._before = before
        self._power = self._spectra.abs() ** 2 * torch.from_numpy(_k_power())
        self._energy = self._power.sum()
        positions = np.arange(-1, count - 1, dtype=np.int64) * _HOP
        frame, rest = np.divmod(positions + offset, HOP_LENGTH)
        self._frame = torch.from_numpy(frame)
        self._fraction = torch.from_numpy((rest / HOP_LENGTH).astype(np.float32))[:, None]
        below, fraction = band_interpolation(np.arange(_FRAME // 2 + 1) * (SAMPLE_RATE / _FRAME))
        # From dB of the bands to the logarithm of the gains of the bins, [bands, bins].
        bins = np.arange(len(below))
        to_bins = np.zeros((N_BANDS, len(below)), np.float32)
        to_bins[below, bins] = 1 - fraction
        to_bins[below + 1, bins] += fraction.astype(np.float32)
        self._to_bins = torch.from_numpy(to_bins * np.float32(math.log(10) / 20))
        self.front_end = LogSpectrogram()
        """Sound [samples] -> log-spectrogram [frames, bands]."""
        self._plain = torch.pow(10.0, torch.as_tensor(self.front_end(sound))) - 1  # magnitude [frames, bands]
        self._band_power = self._plain**2 * torch.from_numpy(band_k_power())

    def spectrogram(self, field_db: torch.Tensor, *, matched: bool = False) -> torch.Tensor:
        """What is heard under a gain field [frames, bands] in dB: log-spectrogram [frames, bands]."""
        return torch.as_tensor(self.front_end(self.filtered(field_db, matched=matched)))

    def filtered(self, field_db: torch.Tensor, *, matched: bool = False) -> torch.Tensor:
        """The sound [samples] under a gain field [frames, bands] in dB; matched: as loud as without it."""
        smooth = _smoothed(field_db)
        place = (self._frame + _EDGE).clamp(0, len(smooth) - 2)
        bands = torch.lerp(smooth[place], smooth[place + 1], self._fraction)  # [STFT frames, bands]
        gains = (bands @ self._to_bins).exp_()  # [STFT frames, bins]
        frames = torch.fft.irfft(self._spectra * gains, n=_FRAME) * self._synthesis
        hops = frames.view(len(frames), OVERLAP, _HOP)
        pad = torch.nn.functional.pad
        parts = [pad(hops[:, part], (0, 0, part, OVERLAP - 1 - part)) for part in range(OVERLAP)]
        added = (parts[0] + parts[1] + parts[2] + parts[3]).view(-1)[self._before : self._before + self.samples]
        if matched:
            added = added * torch.sqrt(self._energy / ((self._power * gains**2).sum() + 1e-20))
        return added

    def quick_spectrogram(self, field_db: torch.Tensor) -> torch.Tensor:
        """About what `spectrogram` gives, matched, each frame and band for itself: for slopes, not for what is said.

        It knows the smoothing and the loudness match, but not how STFT frames overlap.
        """
        frames = len(self._plain)
        gains = _smoothed(field_db)[_EDGE : _EDGE + frames] * (math.log(10) / 20)
        if len(gains) < frames:
            gains = torch.cat((gains, gains[-1:].expand(frames - len(gains), -1)))
        factor = torch.exp(gains)
        factor = factor * torch.sqrt(self._band_power.sum() / ((self._band_power * factor**2).sum() + 1e-20))
        return torch.log10(1 + self._plain * factor)


def _smoothed(field: torch.Tensor) -> torch.Tensor:
    """1-2-1 over bands and frames, as the mask filter smooths, with _EDGE frames more before and after.

    Beyond its ends the field goes on as its first and last frame.
    """
    padded = torch.cat((field[:, :1], field, field[:, -1:]), dim=1)
    padded = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    ends = [side.expand(_EDGE + 1, -1) for side in (padded[:1], padded[-1:])]
    padded = torch.cat((ends[0], padded, ends[1]), dim=0)
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


def _k_power() -> FloatArray:
    """Squared magnitude of BS.1770's K-weighting at the bins of a frame: float32 [bins]."""
    response = section_response(k_weighting(SAMPLE_RATE), np.arange(_FRAME // 2 + 1) * (2 * np.pi / _FRAME))
    return np.asarray(np.abs(response) ** 2, np.float32)


def band_k_power() -> FloatArray:
    """Squared magnitude of the K-weighting at the bands, times their widths in Hz: float32 [bands]."""
    frequencies = band_frequencies().astype(np.float64)
    response = section_response(k_weighting(SAMPLE_RATE), frequencies * (2 * np.pi / SAMPLE_RATE))
    return np.asarray(np.abs(response) ** 2 * np.gradient(frequencies), np.float32)
