"""devices: where sound can go on this machine, and what is missing where it cannot."""

import contextlib
from typing import Any

import typer
from rich.console import Group
from rich.table import Table

from ..console import options
from ..console.output import Output


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(devices)


def devices(as_json: options.Json = False) -> None:
    """List JACK, PortAudio's sound cards, and what is missing."""
    console = Output(as_json=as_json)
    found = found_devices()
    console.result(found, lambda: _shown(found))


def found_devices() -> dict[str, Any]:
    """{"jack": {"running", "sample_rate", "block_length"}, "portaudio": [...], "realtime", "missing": [lines]}.

    Each library is asked in a process of its own: some end theirs when there is no device.
    """
    from ...engine.devices.backends import probe_devices
    from ...engine.processes.ipc import ChildProcesses
    from ...engine.processes.messages import DeviceOpened
    from ...engine.processes.realtime import NO_REALTIME_WARNING, realtime_allowed

    process, ours = ChildProcesses().start(probe_devices)
    jack: dict[str, Any] = {"running": False}
    cards: list[dict[str, Any]] = []
    missing = []
    with contextlib.suppress(EOFError, OSError):
        cards = ours.recv()
    with contextlib.suppress(EOFError, OSError):
        answer = ours.recv()
        if isinstance(answer, DeviceOpened):
            jack = {"running": True, "sample_rate": answer.sample_rate, "block_length": answer.block_length}
    ours.close()
    process.join(2.0)
    if process.is_alive():
        process.kill()
    if not jack["running"]:
        missing.append("JACK: no server answers (start one, for example: jackd -R -d alsa)")
    if not cards:
        missing.append("PortAudio: no sound card is to be seen (no hardware, or no right to it: group audio?)")
    realtime = realtime_allowed()
    if not realtime:
        missing.append(NO_REALTIME_WARNING[0].upper() + NO_REALTIME_WARNING[1:])
    return {"jack": jack, "portaudio": cards, "null": {"running": True}, "realtime": realtime, "missing": missing}


def _shown(found: dict[str, Any]) -> Group:
    table = Table(box=None, pad_edge=False)
    for title in ("back end", "device", "name", "channels", "rate"):
        table.add_column(title)
    if found["jack"]["running"]:
        jack = found["jack"]
        table.add_row("jack", "", f"blocks of {jack['block_length']}", "", f"{jack['sample_rate']} Hz")
    for card in found["portaudio"]:
        numbers = str(card["number"]), card["name"], str(card["channels"]), f"{card['sample_rate']} Hz"
        table.add_row("portaudio", *numbers)
    table.add_row("null", "", "plays to nobody, in real time", "any", "any")
    return Group(table, *found["missing"])
