"""send, monitor, controls: the small OSC client for scripts, and what can be sent."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from ..console import options
from ..console.output import Output
from ..session.parameters import PARAMETERS, Value
from . import midi

Host = Annotated[str, typer.Option(metavar="HOST", help="Where `moodfader play` runs.")]
Port = Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Its --osc-port.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As `moodfader controls` lists them; patterns, too.")]
_PORT = 9000


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # A negative number is a value here, not an option.
    app.command(context_settings={"ignore_unknown_options": True})(send)
    app.command()(monitor)
    app.command()(controls)
    midi.register(app)


def send(
    address: Address,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[VALUE]...", help="A number, true, false or a text; none: ask.")
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    as_json: options.Json = False,
) -> None:
    """Send one OSC message to a running `play`, and print what the address holds then.

    Exit code 2 if it is refused (with the reason) or nobody answers.
    """
    from ..osc.client import OscClient

    if not address.startswith("/") or not address.isascii() or not address.isprintable():
        raise InputError(f"{address}: an address begins with a slash, for example /moodfader/wet")
    client = OscClient(host, port)
    try:
        for answer in client.query(address, *map(parse_argument, values or ())):
            _say(answer.address, answer.arguments, Output(as_json=as_json))
    finally:
        client.close()


def monitor(
    host: Host = "127.0.0.1",
    port: Port = _PORT,
    rate: Annotated[float, typer.Option(metavar="HZ", help="How often changes are told, 0.1 to 60 a second.")] = 10.0,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="End after so long; else Ctrl-C does.")] = None,
    as_json: options.Json = False,
) -> None:
    """Print the state of a running `play`, then every change as it comes."""
    from ..osc.client import OscClient

    voice = Output(as_json=as_json)
    for message in OscClient(host, port).subscribe(rate_hz=rate, seconds=seconds):
        _say(message.address, message.arguments, voice)


def controls(
    layout: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a session for Open Stage Control instead (.json).")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """List every OSC address: type, range, unit and meaning."""
    from ..osc.controller_layouts import address_reference, open_stage_control

    if layout is not None:
        if layout.exists() and not overwrite:
            raise InputError(f"{layout}: exists already (--overwrite replaces it)")
        with atomic_write(layout) as beside:
            beside.write_text(json.dumps(open_stage_control(), indent=1) + "\n", encoding="utf-8")
        Output(as_json=as_json).result({"layout": str(layout)}, lambda: str(layout))
    elif as_json:
        for control in PARAMETERS:
            Output(as_json=True).result(asdict(control), lambda: "")
    else:
        print(address_reference())


def parse_argument(text: str) -> Value:
    """What a word of the command line means as an OSC argument. Raises InputError for inf and nan."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise InputError(f"{text}: is no finite number")
    whole = text.lstrip("+-").isdigit() and abs(number) < 2**31
    return int(text) if whole else number


def _say(address: str, arguments: tuple[Value, ...], voice: Output) -> None:
    value = arguments[0] if arguments else None
    shown = "unknown" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    voice.result({"address": address, "value": value}, lambda: f"{address} {shown}")
