"""From a gain field to the spectrogram of the filtered sound, in NumPy: what `gain_path` has for tensors.

    gain field [frames, bands] dB -> 1-2-1 smoothing -> gains of the STFT's bins -> overlap-add -> log-spectrogram

The arithmetic is the mask filter's (same frames, windows, smoothing and interpolation), at the sample rate of the
networks: frames of 1,024 samples at 22,050 Hz last as long as those of 2,048 at 44,100 Hz, and have the same bins.
The result can be matched to the loudness of the original: here without the gates of BS.1770, in
`segment_predictions` with them and over several excerpts together. The limiter is not in it; where that is idle,
predictions agree with those of the written file within 1e-4. Frames are worked on in pieces that fit into a core's
cache, without torch. Several threads can work on such pieces of a long sound; the result does not depend on their
number.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import HOP_LENGTH, N_BANDS, N_FFT, SAMPLE_RATE
from ...models.common.filterbank import band_frequencies, frame_count
from ...models.inference.threads import each_of
from ...models.signal import compiled_scipy
from ...models.signal.log_spectrogram import Fourier, log_spectrogram
from ..audio.loudness import bin_k_power, k_power
from ..dsp.segment_mask import band_interpolation
from ..dsp.stft import OVERLAP, frame_length

FRAME: Final = frame_length(SAMPLE_RATE)
HOP: Final = FRAME // OVERLAP
EDGE: Final = 3
"""Frames by which the smoothed field is longer at each end: the first and last STFT frames lie beyond the sound."""
_FRAMES_AT_ONCE: Final = 112
"""Of fewer the calls take longer than the arithmetic; more do not fit into a core's cache."""
_FRAMES_A_THREAD: Final = 1024
"""STFT frames that a thread has for itself: twelve seconds."""
_NEPER_PER_DB: Final = math.log(10) / 20


class ArrayPath:
    """Filters a sound by gain fields; everything that does not depend on the field is computed once.

    Attributes
    ----------
    spectra : numpy.ndarray
        Windowed STFT frames: complex64 [count, bins].
    energies : numpy.ndarray
        K-weighted power of these: float64 [count].
    k_power : numpy.ndarray
        Squared magnitude of the K-weighting at the bins: float32 [bins].
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

    def __init__(
        self, samples: FloatArray, *, offset: int = 0, threads: int = 1, fourier: Fourier = compiled_scipy
    ) -> None:
        """Make what is needed of mono sound float32 [samples] at 22,050 Hz, on the scale of the network's input.

        offset: how many samples the first frame of gain fields lies before it; threads: so many parts of the sound
        are worked on at a time, here and later, with the same result; fourier: what transforms.
        """
        self._threads, self._fourier = threads, fourier
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
        self.spectra = np.empty((count, FRAME // 2 + 1), np.complex64)
        self.energies: Floats = np.empty(count)
        self.k_power = bin_k_power(SAMPLE_RATE, FRAME).astype(np.float32)
        self._of_parts = np.repeat(self.k_power, 2)  # (of a complex number)

        def transform(part: slice) -> None:
            for rows in _pieces(part, _FRAMES_AT_ONCE):
                spectra = self.spectra[rows] = fourier.rfft(frames[rows] * window.astype(np.float32))
                self.energies[rows] = self._energies(spectra)

        each_of(transform, self._parts(count), threads=threads)
        self.energy = float(self.energies.sum())
        self.frame, rest = np.divmod(np.arange(-1, count - 1, dtype=np.int64) * HOP + offset, HOP_LENGTH)
        self.fraction = (rest / HOP_LENGTH).astype(np.float32)[:, None]
        self.to_bins = _to_bins()

    def spectrogram(self, field_db: FloatArray, *, matched: bool = False) -> FloatArray:
        """Log-spectrogram float32 [frames, bands] of the sound under a gain field float32 [frames, bands] in dB."""
        return self.spectrogram_of(self.filtered(field_db, matched=matched))

    def spectrogram_of(self, sound: FloatArray, level: float = 1.0) -> FloatArray:
        """Log-spectrogram float32 [frames, bands] of what `filtered` or `steered` gave, times a gain `level`."""
        frames = frame_count(self.samples)
        found = np.empty((frames, N_BANDS), np.float32)

        def transform(part: slice) -> None:
            begin, end = part.start * HOP_LENGTH - N_FFT // 2, (part.stop - 1) * HOP_LENGTH + N_FFT // 2
            samples = np.zeros(end - begin, np.float32)
            inside = sound[max(begin, 0) : end]
            np.multiply(inside, np.float32(level), out=samples[max(-begin, 0) :][: len(inside)])
            found[part] = log_spectrogram(samples, fourier=self._fourier)

        each_of(transform, self._parts(frames), threads=self._threads)
        return found

    def filtered(self, field_db: FloatArray, *, matched: bool = False) -> FloatArray:
        """The sound float32 [samples] under a gain field [frames, bands] in dB; matched: as loud as without it."""
        sound, energies = self.steered(field_db)
        return sound * np.float32(math.sqrt(self.energy / (energies.sum() + 1e-20))) if matched else sound

    def steered(self, field_db: FloatArray) -> tuple[FloatArray, Floats]:
        """The sound float32 [samples] under a gain field [frames, bands] in dB, and `energies` as they become."""
        field = np.asarray(field_db, np.float32)
        return self.steered_by(lambda rows: field[rows], len(field))

    def steered_by(
        self, field_of: Callable[[npt.NDArray[np.int64]], FloatArray], frames: int
    ) -> tuple[FloatArray, Floats]:
        """As `steered`; field_of gives rows int64 [n] of a gain field of so many frames: float32 [n, bands].

        Beyond its ends a field goes on as its first and last frame.
        """
        count = len(self.spectra)
        energies = np.zeros(count)
        places = (self.frame + EDGE).clip(0, frames + 2 * EDGE - 2)

        def steer(part: slice) -> FloatArray:
            first = int(places[part.start])
            around = np.arange(first - EDGE - 1, places[part.stop - 1] - EDGE + 3).clip(0, frames - 1)
            logs = smoothed_rows(field_of(around)) @ self.to_bins  # logarithms of gains, from row `first` on
            added = np.zeros((part.stop - part.start + OVERLAP - 1, HOP), np.float32)
            for rows in _pieces(part, _FRAMES_AT_ONCE):
                gains = _between(logs, places[rows] - first, self.fraction[rows, 0])
                np.exp(gains, out=gains)
                spectra = self.spectra[rows] * gains
                energies[rows] = self._energies(spectra)
                hops = self._fourier.irfft(spectra, FRAME)
                hops *= self.synthesis
                number, at = len(hops), rows.start - part.start
                for lag in range(OVERLAP):
                    added[at + lag : at + lag + number] += hops[:, lag * HOP : (lag + 1) * HOP]
            return added

        parts = self._parts(count)
        sound = np.zeros((count + OVERLAP - 1, HOP), np.float32)
        for part, added in zip(parts, each_of(steer, parts, threads=self._threads), strict=True):
            sound[part.start : part.start + len(added)] += added
        return sound.reshape(-1)[self.before : self.before + self.samples], energies

    def k_power_of_bands(self, frames: int) -> FloatArray:
        """K-weighted power at so many frames of a gain field, each bin's at the band next to it: [frames, bands]."""
        nearest = np.zeros((N_BANDS, len(self.k_power)), np.float32)
        nearest[np.argmax(self.to_bins, axis=0), np.arange(len(self.k_power))] = self.k_power
        at = np.searchsorted(self.frame, np.arange(frames)).clip(0, len(self.spectra) - 1)
        found = np.empty((frames, N_BANDS), np.float32)
        for rows in _pieces(slice(0, frames), _FRAMES_AT_ONCE):
            parts = np.square(self.spectra[at[rows]].view(np.float32))
            found[rows] = (parts[:, ::2] + parts[:, 1::2]) @ nearest.T
        return found

    def _energies(self, spectra: npt.NDArray[np.complex64]) -> FloatArray:
        """K-weighted power of spectra [frames, bins]: float32 [frames]."""
        return np.asarray(np.einsum("ij,j->i", np.square(spectra.view(np.float32)), self._of_parts))

    def _parts(self, count: int) -> list[slice]:
        """Frames in parts for the threads."""
        return list(_pieces(slice(0, count), _FRAMES_A_THREAD))


