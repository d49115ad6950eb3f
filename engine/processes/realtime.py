"""Thread and process priorities: output, rendering and control in real time, analysis in the background."""

import contextlib
import gc
import os
import sys
import threading
from typing import Final

RT_START: Final = 1
"""Of a program that is still being imported: above all that is not sound, below everything of a show that plays."""
RT_CONTROL: Final = 2
"""SCHED_RR priority of threads that receive controls, and of the track loader: it holds the interpreter lock of the
render process now and then and must not be preempted for long while it does."""
RT_RENDER: Final = 3
RT_OUTPUT: Final = 4
"""Below the threads of a JACK server and its clients (5 and more)."""

NO_REALTIME_WARNING: Final = (
    "no right to real-time priority: drop-outs are likelier when the machine is busy "
    "(allow rtprio for your group in /etc/security/limits.d, as JACK's packages do)"
)

_NICE: Final = {RT_START: -8, RT_CONTROL: -8, RT_RENDER: -14, RT_OUTPUT: -16}
_BACKGROUND_NICE: Final = 5
_SWITCH_S: Final = 0.0005
_ALL_PAGES: Final = 1 | 2 | 4  # mlockall: those that are there, those to come, each when it is first used


def set_realtime(level: int) -> bool:
    """Give this thread real-time priority if the user may (rtprio, or root), else the lowest nice value allowed.

    Parameters
    ----------
    level : int
        RT_START, RT_CONTROL, RT_RENDER or RT_OUTPUT. Threads that are started by this one inherit it.

    Returns
    -------
    bool
        Whether it is scheduled in real time now.
    """
    sys.setswitchinterval(_SWITCH_S)
    if not hasattr(os, "sched_setscheduler"):  # macOS, Windows
        return False
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(level))
        return True
    _niceness(_NICE[level])
    return False


def realtime_allowed() -> bool:
    """Whether `set_realtime` would succeed here, tried in a thread of its own."""
    found: list[bool] = []
    trial = threading.Thread(target=lambda: found.append(set_realtime(RT_CONTROL)))
    trial.start()
    trial.join()
    return found == [True]


def lock_memory_and_freeze_gc() -> None:
    """Lock this process's memory into RAM and switch garbage collection off.

    For processes that create no reference cycles; to be called when everything has been imported.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    _lock_memory()


def freeze_gc() -> None:
    """Let the garbage collector pass over all objects that are there now; for when what is needed has been imported.

    A full collection over the objects of all libraries holds the interpreter lock for 70 ms every few seconds.
    """
    gc.freeze()


def set_start_priority() -> None:
    """Give this process, which imports what a show needs, real-time priority below all that plays already."""
    set_realtime(RT_START)


def set_control_priority() -> None:
    """Give this process, which receives controls, real-time priority below rendering and output.

    Child processes inherit it until they set their own.
    """
    set_realtime(RT_CONTROL)


def set_normal_priority() -> None:
    """Return this process to normal scheduling."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    _niceness(0)


def set_background_priority() -> None:
    """Lower the priority of this thread (nice 5): it still runs on a busy machine."""
    _niceness(_BACKGROUND_NICE)


def _niceness(value: int) -> None:
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, value)


def _lock_memory() -> None:
    """Lock all pages if the user has no limit on locked memory (with one, later allocations could fail)."""
    try:
        import ctypes
        import resource

        unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY or os.geteuid() == 0
        if unlimited and sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).mlockall(_ALL_PAGES)
    except (ImportError, AttributeError, OSError):
        return
