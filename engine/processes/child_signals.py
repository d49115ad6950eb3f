"""Signals of child processes: Ctrl-C goes to all processes of a terminal, and the parent ends its children itself."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import Final

_ENDING: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def signals_held_back(*, spawns: bool = True) -> Iterator[None]:
    """Hold back the signals that end programs; a process that is started in the block begins with them held back.

    Otherwise one that comes before the child has said what it does with it ends it with a traceback.

    Parameters
    ----------
    spawns : bool
        Whether multiprocessing starts the process anew (it is no copy of this one).
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    if spawns:
        run_resource_tracker()  # (it is started with the first one, and lets the signals in again)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_resource_tracker() -> None:
    """Start multiprocessing's resource tracker, without which no process is spawned, unless it runs.

    It inherits the file descriptor of `sys.stderr`, in whose place a terminal view puts an object without one (-1).
    """
    if not hasattr(signal, "pthread_sigmask"):  # (Windows has none)
        return
    try:
        has_descriptor = sys.stderr.fileno() >= 0
    except (AttributeError, OSError, ValueError):  # (none at all: the tracker does without)
        has_descriptor = True
    with contextlib.nullcontext() if has_descriptor else contextlib.redirect_stderr(sys.__stderr__):
        resource_tracker.ensure_running()


def ignore_signals(*, but: tuple[int, ...] = ()) -> None:
    """Ignore SIGINT, SIGTERM and SIGHUP from now on, also those that were held back: the parent acts on them.

    Parameters
    ----------
    but : tuple of int
        Signals that end this process, without more ado.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL if number in but else signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
