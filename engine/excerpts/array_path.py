"""The way from a gain field to the spectrogram under it, in NumPy: what `gain_path` has for tensors.

    gain field [frames, bands] dB -> 1-2-1 smoothing -> gains of the STFT's bins -> overlap-add -> log-spectrogram

The arithmetic is the mask filter's (same frames, windows, smoothing and interpolation), at the rate at which the
networks hear: frames of 1,024 samples at 22,050 Hz last as long as those of 2,048 at 44,100 Hz, and have the same
bins. A field may be heard as loud as the original: here without the gates of BS.1770, with them and over several
excerpts in `segment_predictions`. What the limiter does is not in it; where it is idle, predictions agree with the
written file's to 1e-4. It goes through the frames in pieces that fit into a core's cache, and needs no torch.
"""

import math
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import HOP_LENGTH, N_BANDS, N_FFT, SAMPLE_RATE
from ...models.common.filterbank import band_frequencies, frame_count
from ...models.signal.compiled_scipy import irfft, rfft
from ...models.signal.log_spectrogram import log_spectrogram
from ..audio.loudness import bin_k_power, k_power
from ..dsp.segment_mask import band_interpolation
from ..dsp.stft import OVERLAP, frame_length

FRAME: Final = frame_length(SAMPLE_RATE)
HOP: Final = FRAME // OVERLAP
EDGE: Final = 3
"""Frames by which the smoothed field is longer at each end: the first and last STFT frames lie beyond the sound."""
_FRAMES_AT_ONCE: Final = 64
_NEPER_PER_DB: Final = math.log(10) / 20


class ArrayPath:
    """A sound to be heard under any gain field; everything that does not depend on the field is made once.

    Attributes
    ----------
    spectra : numpy.ndarray
        Windowed STFT frames: complex64 [count, bins].
    power : numpy.ndarray
        K-weighted power of these: float32 [count, bins].
    energies : numpy.ndarray
        The sum of each frame's power: float64 [count].
    frame, fraction : numpy.ndarray
        Where each STFT frame lies among the frames of the field: int64 [count], and float32 [count, 1] from there to
        the next.
    to_bins : numpy.ndarray
        From dB of the bands to the logarithm of the gains of the bins: float32 [bands, bins].
    synthesis : numpy.ndarray
        Synthesis window: float32 [FRAME].
    before : int
        Samples before the sound's first one in what overlap-add gives.
    """

    def __init__(self, samples: FloatArray, *, offset: int = 0) -> None:
        """Make what is needed of mono sound float32 [samples] at 22,050 Hz, on the scale at which it is heard.

        offset: how many samples the first frame of gain fields lies before it.
        """
        sound = np.ascontiguousarray(samples, np.float32)
        self.samples = len(sound)
        window = np.sin((np.arange(FRAME) + 0.5) * (np.pi / FRAME))
        self.synthesis = (window * (2 / OVERLAP)).astype(np.float32)
        # Frame j is centred on sample j * HOP; the first that reaches the sound is number -1.
        count = (self.samples - 1 + FRAME // 2) // HOP + 2
        self.before = FRAME // 2 + HOP
        after = max(0, (count - 2) * HOP + FRAME // 2 - self.samples)
        padded = np.pad(sound, (self.before, after))
        frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count]
        self.spectra = rfft(frames * window.astype(np.float32))
        self.power = np.square(np.abs(self.spectra)) * bin_k_power(SAMPLE_RATE, FRAME).astype(np.float32)
        self.energies: Floats = self.power.sum(axis=1, dtype=np.float64)
        self.energy = float(self.energies.sum())
        self.frame, rest = np.divmod(np.arange(-1, count - 1, dtype=np.int64) * HOP + offset, HOP_LENGTH)
        self.fraction = (rest / HOP_LENGTH).astype(np.float32)[:, None]
        self.to_bins = _to_bins()

    def spectrogram(self, field_db: FloatArray, *, matched: bool = False) -> FloatArray:
        """What is heard under a gain field float32 [frames, bands] in dB: log-spectrogram float32 [frames, bands]."""
        return self.heard(self.filtered(field_db, matched=matched))

    def heard(self, sound: FloatArray) -> FloatArray:
        """Log-spectrogram float32 [frames, bands] of what `filtered` or `steered` gave."""
        frames = frame_count(self.samples)
        right = (frames - 1) * HOP_LENGTH + N_FFT // 2 - self.samples
        return log_spectrogram(np.pad(sound, (N_FFT // 2, max(right, 0))))[:frames]

    def filtered(self, field_db: FloatArray, *, matched: bool = False) -> FloatArray:
        """The sound float32 [samples] under a gain field [frames, bands] in dB; matched: as loud as without it."""
        sound, energies = self.steered(field_db)
        return sound * np.float32(math.sqrt(self.energy / (energies.sum() + 1e-20))) if matched else sound

    def steered(self, field_db: FloatArray) -> tuple[FloatArray, Floats]:
        """The sound float32 [samples] under a gain field [frames, bands] in dB, and `energies` as they become."""
        logs = smoothed(field_db) @ self.to_bins  # logarithms of gains: [frames of the field, bins]
        place = (self.frame + EDGE).clip(0, len(logs) - 2)
        count = len(self.spectra)
        added = np.zeros((count + OVERLAP - 1, HOP), np.float32)
        energies = np.zeros(count)
        for first in range(0, count, _FRAMES_AT_ONCE):
            rows = slice(first, first + _FRAMES_AT_ONCE)
            gains, following = logs[place[rows]], logs[place[rows] + 1]
            following -= gains
            following *= self.fraction[rows]
            gains += following
            np.exp(gains, out=gains)
            hops = irfft(self.spectra[rows] * gains, FRAME)
            hops *= self.synthesis
            number = len(hops)
            for part in range(OVERLAP):
                added[first + part : first + part + number] += hops[:, part * HOP : (part + 1) * HOP]
            gains *= gains
            gains *= self.power[rows]
            energies[rows] = gains.sum(axis=1)
        return added.reshape(-1)[self.before : self.before + self.samples], energies


def smoothed(field: FloatArray) -> FloatArray:
    """1-2-1 over bands and frames, as the mask filter smooths, with EDGE frames more before and after.

    Beyond its ends the field goes on as its first and last frame.
    """
    padded = np.pad(np.asarray(field, np.float32), ((EDGE + 1, EDGE + 1), (1, 1)), mode="edge")
    across = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return np.asarray((across[:-2] + 2 * across[1:-1] + across[2:]) / 4, np.float32)


def band_k_power() -> FloatArray:
    """Squared magnitude of the K-weighting at the bands, times their widths in Hz: float32 [bands]."""
    frequencies = band_frequencies().astype(np.float64)
    power = k_power(SAMPLE_RATE, frequencies * (2 * np.pi / SAMPLE_RATE))
    return np.asarray(power * np.gradient(frequencies), np.float32)


def _to_bins() -> FloatArray:
    """From dB of the bands to the logarithm of the gains of the bins: float32 [bands, bins]."""
    below, fraction = band_interpolation(np.arange(FRAME // 2 + 1) * (SAMPLE_RATE / FRAME))
    bins = np.arange(len(below))
    to_bins = np.zeros((N_BANDS, len(below)), np.float32)
    to_bins[below, bins] = 1 - fraction
    to_bins[below + 1, bins] += fraction.astype(np.float32)
    return to_bins * np.float32(_NEPER_PER_DB)
