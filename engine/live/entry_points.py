"""Entry points of the render and analysis processes; their modules are imported only in the new process."""

import atexit
import contextlib
import importlib
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from ..devices.backends import run_output_process
from ..processes.child_signals import ignore_signals
from ..processes.ipc import ChildProcesses
from ..processes.lasting_loop import fault_line
from ..processes.messages import Notice
from ..processes.realtime import set_control_priority

if TYPE_CHECKING:
    from ..processes.messages import AnalysisJob

_OF_PLAYER_AND_RENDERER: Final = ("..audio.decode", "..processes.ring_buffer", "..processes.messages")
_PREPARED: Final[list[ChildProcesses]] = []


def render_main(connection: "Connection[Any, Any]") -> None:
    """Entry point of the render process."""
    ignore_signals()
    with _fault_told("the renderer", connection):
        from .render_process import main

        main(connection)


def analysis_main(job: "AnalysisJob", connection: "Connection[Any, Any]") -> None:
    """Entry point of the analysis process."""
    ignore_signals()
    with _fault_told("the process that analyses", connection):
        from .analysis_process import main

        main(job, connection)


@contextlib.contextmanager
def _fault_told(who: str, connection: "Connection[Any, Any]") -> Iterator[None]:
    """Tell of an exception that ends the process as one line; a traceback would be written across the screen."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(Notice(fault_line(who, error), is_error=True))
        os._exit(1)


def prepare_processes(backend: str = "", *, fork: bool = False) -> None:
    """Begin the render and output processes of a player to come: they import what they need meanwhile.

    Parameters
    ----------
    backend : str
        The one that is likely to be asked for, if that is known.
    fork : bool
        Whether they may be copies of this process, which has nothing open yet: what all of them need is then imported
        once. Done on Linux only; libraries of other systems do not allow it.
    """
    if not fork:  # (a process that is being imported sees to its priority itself)
        set_control_priority()
    # The threads of NumPy's BLAS would spin beside the processes of the sound, which need none; the analysis has
    # torch's.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    children = ChildProcesses()
    atexit.register(children.join, 0)  # (where there is no player in the end)
    begin = children.fork if fork else children.prepare
    begin(run_output_process)  # (the first: a sound server takes its time to answer; it needs no NumPy for that)
    if backend:
        children.tell(run_output_process, backend)
    for name in _OF_PLAYER_AND_RENDERER if fork else ():
        importlib.import_module(name, __package__)
    begin(render_main)
    _PREPARED.append(children)


def prepared_processes() -> ChildProcesses:
    """What `prepare_processes` has begun, or begins now."""
    if not _PREPARED:
        prepare_processes()
    set_control_priority()
    return _PREPARED.pop()
