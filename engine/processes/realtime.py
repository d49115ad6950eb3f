"""How soon a thread is given a processor when it wants one: sound first, what steers it next, analysis last."""

import contextlib
import ctypes
import gc
import os
import sys
import threading
from typing import Final

RT_CONTROL: Final = 2
"""What takes in controls, and what reads tracks in the process that prepares sound: it holds that interpreter's lock
now and then, so it must not be left waiting for a processor while it does."""
RT_RENDER: Final = 3
RT_OUTPUT: Final = 4
"""Below the threads of a JACK server and its clients (5 and more), which this work must not keep waiting."""

NO_REALTIME_WARNING: Final = (
    "no right to real-time priority: drop-outs are likelier when the machine is busy "
    "(allow rtprio for your group in /etc/security/limits.d, as JACK's packages do)"
)

_NICE: Final = {RT_CONTROL: -8, RT_RENDER: -14, RT_OUTPUT: -16}
_PATIENT: Final = 5
_SWITCH_S: Final = 0.0005
_ALL_PAGES: Final = 1 | 2 | 4  # mlockall: those that are there, those to come, each when it is first used


def set_realtime(level: int) -> bool:
    """Put this thread before others: real-time if the user may (rtprio, or root), else as nice as allowed.

    Threads begun from here on inherit it. Returns whether it is real-time now.
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
    """Whether `urgent` would be real-time here; this thread stays as it is."""
    found: list[bool] = []
    trial = threading.Thread(target=lambda: found.append(set_realtime(RT_CONTROL)))
    trial.start()
    trial.join()
    return found == [True]


def lock_memory_and_freeze_gc() -> None:
    """No surprises in this process from here on: its memory stays where it is, and nobody looks for garbage.

    For processes that make no cycles of objects; call it when everything has been imported.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    _keep_memory()


def set_control_priority() -> None:
    """Put this process, the one that takes in controls, before all but what makes sound, as far as the user may.

    The processes that it starts inherit that, until they say what they are.
    """
    set_realtime(RT_CONTROL)


def set_normal_priority() -> None:
    """Put this process where others are: for what somebody waits for."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    _niceness(0)


def set_background_priority() -> None:
    """Put this thread behind those that sound, yet not so far that a busy machine never gets to it."""
    _niceness(_PATIENT)


def _niceness(value: int) -> None:
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, value)


def _keep_memory() -> None:
    """Keep the process's pages in memory where that has no limit (with one, later allocations could fail)."""
    try:
        import resource

        unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY or os.geteuid() == 0
        if unlimited and sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).mlockall(_ALL_PAGES)
    except (ImportError, AttributeError, OSError):
        return
