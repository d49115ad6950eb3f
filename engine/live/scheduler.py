"""When the next step of sound has to be made: so late that controls act soon, so early that it is there in time.

The card takes a block each period. The times of its takes are a grid that is known from the earliest of them (a late
one is an accident, not a new grid). A step is begun a margin before the take that needs its first sample. The margin
is short on a calm machine, longer while it is busy or something was late in the last while, the longer the later it
was. No clock in here: times are seconds of any steady clock, samples are
counted from the first of the ring.
"""

from typing import Final

MARGIN_IDLE_S: Final = 0.008
MARGIN_JITTER_S: Final = 0.012
MARGIN_LOAD_S: Final = 0.022
MARGIN_LATE_S: Final = 0.036
_AFTER_LATE: Final = ((0.0055, MARGIN_JITTER_S, 10.0), (0.008, MARGIN_LOAD_S, 10.0), (0.012, MARGIN_LATE_S, 30.0))
"""A step that is ready so long after it should have begun asks for such a margin for such a time, in seconds.

Steps take half a millisecond to two. Real-time threads do not wait as long as the first line says, but a virtual
machine's host may stop all of it for a while.
"""
_BUSY_HOLD_S: Final = 10.0
_SETTLE_S: Final = 0.1  # after a change of the margin: the steps that a longer one asks for at once are late to it
_SLEW: Final = 0.05


class RenderScheduler:
    """The grid and the margin of one card."""

    def __init__(self, *, sample_rate: int, step_length: int, margin_s: float | None = None) -> None:
        """A `margin_s` that is given stays; else it follows what happens."""
        self._rate = sample_rate
        self._step_length = step_length
        self._fixed = margin_s is not None
        self.margin_s = MARGIN_LOAD_S if margin_s is None else margin_s
        """How long before its take a step is begun."""
        self.busy = True
        """Whether the machine has little time to spare; said from outside."""
        self._until = dict.fromkeys(
            (MARGIN_JITTER_S, MARGIN_LOAD_S, MARGIN_LATE_S), float("-inf")
        )  # how long which margin is wanted
        self._settled_at = float("-inf")
        self._block = 0
        self._read = -1
        self._taken = 0.0

    def on_device_read(self, read: int, at: float, block_length: int) -> None:
        """The card had taken all before sample `read` at that time, `block_length` at once."""
        if read == self._read and block_length == self._block:
            return
        expected = self._taken + (read - self._read) / self._rate
        if self._read < 0 or block_length != self._block or at < expected or at - expected > 1:
            self._taken = at
        else:
            self._taken = expected + (at - expected) * _SLEW
        self._read, self._block = read, block_length

    def next_deadline(self, written: int) -> float:
        """When to begin the step whose first sample is the ring's `written`; -inf before the first take."""
        if self._read < 0:
            return float("-inf")
        return self._needed(written) - self.margin_s

    def max_buffered(self, block_length: int) -> int:
        """Samples that are kept ready at most, whatever the clock says (the card may be late, or gone)."""
        blocks = int(self.margin_s * self._rate / block_length) + 2
        return blocks * block_length + self._step_length

    def on_step_done(self, written: int, now: float) -> float:
        """The step that began at `written` is there: returns how long before its take; the margin learns from it."""
        if self._read < 0:
            return self.margin_s
        spare = self._needed(written) - now
        late = self.margin_s - spare if now > self._settled_at else 0.0
        if self.busy:
            self._until[MARGIN_LOAD_S] = now + _BUSY_HOLD_S
        for late_s, margin_s, hold_s in _AFTER_LATE:
            if late > late_s:
                self._until[margin_s] = now + hold_s
        wanted = max((margin_s for margin_s, until in self._until.items() if now < until), default=MARGIN_IDLE_S)
        if not self._fixed and wanted != self.margin_s:
            self.margin_s, self._settled_at = wanted, now + _SETTLE_S
        return spare

    def _needed(self, written: int) -> float:
        """When the card takes the block that has sample `written` in it."""
        takes = (written - self._read) // self._block + 1
        return self._taken + takes * self._block / self._rate
