"""Counts the blocks that a sound card asked for, or was handed, too late: for back ends whose library does not say.

A card takes one block each period, or some at once after as many periods. The times of its calls follow a grid that
is set by the first call and by the latest call of each second, moved by at most `_DRIFT`: a card's clock drifts. A
block that is done later than its slack after its place on the grid came too late for the card: it played something
else meanwhile (silence, or a block again).
"""

from typing import Final

_DRIFT: Final = 500e-6
"""Clocks of cards are off by up to 0.01 %; virtual machines' clocks are slewed by as much as 0.05 %."""
_WINDOW_S: Final = 1.0
_NEARLY: Final = 0.25
"""Calls come a little before or after their place on the grid: of a period, when whole ones are counted."""


class LateBlocks:
    """Counts for one card.

    Examples
    --------
    >>> blocks = LateBlocks(period_s=0.010, slack_s=0.009)
    >>> [blocks.done(at) for at in (0.001, 0.011, 0.020, 0.042, 0.053)]
    [0, 0, 0, 1, 0]
    """

    def __init__(self, *, period_s: float, slack_s: float) -> None:
        """Begin to count.

        Parameters
        ----------
        period_s : float
            Length of a block.
        slack_s : float
            How long after its place on the grid a block may be done: what the card has buffered.
        """
        self._period_s, self._slack_s = period_s, slack_s
        self._due: float | None = None
        self._window: list[float] = []

    def done(self, now: float) -> int:
        """A block was handed over at that time of a steady clock: how many blocks the card had to do without."""
        due = now if self._due is None else self._due
        late_s = now - due
        self._due = due + self._period_s
        if late_s > self._slack_s:
            periods = int(late_s / self._period_s + _NEARLY)  # (the card's own grid goes on)
            self._due += periods * self._period_s
            self._window.clear()
            return max(1, periods)
        self._window.append(late_s)
        if len(self._window) * self._period_s >= _WINDOW_S:
            latest_s = max(self._window)
            limit = _DRIFT * len(self._window) * self._period_s
            early = latest_s < -self._period_s / 2  # all of them: periods were taken for left out that were only late
            self._due += latest_s if early else min(max(latest_s, -limit), limit)
            self._window.clear()
        return 0
