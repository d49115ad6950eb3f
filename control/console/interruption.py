"""Signals that end the program: Ctrl-C, SIGTERM, SIGHUP.

A handler that raises may do so anywhere, also where Python's library has just taken a lock that it writes itself
(`threading.Condition`, and so `concurrent.futures` and each start of a thread): the lock stays taken, and the program
waits for ever for the threads that it ends. There the handler waits a moment and tries again.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Final

from ...models.common.errors import error_chain

_HOLD_LOCKS: Final = ("threading", "queue", "concurrent.futures", "logging", "importlib", "contextlib", "weakref")
"""Modules, and those within them, that hold locks (or what has been opened) in the middle of their functions."""
_TAKE_LOCKS: Final = ("__enter__", "__exit__", "acquire", "_acquire_restore", "_release_save")
"""Functions there that have taken or given up a lock when they end: they are never interrupted. Others are where they
wait, for which they are prepared."""
_RETRY_S: Final = 0.002
_LONGEST_S: Final = 2.0
"""So long after a signal it is raised anywhere."""
_AGAIN_S: Final = 2.0
"""So long after a signal another one is not heard: files are closed and removed, and people press Ctrl-C twice."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; files are closed and removed as after Ctrl-C.

    Parameters
    ----------
    number : int
        The signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def interrupt_behind(error: BaseException) -> KeyboardInterrupt | Terminated | None:
    """The interrupt that has become another error, or is one; None for other errors.

    Python wraps what a class raises while it is made, for example.
    """
    return next((one for one in error_chain(error) if isinstance(one, KeyboardInterrupt | Terminated)), None)


class _RaisingHandler:
    """Handler of the signals that end the program, and of the timer that retries where a lock may be held."""

    def __init__(self) -> None:
        self._waiting = 0  # number of a signal that has not been raised yet
        self._raised = 0
        self._received_at = 0.0
        self._place: object = None  # where the handler has found the program last
        self._quiet_until = float("-inf")

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt or Terminated, now or as soon as no lock stays taken by it."""
        if number != _ALARM:
            if self._waiting or time.monotonic() < self._quiet_until:
                return
            self._wait_with(number)
        elif not self._waiting:
            return
        if _ALARM and time.monotonic() - self._received_at < _LONGEST_S and self._may_take_lock(frame):
            signal.setitimer(signal.ITIMER_REAL, _RETRY_S)
            return
        self._raised, self._waiting, self._place = self._waiting, 0, None
        self._quiet_until = time.monotonic() + _AGAIN_S
        raise KeyboardInterrupt if self._raised == signal.SIGINT else Terminated(self._raised)

    def raise_again(self) -> None:
        """Raise again, soon, an interrupt that was raised in a destructor, where Python drops exceptions."""
        self._wait_with(self._raised)
        if _ALARM:
            signal.setitimer(signal.ITIMER_REAL, _RETRY_S)

    def _wait_with(self, number: int) -> None:
        self._waiting, self._received_at, self._place = number, time.monotonic(), None

    def _may_take_lock(self, frame: FrameType | None) -> bool:
        """Whether the interrupted function is one that takes locks, and has moved on since it was last looked at."""
        name = "" if frame is None else str(frame.f_globals.get("__name__", ""))
        if frame is None or not any(name == module or name.startswith(module + ".") for module in _HOLD_LOCKS):
            return False
        before, self._place = self._place, (frame, frame.f_lasti)
        return frame.f_code.co_name in _TAKE_LOCKS or before != self._place


_ALARM: Final = int(getattr(signal, "SIGALRM", 0))


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGINT and `Terminated` for SIGTERM and SIGHUP while the block runs.

    A signal that is ignored, or that somebody else handles, is left as it is. To be used in the main thread. Where
    the block ends the program (SystemExit), SIGINT then ends it silently.
    """
    handler = _RaisingHandler()
    before: dict[int, Any] = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            before[number] = signal.signal(number, handler)
    if before and _ALARM:
        before[_ALARM] = signal.signal(_ALARM, handler)
    unraisable = sys.unraisablehook

    def hook(event: Any) -> None:  # noqa: ANN401
        if isinstance(event.exc_value, KeyboardInterrupt | Terminated):
            handler.raise_again()
        else:
            unraisable(event)

    sys.unraisablehook = hook if before else unraisable
    try:
        yield
    except SystemExit:
        if signal.SIGINT in before:  # (an interrupt while the interpreter shuts down prints no traceback)
            before[signal.SIGINT] = signal.SIG_DFL
        raise
    finally:
        if _ALARM in before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, earlier in before.items():
            signal.signal(number, earlier)
        sys.unraisablehook = unraisable


@contextlib.contextmanager
def default_interrupt() -> Iterator[None]:
    """Leave Ctrl-C to `asyncio.run`, which ends its tasks by it where the handler is Python's own."""
    handler = signal.getsignal(signal.SIGINT)
    if not isinstance(handler, _RaisingHandler):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


class StopRequest:
    """Whether the program shall end; safe to set from a signal handler while the same thread waits for it."""

    def __init__(self) -> None:
        self._is_set = False
        self._wake: SimpleQueue[None] = SimpleQueue()  # (an Event's lock may be this thread's own)

    def set(self) -> None:
        """Ask the program to end."""
        self._is_set = True
        self._wake.put(None)

    def is_set(self) -> bool:
        """Whether the program shall end."""
        return self._is_set

    def wait(self, longest_s: float) -> bool:
        """Wait until it is set, at most for so long; returns whether it is set."""
        if not self._is_set:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=longest_s)
        return self._is_set


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[StopRequest]:
    """Give a request that SIGTERM and SIGHUP set, so that the program can close everything in order.

    A signal that is ignored (by nohup) is left as it is.
    """
    stop = StopRequest()
    before: dict[int, Callable[..., Any] | int | None] = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
