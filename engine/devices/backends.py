"""The ways to a loudspeaker: each is a small process that copies blocks from the ring and does nothing else.

A back end tells ("booted", rate in Hz, block in samples) or ("failed", why) over its pipe, is then given the ring's
name, and plays until the ring says stop. It ends by itself when its owner is gone.
"""

import contextlib
import importlib
import os
from multiprocessing.connection import Connection
from typing import Any, Final

from ..processes.messages import AudioJob

BACKENDS: Final = {
    "jack": "backend_jack",
    "portaudio": "backend_pyo",
    "pyo": "backend_pyo",
    "null": "backend_null",
}
"""Module of each; importing one costs what its library costs. `pyo` is JACK through pyo."""


def main(job: AudioJob, connection: "Connection[Any, Any]") -> None:
    """Body of the audio process."""
    with contextlib.suppress(EOFError, OSError):
        importlib.import_module("." + BACKENDS[job.backend], __package__).run(job, connection)
    os._exit(0)  # (the libraries' own endings talk to servers that may be gone)


_PARENT = os.getppid()


def orphaned() -> bool:
    """Whether the process that started this one has gone."""
    return os.getppid() != _PARENT
