"""The bodies of the player's processes. Each imports what it needs by itself: whoever starts one needs none of it."""

from multiprocessing.connection import Connection
from typing import Any

from ..processes.ipc import ignore_signals
from ..processes.messages import AnalysisJob


def render_main(connection: "Connection[Any, Any]") -> None:
    ignore_signals()
    from .render_process import main

    main(connection)


def analysis_main(job: AnalysisJob, connection: "Connection[Any, Any]") -> None:
    ignore_signals()
    from .analysis_process import main

    main(job, connection)
