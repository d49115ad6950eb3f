"""play: a set list through the sound card, steered from the terminal, over OSC and by MIDI while it sounds."""

import contextlib
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.constants import QUALITIES
from ...models.common.errors import InputError
from ...models.common.extras import require
from ..console import options
from ..console.interruption import StopRequest, default_interrupt, stopped_by_signals
from ..console.options import fader_gains_db
from ..console.output import Output
from ..parameters.parameter import ROOT
from ..set_lists.set_list import read_set_list
from ..show.track_settings import TrackSettings
from .deferred_notes import DeferredNotes
from .play_checks import check_options, checked_controls, show_to_resume
from .surfaces import open_midi, open_osc, open_web, show_page_address, take_ports

if TYPE_CHECKING:
    from ..osc.server import OscServer
    from ..session.session import Session

# What is imported at the head of this module is in the way of the first sound: the rest is imported where it is used.

_LINE_S = 1.0
_FADE_OUT_S = 0.3
_FIRST_SOUND_S = 0.3
"""For so long at most the session waits for the first sound, which needs the processor."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(play)


def play(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Sound files, playlists (.m3u8) and set lists (.toml)."),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="jack, portaudio, pyo (JACK through pyo), null (no card), or auto: the first that works.",
        ),
    ] = "auto",
    device: Annotated[
        int | None, typer.Option(metavar="N", help="PortAudio's device (see: moodfader devices).")
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(metavar="HZ", help="Sample rate; JACK has its own, else the first file's."),
    ] = None,
    channels: Annotated[int | None, typer.Option(metavar="N", help="Channels; two, or as many as the files.")] = None,
    block: Annotated[int, typer.Option(metavar="N", help="Samples in a block (JACK has its own).")] = 512,
    render_ahead: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Samples rendered ahead: more is safer, but reacts later. If unset, it adapts."
        ),
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Begin with a preset.")] = None,
    settings: options.Set = None,
    paused: Annotated[bool, typer.Option("--paused", metavar="", help="Do not begin to play yet.")] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", metavar="", help="Analyse all tracks before the show, and end.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on with the last show where it ended or was cut off.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="F", help="Record the performance (JSON Lines; see: render --automation).")
    ] = None,
    osc_port: Annotated[int, typer.Option(metavar="N", help="UDP port for OSC; 0 takes any free one.")] = 9000,
    no_osc: Annotated[bool, typer.Option("--no-osc", metavar="", help="No OSC.")] = False,
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 lets the whole network in.")
    ] = "127.0.0.1",
    reply_port: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=65535,
            help="Answer OSC clients on this port, not on the one they send from (oscP5, TouchOSC).",
        ),
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", metavar="", help="Serve a page with faders for phones and tablets.")
    ] = False,
    web_port: Annotated[int, typer.Option(metavar="N", help="TCP port of the page; 0 takes any free one.")] = 9080,
    midi: Annotated[
        str | None, typer.Option(metavar="PORT", help="MIDI input to listen to; virtual makes one.")
    ] = None,
    midi_out: Annotated[
        str | None,
        typer.Option(metavar="PORT", help="MIDI output for motor faders, LED rings and lamps; virtual makes one."),
    ] = None,
    ceiling: options.Ceiling = -1.0,
    no_terminal: Annotated[
        bool, typer.Option("--no-terminal", metavar="", help="One line a second instead of the full view.")
    ] = False,
    coupled: options.Coupled = False,
    quality: Annotated[
        str,
        typer.Option(
            metavar="full|draft",
            help="full: a draft of the analysis within seconds, then the full one; draft: the draft only.",
        ),
    ] = "full",
    model: options.ModelFile = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="One JSON object a second.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Play tracks one after the other; seven faders move them, eight emotions follow."""
    require("pyo", "textual", "zeroconf", "supriya_midi")
    from ...engine.audio.decode import probe
    from ...engine.live.entry_points import prepared_processes
    from ...engine.performance.automation_file import check_recordable

    console = Output(as_json=as_json, quiet=quiet)
    gains_db = fader_gains_db(preset, settings)
    check_options(backend, block, ceiling, rate, channels, render_ahead, model)
    if quality not in QUALITIES:
        raise InputError(f"--quality {quality}: there are {', '.join(QUALITIES)}")
    if quality == "draft" and record is not None:
        raise InputError("--record: is rendered with the full analysis; leave --quality draft out")
    show = show_to_resume(files) if resume else None
    given = list(files or (show.given if show is not None else ()))
    tracks = read_set_list(given)
    paths = [track.file for track in tracks]
    if not paths:
        raise InputError("which files? (sound files, playlists .m3u8 or set lists .toml; --resume: the last show)")
    if show is not None and [path.absolute() for path in paths] != list(show.tracks):
        raise InputError("--resume: the set list has other tracks than the show had (play it without --resume)")
    for file in paths:
        probe(file)
    if prepare:
        from .prepare import prepare as prepare_tracks

        prepare_tracks(paths, model=model, settings={"coupled": coupled, "quality": quality}, output=console)
        return
    if record is not None:
        check_recordable(record)
    full = not (no_terminal or as_json or quiet) and _is_interactive()
    notes: list[str] = []  # while the full view is there it shows them; afterwards they are said
    note = DeferredNotes(notes.append if full else console.note)
    titles = [track.shown for track in tracks]
    plays = not paused and (show is None or show.playing)
    begin = checked_controls(gains_db, plays=plays and show is None)
    # Only what needs nothing of the session can sound before there is one.
    at_once = plays and show is None and record is None and midi is None and midi_out is None
    at_once = at_once and all(track.settings == TrackSettings() for track in tracks)
    with contextlib.ExitStack() as open_things:
        open_things.callback(note.close)
        children = prepared_processes()
        open_things.callback(children.join, 0)
        from ...engine.live.player_options import PlayerOptions  # (while the processes start)
        from ..session.early_player import EarlyPlayer

        stop = open_things.enter_context(stopped_by_signals())
        wanted = PlayerOptions(
            backend=backend,
            device=device,
            sample_rate=rate,
            channels=channels,
            block_length=block,
            ahead=render_ahead,
            ceiling_dbtp=ceiling,
            model=model,
            analysis={"coupled": coupled, "quality": quality},
            draft_first=quality == "full" and record is None,
            presets=_settings_of_presets,
        )
        taken = take_ports(open_things, bind, None if no_osc else osc_port, web_port if web else None)
        early = EarlyPlayer(paths, wanted, children, tuple(begin.items()) if at_once else ())
        open_things.callback(early.close)
        if at_once:
            early.wait_for_sound(_FIRST_SOUND_S)
        from ..saved_session.keeper import ShowKeeper, crashed_show, restore_show  # (while it opens the device)
        from ..session.session import Session

        session = Session(note=note)
        server = None if taken.osc is None else open_osc(session, open_things, taken.osc, reply_port, note)
        url, pages = "", None
        if web or server is not None:
            query = server.port if server is not None else None
            pages = open_web(session, open_things, taken, query, paths, titles, note)
            url = pages.url
            if web:
                show_page_address(console, url)
        if midi is not None or midi_out is not None:
            open_midi(session, open_things, midi, midi_out, note)
        for address, value in begin.items():
            session.set(address, value, source="command")
        about = [track.settings for track in tracks]
        session.start_player(paths, wanted, record=record, settings=about, started=early)
        if pages is not None:
            pages.start()  # (a process that takes a core for half a second: not before the first sound)
        open_things.callback(session.close, fade_s=_FADE_OUT_S)
        if show is not None:
            restore_show(session, show)
            session.set(f"{ROOT}/transport/play", plays, source="resume")
        elif line := crashed_show():
            note(line)
        open_things.callback(ShowKeeper(session, paths, given, note=note).close)
        note.release()
        if full:
            _full_view(session, paths, titles, url, server, stop, notes)
        else:
            _lines(session, paths, console, stop)
    for text in notes:
        console.note(text)


