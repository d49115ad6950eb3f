"""The signal path from track to output as a block processor: mask filter, gain, limiter."""

import numpy as np

from .faders import Faders
from .limiter import Limiter
from .mask_filter import MaskFilter
from .ramps import FADER_RAMP_S, Ramp
from .segment_mask import SegmentMask


class SteeredSound:
    """Push blocks of a track in with `process`, end with `flush`; `latency` samples are kept back.

    The output is aligned with the input and as long, and does not depend on how the input is cut into blocks. New
    faders are heard from the next sample that comes out. Where the faders are at zero (and gain_db is) the samples
    are the input's own, else their true peak stays below ceiling_dbtp.
    """

    def __init__(
        self,
        labels: np.ndarray,
        mask_weights: np.ndarray,
        *,
        sample_rate: int,
        channels: int,
        gain_db: float = 0.0,
        ceiling_dbtp: float | None = -1.0,
        start: int = 0,
        device: object = "cpu",
    ) -> None:
        """Labels are int [frames, bands], mask_weights [segments, 7 or 14] (see segment_gain_db).

        start: the position in the track of the first sample that will be pushed. ceiling_dbtp None: no limiter.
        device: "cpu" (NumPy) or what torch calls a device.
        """
        self._mask = SegmentMask(labels, mask_weights, sample_rate=sample_rate, device=device)
        self._source = _PushedSamples(sample_rate, channels, start)
        self._filter = MaskFilter(self._source, start)
        self._gain = np.float32(10 ** (gain_db / 20))
        self._limiter = None
        if ceiling_dbtp is not None:
            self._limiter = Limiter(sample_rate=sample_rate, channels=channels, ceiling_dbtp=ceiling_dbtp)
        self._faders: list[tuple[int, np.ndarray]] = []  # values by the pushed sample that they came with
        self._ramp: Ramp | None = None
        self._ramp_length = round(FADER_RAMP_S * sample_rate)
        self._channels = channels
        self.hop_length = self._filter.hop_length
        self.latency = self._filter.n_fft + (0 if self._limiter is None else self._limiter.latency)

    @property
    def limited_db(self) -> float:
        """By how much the limiter lowered what it lowered most, in dB; 0 while it was idle."""
        return 0.0 if self._limiter is None else self._limiter.deepest_db

    def process(self, block: np.ndarray, faders: Faders) -> np.ndarray:
        """Push `block` float32 [n, channels] under these faders, get float32 [m, channels]."""
        values = faders.to_array().astype(np.float64)
        if not self._faders or (values != self._faders[-1][1]).any():
            self._faders.append((self._source.end, values))
        if self._ramp is None:
            self._ramp = Ramp(values, length=self._ramp_length)
        self._source.push(block)
        hops = (self._source.end - self._filter.position - self._filter.n_fft) // self.hop_length + 1
        return self._advance(max(hops, 0))

    def flush(self) -> np.ndarray:
        """Give the rest; the object is then spent."""
        left = self._source.end - self._filter.position
        output = self._advance(-(-left // self.hop_length), left)
        return output if self._limiter is None else np.concatenate((output, self._limiter.flush()))

    def _advance(self, hops: int, samples: int | None = None) -> np.ndarray:
        """So many hops, cut to `samples` at the end of the track, after gain and limiter."""
        parts, flags = [], []
        while hops > 0:
            faders_db, count = self._next_faders(hops)
            steered, processed = self._filter.steps(self._mask, faders_db, count)
            parts.append(steered)
            flags.append(np.repeat(processed, self.hop_length))
            hops -= count
        self._source.forget(self._filter.position - self._filter.n_fft)
        if not parts:
            return np.zeros((0, self._channels), dtype=np.float32)
        output, processed_at = np.concatenate(parts)[:samples], np.concatenate(flags)[:samples]
        if self._gain != 1:
            output, processed_at = output * self._gain, np.ones(len(output), dtype=bool)
        return output if self._limiter is None else self._limiter.process(output, processed_at)

    def _next_faders(self, hops: int) -> tuple[np.ndarray, int]:
        """Where the faders are at the end of the next hop, and for how many of the next hops they stay there."""
        assert self._ramp is not None
        # A hop ends under the faders of the time when the last sample of its newest frame came in.
        end = self._filter.position + self._filter.n_fft
        while len(self._faders) > 1 and self._faders[1][0] < end:
            del self._faders[0]
            self._ramp.set(*self._faders[0])
        now = self._ramp.at(end)
        if (now != self._ramp.target).any():
            return now, 1
        if len(self._faders) == 1:
            return now, hops
        return now, max(1, min(hops, (self._faders[1][0] - end) // self.hop_length + 1))


class _PushedSamples:
    """What was pushed of a track and is still needed, readable by position; silence before and after it."""

    def __init__(self, sample_rate: int, channels: int, start: int) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        self._samples = np.zeros((0, channels), dtype=np.float32)
        self._first = start

    @property
    def end(self) -> int:
        """One past the last sample that was pushed."""
        return self._first + len(self._samples)

    def push(self, block: np.ndarray) -> None:
        self._samples = np.concatenate((self._samples, block)).astype(np.float32, copy=False)

    def forget(self, before: int) -> None:
        """Drop what lies before that sample."""
        if (count := before - self._first) > 0:
            self._samples, self._first = self._samples[count:], before

    def read(self, start: int, stop: int) -> np.ndarray:
        output = np.zeros((stop - start, self.channels), dtype=np.float32)
        first, last = max(start, self._first), min(stop, self.end)
        if first < last:
            output[first - start : last - start] = self._samples[first - self._first : last - self._first]
        return output
