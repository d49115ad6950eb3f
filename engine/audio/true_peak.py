"""True peak (BS.1770-4, annex 2) of a stream of blocks: the peaks between the samples.

The sound is interpolated eightfold (a Kaiser-windowed sinc of 24 samples; the standard's fourfold misses up
to half a decibel at the top of the band). Interpolating everything is dear, so a chunk is looked at only
where the sum of the filter's magnitudes says that a peak of interest is possible at all: the answer is the
same.
"""

import math
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

FACTOR = 8
TAPS = 24
CHUNK = 16
_ROWS = 8  # chunks in a product; a hop of the mask filter is a multiple of it at 8 kHz and more


@cache
def _interpolation() -> np.ndarray:
    """From a window of samples to the points between those of its chunk.

    [CHUNK + TAPS - 1, (FACTOR - 1) * CHUNK]
    """
    steps = np.arange(TAPS) - (TAPS // 2 - 1)  # the samples used, counted from the one before the point
    matrix = np.zeros((CHUNK + TAPS - 1, FACTOR - 1, CHUNK))
    for phase in range(1, FACTOR):
        distance = phase / FACTOR - steps
        taps = np.sinc(distance) * np.i0(5.0 * np.sqrt(1 - (distance / (TAPS / 2)) ** 2)) / np.i0(5.0)
        for sample in range(CHUNK):
            matrix[sample : sample + TAPS, phase - 1, sample] = taps / taps.sum()
    return matrix.reshape(len(matrix), -1).astype(np.float32)


@cache
def _largest_rise() -> float:
    """How much larger than the samples around it a point between them can be at most."""
    return float(np.abs(_interpolation()).sum(axis=0).max())


def _interpolated(windows: np.ndarray, chunks: np.ndarray) -> np.ndarray:
    """The points between the samples of some chunks: [rows, CHUNK + TAPS - 1] -> [rows, (FACTOR - 1) * CHUNK].

    chunks: their numbers in the stream, ascending. How a BLAS product rounds a row depends on where it stands among
    how many others, so a chunk has its place by its number in products that are all of the same size.
    """
    numbers = chunks // _ROWS
    group = np.cumsum(
        np.diff(numbers, prepend=numbers[:1]) > 0
    )  # (as np.unique's inverse, without importing numpy.ma)
    rows = np.zeros((int(group[-1]) + 1, _ROWS, windows.shape[1]), dtype=np.float32)
    rows[group, chunks % _ROWS] = windows
    return np.asarray((rows @ _interpolation())[group, chunks % _ROWS])


def _largest_of_chunks(chunks: np.ndarray) -> np.ndarray:
    """`chunks.max(axis=1)` of [rows, CHUNK], by halves: reducing so short an axis costs ten times as much."""
    largest = chunks.reshape(-1)
    for _ in range(CHUNK.bit_length() - 1):
        largest = np.maximum(largest[::2], largest[1::2])
    return largest


class TruePeakEnvelope:
    """Magnitude of the sound at and after each sample, the largest over the channels, as blocks stream by.

    The answer comes late by TAPS // 2 samples and in whole chunks; feed as many zeros at the end.
    """

    delay = TAPS // 2 + CHUNK
    """After this many more samples the answer for a sample has come for certain."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, TAPS // 2 - 1), dtype=np.float32)
        self._chunk = 0  # the number of the next chunk

    def process(self, block: np.ndarray, *, above: float) -> np.ndarray:
        """Take `block` [samples, channels], return float32 [some multiple of CHUNK].

        Each value is the largest magnitude from one sample up to the next; those of which none exceeds
        `above` may be given as zero.
        """
        samples = np.concatenate((self._held, block.T), axis=1)  # [channels, samples]
        rows = (samples.shape[1] - (TAPS - 1)) // CHUNK
        if rows <= 0:
            self._held = samples
            return np.zeros(0, dtype=np.float32)
        used = rows * CHUNK + TAPS - 1
        self._held = samples[:, rows * CHUNK :].copy()
        windows = sliding_window_view(samples[:, :used], CHUNK + TAPS - 1, axis=1)[:, ::CHUNK]  # [channels, rows, :]
        peaks_of_chunks = np.zeros((rows, CHUNK), dtype=np.float32)
        first = TAPS // 2 - 1
        for channel, magnitude in enumerate(np.abs(samples[:, :used])):
            # A window is the tail of a chunk, the chunk, and the head of the next one.
            chunks = magnitude[first : first + rows * CHUNK].reshape(rows, CHUNK)
            loudest = _largest_of_chunks(chunks)
            before, after = magnitude[:first].max(), magnitude[-(TAPS // 2) :].max()
            around = np.concatenate(([before], loudest, [after]))
            around = np.maximum(np.maximum(around[:-2], around[2:]), loudest)
            candidates = np.flatnonzero(around * _largest_rise() > above)
            if not len(candidates):
                continue
            points = np.abs(_interpolated(windows[channel, candidates], self._chunk + candidates)).reshape(
                -1, FACTOR - 1, CHUNK
            )
            peaks = np.maximum(points.max(axis=1), chunks[candidates])
            peaks_of_chunks[candidates] = np.maximum(peaks_of_chunks[candidates], peaks)
        self._chunk += rows
        return peaks_of_chunks.reshape(-1)


class TruePeakMeter:
    """True peak (BS.1770-4, annex 2) of the blocks added to it."""

    def __init__(self, channels: int) -> None:
        self._peaks = TruePeakEnvelope(channels)
        self._tail = np.zeros((TruePeakEnvelope.delay, channels), dtype=np.float32)
        self._largest = 0.0

    def add(self, block: np.ndarray) -> None:
        """Measure `block`, float32 [samples, channels]."""
        peaks = self._peaks.process(block, above=self._largest)
        self._largest = max(self._largest, float(peaks.max(initial=0.0)))

    def peak_dbtp(self) -> float:
        """The largest true peak in dB against full scale (-inf for silence); ends the measurement."""
        self.add(self._tail)
        return 20 * math.log10(self._largest) if self._largest > 0 else -math.inf
