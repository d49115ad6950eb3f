"""How soon a thread is given a processor when it wants one: sound first, analysis last."""

import contextlib
import gc
import os
import sys


def urgent(level: int) -> None:
    """Put this thread before others: real-time if the user may (rtprio, or root), else as nice as allowed.

    `level` is 1 for what prepares sound and 2 for what hands it to the card. Threads begun from here on inherit it.
    """
    sys.setswitchinterval(0.0005)
    gc.freeze()  # (what is there now is not looked through again: a collection then takes next to no time)
    if not hasattr(os, "sched_setscheduler"):  # macOS, Windows
        return
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(4 + level))
        return
    with contextlib.suppress(OSError):
        os.nice(-8 - 3 * level)


def patient() -> None:
    """Put this process behind those that sound, yet not so far that a busy machine never gets to it."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)
