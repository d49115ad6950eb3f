"""play: a set list through the sound card, steered from the terminal, over OSC and by MIDI while it sounds."""

import contextlib
import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.extras import require
from ..console import options
from ..console.interruption import stopped_by_signals
from ..console.options import fader_gains_db
from ..console.output import Output
from .play_checks import check_options, checked_controls, show_to_play
from .surfaces import SurfaceOptions, take_ports

if TYPE_CHECKING:
    from ...engine.live.player_options import PlayerOptions
    from ...engine.processes.ipc import ChildProcesses
    from ..parameters.parameter import Value
    from ..session.early_player import EarlyPlayer

# What is imported at the head of this module delays the first sound: the rest is imported where it is used.

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
    from ...engine.live.entry_points import prepared_processes

    console = Output(as_json=as_json, quiet=quiet)
    gains_db = fader_gains_db(preset, settings)
    check_options(backend, block, ceiling, rate, channels, render_ahead, model, quality, record)
    show = show_to_play(files, resume=resume, paused=paused)
    analysis = {"coupled": coupled, "quality": quality}
    if prepare:
        from .prepare import prepare as prepare_tracks

        prepare_tracks(show.paths, model=model, settings=analysis, output=console)
        return
    if record is not None:
        from ...engine.performance.automation_file import check_recordable

        check_recordable(record)
    controls = checked_controls(gains_db, plays=show.plays and show.resumed is None)
    surfaces = SurfaceOptions(
        host=bind,
        osc_port=None if no_osc else osc_port,
        reply_port=reply_port,
        page_port=web_port if web else None,
        midi_input=midi,
        midi_output=midi_out,
    )
    sounds_at_once = show.needs_no_session and record is None and not surfaces.with_midi
    full = not (no_terminal or as_json or quiet) and _is_interactive()
    notes: list[str] = []  # while the full view is there it shows them; afterwards they are said
    with contextlib.ExitStack() as open_things:
        children = prepared_processes()
        open_things.callback(children.join, 0)
        from ...engine.live.player_options import PlayerOptions  # (while the processes start)

        player_options = PlayerOptions(
            backend=backend,
            device=device,
            sample_rate=rate,
            channels=channels,
            block_length=block,
            ahead=render_ahead,
            ceiling_dbtp=ceiling,
            model=model,
            analysis=analysis,
            draft_first=quality == "full" and record is None,
            presets=_settings_of_presets,
        )
        stop = open_things.enter_context(stopped_by_signals())
        ports = take_ports(open_things, surfaces)
        early = _start_player(open_things, show.paths, player_options, children, controls if sounds_at_once else {})
        from .running_show import run_show  # (the session and the surfaces: while it opens the device)

        run_show(
            open_things,
            show,
            player_options,
            early,
            ports,
            controls=controls,
            record=record,
            console=console,
            notes=notes if full else None,
            stop=stop,
        )
    for text in notes:
        console.note(text)


def _start_player(
    open_things: contextlib.ExitStack,
    paths: list[Path],
    player_options: "PlayerOptions",
    children: "ChildProcesses",
    controls: "dict[str, Value]",
) -> "EarlyPlayer":
    """Start the player in a thread; where it is given controls, leave the processor to it until it sounds."""
    from ..session.early_player import EarlyPlayer

    early = EarlyPlayer(paths, player_options, children, tuple(controls.items()))
    open_things.callback(early.close)
    if controls:
        early.wait_for_sound(_FIRST_SOUND_S)
    return early


def _settings_of_presets() -> tuple[tuple[float, ...], ...]:
    """The faders of all presets that can be read, in dB."""
    from ..session.presets import readable_presets

    return tuple(astuple(one.faders) for one in readable_presets()[0].values())


def _is_interactive() -> bool:
    """Whether a person can see the full view and press keys (it is drawn on standard error)."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
