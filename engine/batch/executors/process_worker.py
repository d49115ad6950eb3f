"""The loop of a worker process: takes a function and its arguments from a pipe, and sends back what it returns."""

import contextlib
import os
import pickle
import signal
from multiprocessing.connection import Connection
from typing import Any, Final

from ...processes.child_signals import ignore_signals

STARTED: Final = "started"
"""What a worker says when it has taken a task: one that dies before has not cost it."""


def serve(connection: Connection) -> None:
    """Work until the other end closes the pipe or sends None.

    Parameters
    ----------
    connection
        Receives (function, arguments); sends STARTED, then (whether it returned, what it returned or raised, memory
        in bytes).
    """
    ignore_signals(but=(signal.SIGTERM,))  # (the pool ends its workers by it)
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if message is None:
            return
        with contextlib.suppress(OSError):
            connection.send(STARTED)
        function, arguments = message
        answer: tuple[bool, Any]
        try:
            answer = True, function(*arguments)
        except Exception as error:
            answer = False, _sendable(error)
        with contextlib.suppress(OSError):
            connection.send((*answer, resident_bytes(os.getpid())))


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM and not shared with a file, in bytes; 0 where that cannot be read."""
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def available_fraction() -> float:
    """Share of this machine's memory that programs can still have, 0..1; 1 where that cannot be read."""
    values = {}
    try:
        with open("/proc/meminfo") as file:  # noqa: PTH123
            for line in file:
                name, _, rest = line.partition(":")
                values[name] = int(rest.split()[0])
        return values["MemAvailable"] / values["MemTotal"]
    except (OSError, ValueError, KeyError, IndexError):
        return 1.0


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
