"""Just-in-time render scheduler: each step is rendered late, for low latency, but before the device reads it.

The device reads a block each period. The times of its reads follow a grid, which is estimated from the earliest ones
(a late read does not move it). A step is begun a margin before the read that needs its first sample. The margin
adapts: short on an idle machine, longer while the machine is loaded or after a step was late. The module reads no
clock: times are seconds of any monotonic clock, samples are counted from the first of the ring buffer.
"""

from typing import Final

MARGIN_IDLE_S: Final = 0.0055
MARGIN_NOT_REALTIME_S: Final = 0.008
MARGIN_UNEVEN_S: Final = 0.009
MARGIN_JITTER_S: Final = 0.012
MARGIN_LOAD_S: Final = 0.015
MARGIN_ROUGH_S: Final = 0.022
MARGIN_LATE_S: Final = 0.036
MORE_FOR_A_STEP_S: Final = 0.002
"""Added for each step of a block after the first: they are made one after the other, and needed at once."""
_AFTER_LATE: Final = (
    (0.003, MARGIN_UNEVEN_S, 8.0),
    (0.0045, MARGIN_JITTER_S, 20.0),
    (0.008, MARGIN_ROUGH_S, 30.0),
    (0.012, MARGIN_LATE_S, 30.0),
)
"""(lateness, margin, duration) in seconds: a step that is done so long after its start time sets the margin so long.

Steps take 0.5 to 2 ms. Longer delays come from other real-time threads or from the host of a virtual machine. Small
ones announce large ones: where steps are late by about half of the shortest margin it is not short any more.
"""
_BUSY_HOLD_S: Final = 10.0
_START_HOLD_S: Final = 3.0
"""For so long after the first step the margin is the longest: the rest of the program is still being loaded."""
_SETTLE_S: Final = 0.1  # after a longer margin is set, the steps that are due at once are late by definition
_SLEW: Final = 0.05


class RenderScheduler:
    """When to render each step for one device: the grid of its read times, and the margin before a read."""

    def __init__(self, *, sample_rate: int, step_length: int, margin_s: float | None = None) -> None:
        """A given `margin_s` is fixed; None: it adapts."""
        self._rate = sample_rate
        self._step_length = step_length
        self._fixed = margin_s is not None
        self.idle_margin_s = MARGIN_IDLE_S
        """Margin where nothing asks for a longer one; set by the owner where it has no real-time priority."""
        self.margin_s = MARGIN_LATE_S if margin_s is None else margin_s
        """Time from the start of a step to the read that needs it."""
        self.busy = True
        """Whether the machine is loaded; set by the owner."""
        # until when each margin is required
        self._until = dict.fromkeys((MARGIN_LOAD_S, *(margin_s for _, margin_s, _ in _AFTER_LATE)), float("-inf"))
        self._settled_at = float("-inf")
        self._begun = False
        self._block = 0
        self._read = -1
        self._last_read_at = 0.0

    def on_device_read(self, read: int, at: float, block_length: int) -> None:
        """The device had read all samples before `read` at time `at`, in blocks of `block_length`."""
        if read == self._read and block_length == self._block:
            return
        expected = self._last_read_at + (read - self._read) / self._rate
        if self._read < 0 or block_length != self._block or at < expected or at - expected > 1:
            self._last_read_at = at
        else:
            self._last_read_at = expected + (at - expected) * _SLEW
        self._read, self._block = read, block_length

    def next_deadline(self, written: int) -> float:
        """Time to begin the step whose first sample is `written`; -inf before the first read."""
        if self._read < 0:
            return float("-inf")
        return self._needed(written) - self.margin_s

    def max_buffered(self, block_length: int) -> int:
        """Limit of buffered samples, whatever the clock says (the device may be late, or gone)."""
        blocks = int(self.margin_s * self._rate / block_length) + 2
        return blocks * block_length + self._step_length

    def on_step_done(self, written: int, now: float) -> float:
        """The step that begins at `written` is done: adapt the margin, return the slack before its read in s."""
        if self._read < 0:
            return self.margin_s
        more_s = max(self._block // self._step_length - 1, 0) * MORE_FOR_A_STEP_S
        slack_s = self._needed(written) - now
        late = self.margin_s - slack_s - more_s if now > self._settled_at else 0.0
        if not self._begun:
            self._begun = True
            self._until[MARGIN_LATE_S] = now + _START_HOLD_S
        if self.busy:
            self._until[MARGIN_LOAD_S] = now + _BUSY_HOLD_S
        for late_s, margin_s, hold_s in _AFTER_LATE:
            if late > late_s:
                self._until[margin_s] = now + hold_s
        wanted = max((margin_s for margin_s, until in self._until.items() if now < until), default=self.idle_margin_s)
        wanted += more_s
        if not self._fixed and wanted != self.margin_s:
            self.margin_s, self._settled_at = wanted, now + _SETTLE_S
        return slack_s

    def _needed(self, written: int) -> float:
        """Time of the read of the block that contains sample `written`."""
        reads = (written - self._read) // self._block + 1
        return self._last_read_at + reads * self._block / self._rate
