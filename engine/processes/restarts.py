"""Limit of restarts of a process that has ended within a time, after which it is reported (see player.py)."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from .messages import ProcessName

PROCESS_TEXTS: Final[dict[ProcessName, tuple[str, str]]] = {
    "renderer": ("the renderer", "the sound is gone"),
    "analyzer": ("the process that analyses", "no more analyses and measured emotions, the sound goes on"),
}
"""Name of each process, and what its end means for the show."""
MAX_RESTARTS: Final = 5
WITHIN_S: Final = 60.0


class RestartLimit:
    """Allows `MAX_RESTARTS` restarts within `WITHIN_S` seconds.

    Examples
    --------
    >>> limit = RestartLimit(clock=iter([0, 1, 2, 3, 4, 5, 61.5]).__next__)
    >>> [limit.allows() for _ in range(7)]
    [True, True, True, True, True, False, True]
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MAX_RESTARTS)

    def allows(self) -> bool:
        """Whether it may be started once more now; if so, that is counted."""
        now = self._clock()
        if len(self._times) == MAX_RESTARTS and now - self._times[0] < WITHIN_S:
            return False
        self._times.append(now)
        return True
