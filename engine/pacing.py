"""When the next step of sound has to be made: so late that controls act soon, so early that it is there in time.

The card takes a block each period. The times of its takes are a grid that is known from the earliest of them (a late
one is an accident, not a new grid). A step is begun a margin before the take that needs its first sample. The margin
is long while the machine is busy or anything was late in the last while, and short on a calm one. No clock in here:
times are seconds of any steady clock, samples are counted from the first of the ring.
"""

from typing import Final

LEAST_S: Final = 0.004
MOST_S: Final = 0.022
_LATE_S: Final = 0.0025
"""A step that takes so long from when it should begin says that the short margin would be too short."""
_HOLD_S: Final = 30.0
_SLEW: Final = 0.05


class Pace:
    """The grid and the margin of one card."""

    def __init__(self, *, sample_rate: int, step_length: int, margin_s: float | None = None) -> None:
        """A `margin_s` that is given stays; else it follows what happens."""
        self._rate = sample_rate
        self._step_length = step_length
        self._fixed = margin_s is not None
        self.margin_s = MOST_S if margin_s is None else margin_s
        """How long before its take a step is begun."""
        self.busy = True
        """Whether the machine has little time to spare; said from outside."""
        self._calm_at = float("-inf")
        self._block = 0
        self._read = -1
        self._taken = 0.0

    def took(self, read: int, at: float, block_length: int) -> None:
        """The card had taken all before sample `read` at that time, `block_length` at once."""
        if read == self._read and block_length == self._block:
            return
        expected = self._taken + (read - self._read) / self._rate
        if self._read < 0 or block_length != self._block or at < expected or at - expected > 1:
            self._taken = at
        else:
            self._taken = expected + (at - expected) * _SLEW
        self._read, self._block = read, block_length

    def due(self, written: int) -> float:
        """When to begin the step whose first sample is the ring's `written`; -inf before the first take."""
        if self._read < 0:
            return float("-inf")
        return self._needed(written) - self.margin_s

    def most(self, block_length: int) -> int:
        """Samples that are kept ready at most, whatever the clock says (the card may be late, or gone)."""
        blocks = int(self.margin_s * self._rate / block_length) + 2
        return blocks * block_length + self._step_length

    def made(self, written: int, now: float) -> float:
        """The step that began at `written` is there: returns how long before its take; the margin learns from it."""
        if self._read < 0:
            return self.margin_s
        spare = self._needed(written) - now
        if self.busy or self.margin_s - spare > _LATE_S:
            self._calm_at = now + _HOLD_S
        if not self._fixed:
            self.margin_s = LEAST_S if now > self._calm_at else MOST_S
        return spare

    def _needed(self, written: int) -> float:
        """When the card takes the block that has sample `written` in it."""
        takes = (written - self._read) // self._block + 1
        return self._taken + takes * self._block / self._rate
