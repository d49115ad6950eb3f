"""Entry points of the render and analysis processes; their modules are imported only in the new process."""

from multiprocessing.connection import Connection
from typing import Any

from ..processes.ipc import ignore_signals
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
