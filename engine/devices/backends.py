"""Registry of the output back ends: each runs in a small process that only copies blocks from the ring buffer.

The process receives its job over a pipe, and may be told before which back end that is likely to name. The back end
then sends DeviceOpened or DeviceFailed, receives the name of the ring buffer, and plays until `stop` is set or its
parent has exited.
"""

import contextlib
import importlib
import os
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from ..processes.child_signals import ignore_signals
from ..processes.messages import OutputJob
from ..processes.realtime import lock_memory_and_freeze_gc, set_control_priority

BACKENDS: Final = {
    "jack": "jack_backend",
    "portaudio": "portaudio_backend",
    "pyo": "portaudio_backend",
    "null": "null_backend",
}
"""Module of each back end, imported on use. `pyo` is JACK through pyo."""
_USUAL_CHANNELS: Final = 2


def _prepare(backend: str) -> None:
    """Open a back end ahead, where that takes a while and disturbs nobody."""
    importing = threading.Thread(target=_import, args=(BACKENDS.get(backend, "null_backend"),), name="import")
    importing.start()  # (NumPy takes about as long as a sound server does to answer)
    client = None
    if backend == "jack":
        from .jack_client import open_client

        with contextlib.suppress(ImportError, OSError):
            client = open_client(OutputJob.name)
    importing.join()
    if client is not None:
        from . import jack_backend

        jack_backend.prepare(client, _USUAL_CHANNELS)


def _import(module: str) -> None:
    importlib.import_module("." + module, __package__)
    lock_memory_and_freeze_gc()  # (before the first block: it holds the interpreter lock for as long as one lasts)


def run_output_process(connection: "Connection[Any, Any]") -> None:
    """Entry point of the output process."""
    ignore_signals()
    set_control_priority()  # (it waits for the server more than it works: what is imported beside it comes after)
    with contextlib.suppress(EOFError, OSError):
        job = connection.recv()
        if isinstance(job, str):  # the back end that the job is likely to name
            _prepare(job)
            likely, job = job, connection.recv()
            if likely == "jack" != job.backend:
                importlib.import_module(".jack_backend", __package__).discard()
        importlib.import_module("." + BACKENDS[job.backend], __package__).run(job, connection)
    if prepared := sys.modules.get(f"{__package__}.jack_backend"):
        prepared.discard()  # (nobody wants it: the server should not have to find out by itself)
    os._exit(0)  # the libraries' own shutdown may wait for servers that are gone


def probe_devices(connection: "Connection[Any, Any]") -> None:
    """Entry point of a process that sends PortAudio's output devices, then DeviceOpened or DeviceFailed for JACK."""
    ignore_signals()
    from .jack_backend import run
    from .portaudio_backend import devices

    with contextlib.suppress(EOFError, OSError):  # the caller closes the pipe instead of playing
        connection.send(devices())
        run(OutputJob("jack", None, 2, 512, name="moodfader-look"), connection)