def _pieces(whole: slice, length: int) -> Iterator[slice]:
    for first in range(whole.start, whole.stop, length):
        yield slice(first, min(first + length, whole.stop))


def _between(values: FloatArray, rows: npt.NDArray[np.int64], fractions: FloatArray) -> FloatArray:
    """Values [rows, bins] between each of these rising rows and the next one, linearly: float32 [n, bins].

    As a product of matrices, which passes over the bins once.
    """
    first, last = int(rows[0]), int(rows[-1]) + 1
    weights = np.zeros((len(rows), last + 1 - first), np.float32)
    number = np.arange(len(rows))
    weights[number, rows - first] = 1 - fractions
    weights[number, rows - first + 1] = fractions
    return np.asarray(weights @ values[first : last + 1])


def smoothed_rows(rows: FloatArray) -> FloatArray:
    """1-2-1 over bands and frames, as the mask filter smooths; the first and last row are only seen.

    float32 [n, bands] -> [n - 2, bands].
    """
    padded = np.concatenate((rows[:, :1], rows, rows[:, -1:]), axis=1)
    across = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return np.asarray((across[:-2] + 2 * across[1:-1] + across[2:]) / 4, np.float32)


def band_k_power() -> FloatArray:
    """Squared magnitude of the K-weighting at the bands, times their widths in Hz: float32 [bands]."""
    frequencies = band_frequencies().astype(np.float64)
    power = k_power(SAMPLE_RATE, frequencies * (2 * np.pi / SAMPLE_RATE))
    return np.asarray(power * np.gradient(frequencies), np.float32)


@cache
def _to_bins() -> FloatArray:
    """From dB of the bands to the logarithm of the gains of the bins: float32 [bands, bins]."""
    below, fraction = band_interpolation(np.arange(FRAME // 2 + 1) * (SAMPLE_RATE / FRAME))
    bins = np.arange(len(below))
    to_bins = np.zeros((N_BANDS, len(below)), np.float32)
    to_bins[below, bins] = 1 - fraction
    to_bins[below + 1, bins] += fraction.astype(np.float32)
    return to_bins * np.float32(_NEPER_PER_DB)
