"""The two views of a running show: the full terminal view, and a printed line a second."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..console.interruption import StopRequest, default_interrupt
from ..console.output import Output
from ..session.session import Session
from .surfaces import OpenSurfaces

_LINE_S: Final = 1.0


def run_status_lines(session: Session, files: list[Path], console: Output, stop: StopRequest) -> None:
    """A line a second until the last track has ended, or somebody stops."""
    from ..tui.status_line import format_status, status_snapshot

    while True:
        meters = session.meters
        if meters is not None:
            now = status_snapshot(session, files, meters)
            console.result(now, lambda now=now: format_status(now))  # type: ignore[misc]
        if stop.wait(_LINE_S) or (meters is not None and meters.ended):
            return


def run_full_view(
    session: Session,
    files: list[Path],
    titles: Sequence[str],
    surfaces: OpenSurfaces,
    stop: StopRequest,
    notes: Sequence[str],
) -> None:
    """The full view until the user quits or the program is told to end; `notes`: those that it shows, also later."""
    from ...engine.processes.child_signals import run_resource_tracker
    from ...engine.processes.realtime import freeze_gc
    from ..tui.app import Terminal

    def track() -> str:
        number = session.meters.track if session.meters else 0
        shown = titles[number] if titles[number] != files[number].stem else files[number].name
        return shown if len(files) == 1 else f"{number + 1}/{len(files)} {shown}"

    freeze_gc()
    run_resource_tracker()  # (before the view takes sys.stderr)
    view = Terminal(
        session,
        track=track,
        titles=titles,
        url=surfaces.url,
        clients=tuple if surfaces.osc is None else surfaces.osc.clients,
        notes=lambda: notes,
        until=stop.is_set,
    )
    with default_interrupt():
        view.run()
