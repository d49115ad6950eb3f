"""Entry points of the render and analysis processes; their modules are imported only in the new process."""

import atexit
import os
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from ..devices.backends import run_output_process
from ..processes.ipc import ChildProcesses, ignore_signals
from ..processes.realtime import set_control_priority

if TYPE_CHECKING:
    from ..processes.messages import AnalysisJob

_PREPARED: Final[list[ChildProcesses]] = []


def render_main(connection: "Connection[Any, Any]") -> None:
    """Entry point of the render process."""
    ignore_signals()
    from .render_process import main

    main(connection)


def analysis_main(job: "AnalysisJob", connection: "Connection[Any, Any]") -> None:
    """Entry point of the analysis process."""
    ignore_signals()
    from .analysis_process import main

    main(job, connection)


def prepare_processes(backend: str = "") -> None:
    """Begin the render and output processes of a player to come: they import what they need meanwhile.

    backend: the one that is likely to be asked for, if that is known.
    """
    set_control_priority()
    # The threads of NumPy's BLAS would spin beside the processes of the sound, which need none; the analysis has
    # torch's.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    children = ChildProcesses()
    children.prepare(render_main, run_output_process)
    if backend:
        children.tell(run_output_process, backend)
    atexit.register(children.join, 0)  # (where there is no player in the end)
    _PREPARED.append(children)


def prepared_processes() -> ChildProcesses:
    """What `prepare_processes` has begun, or begins now."""
    if not _PREPARED:
        prepare_processes()
    return _PREPARED.pop()
