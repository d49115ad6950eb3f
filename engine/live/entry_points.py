"""Entry points of the render and analysis processes; their modules are imported only in the new process."""

from multiprocessing.connection import Connection
from typing import Any

from ..devices.backends import run_output_process
from ..processes.ipc import ChildProcesses, ignore_signals
from ..processes.messages import AnalysisJob


def render_main(connection: "Connection[Any, Any]") -> None:
    """Entry point of the render process."""
    ignore_signals()
    from .render_process import main

    main(connection)


def analysis_main(job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
    """Entry point of the analysis process."""
    ignore_signals()
    from .analysis_process import main

    main(job, connection)


def prepared_processes() -> ChildProcesses:
    """The render and output processes of a player to come: they import what they need meanwhile."""
    children = ChildProcesses()
    children.prepare(render_main, run_output_process)
    return children
