"""The part of `play` that follows the first sound: session, control surfaces, resumed show, view, until the end."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from ...engine.live.player_options import PlayerOptions
from ..console.interruption import StopRequest
from ..console.output import Output
from ..parameters.parameter import ROOT, Value
from ..saved_session.keeper import ShowKeeper, crashed_show, restore_show
from ..session.early_player import EarlyPlayer
from ..session.session import Session
from .deferred_notes import DeferredNotes
from .play_checks import ShowToPlay
from .show_views import run_full_view, run_status_lines
from .surfaces import TakenPorts, open_surfaces

_FADE_OUT_S = 0.3


def run_show(
    open_things: contextlib.ExitStack,
    show: ShowToPlay,
    player_options: PlayerOptions,
    early: EarlyPlayer,
    ports: TakenPorts,
    *,
    controls: Mapping[str, Value],
    record: Path | None,
    console: Output,
    notes: list[str] | None,
    stop: StopRequest,
) -> None:
    """Make the session of a player that has been started, open the surfaces, and show it until it ends.

    Parameters
    ----------
    open_things
        What closes everything that is opened here.
    show
        What is played.
    player_options, early
        Options of the player, and the player that was started with them.
    ports
        Sockets of the surfaces.
    controls
        Values that are set at the beginning, by address.
    record
        File of the recorded performance; None: not recorded.
    console
        For the lines that are printed.
    notes
        Where notes go while the full view is shown; None: a line a second is printed instead, and notes at once.
    stop
        Ends the show.

    Raises
    ------
    InputError
        If a surface, the device or the file of the recording cannot be opened.
    """
    note = DeferredNotes(console.note if notes is None else notes.append)
    open_things.callback(note.close)
    session = Session(note=note)
    paths, titles = show.paths, show.titles
    surfaces = open_surfaces(session, open_things, ports, paths, titles, console, note)
    for address, value in controls.items():
        session.set(address, value, source="command")
    track_settings = [track.settings for track in show.tracks]
    session.start_player(paths, player_options, record=record, settings=track_settings, started=early)
    if surfaces.web is not None:
        surfaces.web.start()  # (a process that takes a core for half a second: not before the first sound)
    open_things.callback(session.close, fade_s=_FADE_OUT_S)
    if show.resumed is not None:
        restore_show(session, show.resumed)
        session.set(f"{ROOT}/transport/play", show.plays, source="resume")
    elif line := crashed_show():
        note(line)
    open_things.callback(ShowKeeper(session, paths, show.given, note=note).close)
    note.release()
    if notes is None:
        run_status_lines(session, paths, console, stop)
    else:
        run_full_view(session, paths, titles, surfaces, stop, notes)
