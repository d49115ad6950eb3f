"""Values that move along straight lines in time: where one is depends only on the output sample, on no block size."""

import numpy as np

RAMP_S = 0.03
"""Time in which switches and levels reach a new value, linearly."""
FADER_RAMP_S = 0.03
"""Time in which a fader reaches a new value, linearly in dB."""


class Ramp:
    """A value (a number, or an array of them) that reaches each new target after `length` samples."""

    def __init__(self, value: float | np.ndarray, *, length: int) -> None:
        self._length = length
        self._start = -length
        self._from = self._target = np.asarray(value, dtype=np.float64)

    @property
    def target(self) -> np.ndarray:
        """Where it is at its end."""
        return self._target

    def set(self, position: int, target: float | np.ndarray) -> None:
        """Leave for `target` at that output sample."""
        wanted = np.asarray(target, dtype=np.float64)
        if (wanted != self._target).any():
            self._from = self.at(position)
            self._start, self._target = position, wanted

    def at(self, position: int) -> np.ndarray:
        """The value at an output sample."""
        way = (position - self._start) / self._length
        return self._target if way >= 1 else self._from + (self._target - self._from) * max(way, 0.0)

    def span(self, start: int, count: int) -> np.ndarray:
        """A single number at the samples start .. start + count: float32 [1, 1] where it rests, else [count, 1]."""
        if start - self._start >= self._length:
            return self._target.astype(np.float32).reshape(1, 1)
        way = np.clip((np.arange(start, start + count) - self._start) / self._length, 0.0, 1.0)
        return (self._from + (self._target - self._from) * way).astype(np.float32)[:, None]
