"""When a process counts as standing still, and how often within a time it is started again (see supervisor.py)."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from .messages import ProcessName

PROCESS_TEXTS: Final[dict[ProcessName, tuple[str, str]]] = {
    "renderer": ("the renderer", "the sound is gone"),
    "output": ("the sound card's process", "the sound is gone"),
    "analyzer": ("the process that analyses", "no more analyses and measured emotions, the sound goes on"),
}
"""Name of each process, and what its end means for the show."""
MAX_RESTARTS: Final = 5
WITHIN_S: Final = 60.0


_LONGEST_LOOK_S: Final = 0.5


class Pulse:
    """Tells that a process stands still by a number which it changes as long as it works.

    Time in which nobody looked does not count beyond half a second: this process itself, or the machine, stood still.

    Examples
    --------
    >>> pulse = Pulse(limit_s=1.0, clock=iter([0, 0.4, 0.8, 1.2, 60.0, 60.2]).__next__)
    >>> [pulse.stands_still(beat) for beat in (7, 8, 8, 8, 8, 8)]
    [False, False, False, False, True, True]
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s, self._clock = limit_s, clock
        self._beat: int | None = None
        self._looked_at, self._still_s = 0.0, 0.0

    def stands_still(self, beat: int | None) -> bool:
        """Whether the number has been the same for longer than the limit; None: there is nothing to expect of it."""
        now = self._clock()
        passed_s, self._looked_at = min(now - self._looked_at, _LONGEST_LOOK_S), now
        if beat is None or beat != self._beat:
            self._beat, self._still_s = beat, 0.0
            return False
        self._still_s += passed_s
        return self._still_s > self._limit_s


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
