"""The ways to a loudspeaker: each is a small process that copies blocks from the ring and does nothing else.

A back end sends DeviceOpened or DeviceFailed over its pipe, is then given the ring's name, and plays until the ring
says stop. It ends by itself when its owner is gone.
"""

import contextlib
import importlib
import os
from multiprocessing.connection import Connection
from typing import Any, Final

from ..processes.ipc import ignore_signals
from ..processes.messages import OutputJob

BACKENDS: Final = {
    "jack": "jack_backend",
    "portaudio": "portaudio_backend",
    "pyo": "portaudio_backend",
    "null": "null_backend",
}
"""Module of each; importing one costs what its library costs. `pyo` is JACK through pyo."""


_PARENT = os.getppid()


def parent_exited() -> bool:
    """Whether the process that started this one has gone."""
    return os.getppid() != _PARENT


def run_output_process(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Body of the output process."""
    ignore_signals()
    with contextlib.suppress(EOFError, OSError):
        importlib.import_module("." + BACKENDS[job.backend], __package__).run(job, connection)
    os._exit(0)  # (the libraries' own endings talk to servers that may be gone)


def probe_devices(connection: "Connection[Any, Any]") -> None:
    """Tell PortAudio's output devices, then whether JACK is there as a back end does."""
    from .jack_backend import run
    from .portaudio_backend import devices

    with contextlib.suppress(EOFError, OSError):  # (who asked does not go on to play)
        connection.send(devices())
        run(OutputJob("jack", None, 2, 512, name="moodfader-look"), connection)
