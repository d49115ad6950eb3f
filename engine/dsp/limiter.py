"""A true-peak limiter with look-ahead; below the ceiling its gain is exactly one.

The gain reduction in dB that each sample's true peak asks for is held for the look-ahead, released linearly
in dB, and smoothed by two moving averages that together are as long as the look-ahead; so it is complete when
the peak arrives, and its onset is a smooth slope of 2 ms. All channels share it (the image does not move). It
is counted in whole millionths of a decibel: sums are exact, and the output does not depend on how the sound
is cut into blocks.
"""

import numpy as np

from ..audio.true_peak import TruePeakEnvelope

CEILING_RANGE_DBTP = (-20.0, 0.0)
"""What users may ask for."""
LOOK_AHEAD_S = 0.002
RELEASE_DB_PER_S = 40.0
_UNITS_PER_DB = 1_000_000
MARGIN_DB = 0.2
"""So much below the ceiling it begins: at the edge of the band other meters, with other filters, read up to this much
more."""


class Limiter:
    """Holds `ceiling_dbtp`. Push with `process`, end with `flush`; `latency` samples are kept back."""

    def __init__(self, *, sample_rate: int, channels: int, ceiling_dbtp: float = -1.0) -> None:
        self._ceiling_db = ceiling_dbtp - MARGIN_DB
        half = max(1, round(LOOK_AHEAD_S * sample_rate / 2))
        self._averages = (_MovingSum(half + 1), _MovingSum(half + 1))
        self._look_ahead = 2 * half
        self._scale = 1 / ((half + 1) ** 2 * _UNITS_PER_DB)
        self._release = round(RELEASE_DB_PER_S * _UNITS_PER_DB / sample_rate)
        self.latency = self._look_ahead + TruePeakEnvelope.delay
        self._peaks = TruePeakEnvelope(channels)
        self._position = 0  # of the next sample that will get its peak
        self._before = 0.0  # the peak after the sample before it
        self._held = np.zeros(self._look_ahead, dtype=np.int64)
        self._falling = 0  # reduction at the position before, so that it can be released from there
        self._waiting = np.zeros((0, channels), dtype=np.float32)
        self._subject = np.zeros(0, dtype=bool)
        self._skipped = 0  # of the look-ahead: the first gains belong to no sample
        self._left = 0
        self.deepest_db = 0.0
        """The largest reduction so far, in dB."""
        self.reduction_db = 0.0
        """The largest reduction of the samples that `process` gave last, in dB."""

    def process(self, block: np.ndarray, subject: np.ndarray | None = None) -> np.ndarray:
        """Push `block` float32 [n, channels], get float32 [m, channels].

        `subject` bool [n] says for which samples the ceiling is to hold (None: all). The others ask for no
        reduction; further than the look-ahead and the release away from those that do, they pass untouched.
        """
        self._left += len(block)
        return self._advance(block, np.ones(len(block), dtype=bool) if subject is None else subject)

    def flush(self) -> np.ndarray:
        """Give the rest; the output is then as long as the input, and the limiter is spent."""
        silence = np.zeros((self.latency + self._look_ahead, self._waiting.shape[1]), dtype=np.float32)
        return self._advance(silence, np.zeros(len(silence), dtype=bool))[: self._left]

    def _advance(self, block: np.ndarray, subject: np.ndarray) -> np.ndarray:
        self._waiting = np.concatenate((self._waiting, block))
        self._subject = np.concatenate((self._subject, subject))
        peaks = self._peaks.process(block, above=float(10 ** (self._ceiling_db / 20)))
        reduction = self._reduction(peaks)
        skipped = min(self._look_ahead - self._skipped, len(reduction))
        self._skipped += skipped
        reduction = reduction[skipped:]
        output, self._waiting = self._waiting[: len(reduction)], self._waiting[len(reduction) :]
        self.reduction_db = 0.0
        if reduction.any():
            reduced = np.flatnonzero(reduction)
            self.reduction_db = float(reduction.max() * self._scale)
            self.deepest_db = max(self.deepest_db, self.reduction_db)
            gain = np.exp(reduction[reduced] * (-np.log(10) / 20 * self._scale)).astype(np.float32)
            output = output.copy()
            output[reduced] *= gain[:, None]
        self._left -= len(output)
        return output

    def _reduction(self, peaks: np.ndarray) -> np.ndarray:
        """Smoothed reduction (int64, in units of _scale dB) for the samples from a look-ahead ago on."""
        asked = np.maximum(peaks, np.concatenate(([self._before], peaks[:-1]))) if len(peaks) else peaks
        if len(peaks):
            self._before = float(peaks[-1])
        asked = np.where(self._subject[: len(peaks)], asked, 0)
        self._subject = self._subject[len(peaks) :]
        over = asked > 10 ** (self._ceiling_db / 20)
        units = np.zeros(len(peaks), dtype=np.int64)
        excess_db = 20 * np.log10(asked[over], dtype=np.float64) - self._ceiling_db
        units[over] = np.ceil(excess_db * _UNITS_PER_DB).astype(np.int64)

        held = np.concatenate((self._held, units))
        self._held = held[len(units) :]
        if self._falling or held.any():
            units = self._released(_largest_of(held, self._look_ahead + 1))
        for average in self._averages:
            units = average.process(units)
        return units

    def _released(self, units: np.ndarray) -> np.ndarray:
        """The reduction falls no faster than the release: eq. y[n] = max(x[n], y[n - 1] - release)."""
        slope = self._release * np.arange(1, len(units) + 1)
        fallen = np.maximum(np.maximum.accumulate(units + slope), self._falling) - slope
        np.maximum(fallen, 0, out=fallen)
        if len(fallen):
            self._falling = int(fallen[-1])
        return fallen


def _largest_of(values: np.ndarray, length: int) -> np.ndarray:
    """The largest of each `length` values that follow each other: [len(values) - length + 1]."""
    span = 1
    while 2 * span <= length:
        values = np.maximum(values[span:], values[:-span])
        span *= 2
    rest = length - span
    return np.asarray(np.maximum(values[rest:], values[: len(values) - rest]))


class _MovingSum:
    """Sum of the last `length` values of a stream of whole numbers, exact."""

    def __init__(self, length: int) -> None:
        self._last = np.zeros(length, dtype=np.int64)

    def process(self, values: np.ndarray) -> np.ndarray:
        length = len(self._last)
        joined = np.concatenate((self._last, values))
        self._last = joined[len(values) :]
        if not joined.any():
            return values
        total = np.concatenate(([0], np.cumsum(joined)))
        return total[length + 1 :] - total[1 : len(values) + 1]