def _settings_of_presets() -> tuple[tuple[float, ...], ...]:
    """The faders of all presets that can be read, in dB."""
    from ..session.presets import readable_presets

    return tuple(astuple(one.faders) for one in readable_presets()[0].values())


def _is_interactive() -> bool:
    """Whether a person can see the full view and press keys (it is drawn on standard error)."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _lines(session: "Session", files: list[Path], console: Output, stop: StopRequest) -> None:
    """A line a second until the last track has ended, or somebody stops."""
    from ..tui.status_line import format_status, status_snapshot

    while True:
        meters = session.meters
        if meters is not None:
            now = status_snapshot(session, files, meters)
            console.result(now, lambda now=now: format_status(now))  # type: ignore[misc]
        if stop.wait(_LINE_S) or (meters is not None and meters.ended):
            return


def _full_view(
    session: "Session",
    files: list[Path],
    titles: list[str],
    url: str,
    server: "OscServer | None",
    stop: StopRequest,
    notes: list[str],
) -> None:
    """Until the user quits or the program is told to end."""
    from ...engine.processes.child_signals import run_resource_tracker
    from ...engine.processes.realtime import freeze_gc
    from ..tui.app import Terminal

    def track() -> str:
        number = session.meters.track if session.meters else 0
        shown = titles[number] if titles[number] != files[number].stem else files[number].name
        return shown if len(files) == 1 else f"{number + 1}/{len(files)} {shown}"

    clients = server.clients if server else tuple
    freeze_gc()
    run_resource_tracker()  # (before the view takes sys.stderr)
    view = Terminal(
        session, track=track, titles=titles, url=url, clients=clients, notes=lambda: notes, until=stop.is_set
    )
    with default_interrupt():
        view.run()
