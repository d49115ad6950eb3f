"""send, monitor, controls: an OSC client for scripts, and the table of addresses."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.atomic_write import atomic_write, check_destination
from ...models.common.errors import InputError
from ..console import options
from ..console.output import Output
from ..parameters.table import PARAMETERS, Value

if TYPE_CHECKING:
    from ..osc.packets import Message

Host = Annotated[str, typer.Option(metavar="HOST", help="Where `moodfader play` runs.")]
Port = Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Its --osc-port.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As `moodfader controls` lists them; patterns, too.")]
_PORT = 9000
_RATES_HZ = (0.1, 60.0)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # A negative number is a value here, not an option.
    app.command(context_settings={"ignore_unknown_options": True})(send)
    app.command()(monitor)
    app.command()(controls)


def send(
    address: Address,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VALUE]...", help="A number, true, false or a text; none: read."),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    as_json: options.Json = False,
) -> None:
    """Send one OSC message to a running `play`, and print what the address holds afterwards.

    Exit code 2 if it is refused (with the reason) or nothing answers.
    """
    from ..osc.client import OscClient

    if not address.startswith("/"):
        raise InputError(f"{address}: an address begins with a slash, for example /moodfader/wet")
    if not address.isascii() or not address.isprintable():
        raise InputError(f"{address}: an address has no other characters than those of ASCII")
    client = OscClient(host, port)
    try:
        for answer in client.query(address, *map(parse_argument, values or ())):
            _print(answer, Output(as_json=as_json))
    finally:
        client.close()


def monitor(
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    rate: Annotated[float, typer.Option(metavar="HZ", help="Packets a second, 0.1 to 60.")] = 10.0,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="End after so long; else on Ctrl-C.")] = None,
    norm: Annotated[bool, typer.Option("--norm", metavar="", help="Values on 0..1 where there is a range.")] = False,
    as_json: options.Json = False,
) -> None:
    """Print the state of a running `play`, then every change."""
    from ..osc.client import OscClient

    low, high = _RATES_HZ
    if not low <= rate <= high:
        raise InputError(f"--rate {rate:g}: goes from {low:g} to {high:g} Hz")
    if seconds is not None and not seconds > 0:
        raise InputError(f"--seconds {seconds:g}: a length above 0 is needed")
    output = Output(as_json=as_json)
    for message in OscClient(host, port).subscribe(rate_hz=rate, seconds=seconds, normalised=norm):
        _print(message, output)


def controls(
    layout: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a layout instead: Open Stage Control (.json), TouchOSC (.tosc), REAPER (.ReaperOSC).",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """List every OSC address: type, range, unit and description."""
    from ..layouts.address_reference import address_reference

    if layout is not None:
        check_destination(layout, overwrite=overwrite)
        content = _layout(layout)
        with atomic_write(layout) as beside:
            beside.write_bytes(content)
        Output(as_json=as_json).result({"layout": str(layout)}, lambda: str(layout))
    elif as_json:
        for parameter in PARAMETERS:
            Output(as_json=True).result(asdict(parameter), lambda: "")
    else:
        print(address_reference())


def _layout(path: Path) -> bytes:
    """The layout of the format that the file's name ends in. Raises InputError for another one."""
    from ..layouts.open_stage_control import open_stage_control
    from ..layouts.reaper import reaper_osc
    from ..layouts.touchosc import touchosc
    from ..session.presets import available_presets

    presets = tuple(available_presets())
    match path.suffix.lower():
        case ".json":
            return (json.dumps(open_stage_control(presets), indent=1) + "\n").encode()
        case ".tosc":
            return touchosc(presets)
        case ".reaperosc":
            return reaper_osc().encode()
    raise InputError(f"{path}: layouts end in .json (Open Stage Control), .tosc (TouchOSC) or .ReaperOSC (REAPER)")


def parse_argument(text: str) -> Value:
    """The OSC argument for a word of the command line. Raises InputError for inf and nan."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise InputError(f"{text}: is no finite number")
    whole = text.lstrip("+-").isdecimal() and text.isascii() and abs(number) < 2**31
    return int(text) if whole else number


def _print(message: "Message", output: Output) -> None:
    """Print the first argument of a message."""
    first = message.arguments[0] if message.arguments else None
    value = first if isinstance(first, Value) else first.description
    shown = "unknown" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    output.result({"address": message.address, "value": value}, lambda: f"{message.address} {shown}")
