"""midi: list the inputs and the mapping, learn a control by moving it, remove one from the mapping."""

import contextlib
import threading
from dataclasses import asdict, replace
from typing import Annotated

import typer

from ...models.common.errors import InputError
from ..console import options
from ..console.output import Output
from ..midi.interfaces import Direction, port_names
from ..midi.learn import MidiLearn
from ..midi.mapping_file import MidiBinding, mapping_file, read_mapping, save_mapping
from ..midi.ports import MidiInput
from .osc import parse_argument

_MAX_WAIT_S = 3600.0
midi = typer.Typer(no_args_is_help=True, help="MIDI controls: list, learn by moving one, forget.")
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As `moodfader controls` lists them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(midi, name="midi")


@midi.command("list")
def list_midi(as_json: options.Json = False) -> None:
    """List the MIDI inputs and outputs of this system, and which control sets (and shows) which address."""
    output = Output(as_json=as_json)
    directions: tuple[Direction, ...] = ("input", "output")
    try:
        ports = [(direction, name) for direction in directions for name in port_names(direction)]
    except InputError as error:
        output.note(str(error))
        ports = []
    for direction, name in ports:
        values = {"port" if direction == "input" else "output": name}
        output.result(values, lambda direction=direction, name=name: f"{direction} {name}")  # type: ignore[misc]
    for binding in read_mapping(mapping_file()):
        output.result(asdict(binding), lambda binding=binding: _line(binding))  # type: ignore[misc]
    output.line(str(mapping_file()))


@midi.command()
def learn(
    address: Address,
    port: Annotated[
        str, typer.Option(metavar="NAME", help="The MIDI input, or a part of its name; virtual makes one.")
    ],
    value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="What a press sets: for pads, buttons, program changes.")
    ] = None,
    jump: Annotated[
        bool, typer.Option("--jump", metavar="", help="Act at once, even where the fader stands elsewhere.")
    ] = False,
    seconds: Annotated[float, typer.Option(metavar="S", help="How long to wait.")] = 30.0,
    as_json: options.Json = False,
) -> None:
    """Map a control to an address: move it (an encoder both ways, a button or pad once)."""
    if not 0 < seconds <= _MAX_WAIT_S:
        raise InputError(f"--seconds {seconds:g}: goes up to {_MAX_WAIT_S:g}")
    to_set = None if value is None else parse_argument(value)
    MidiBinding.check_address(address, to_set)
    others = [one for one in read_mapping(mapping_file()) if (one.address, one.value) != (address, to_set)]
    found = threading.Event()
    learner = MidiLearn(address, found.set, value=to_set)
    output = Output(as_json=as_json)
    with contextlib.closing(MidiInput(port, learner.receive)):
        action = "move the control, there and back," if to_set is None else "press the control"
        output.note(f"{action} for {address}")
        found.wait(seconds)
    if learner.result is None and learner.hears_parameter_numbers:
        raise InputError(
            f"{address}: the control sends NRPN, which is not read: set it to a controller of 7 or 14 bits"
        )
    if learner.result is None:
        raise InputError(f"{address}: nothing was moved far enough within {seconds:g} s (another port, or channel?)")
    binding = replace(learner.result, takeover="jump") if jump else learner.result
    save_mapping(mapping_file(), [*others, binding])
    output.result(asdict(binding), lambda: _line(binding))


@midi.command()
def forget(address: Address) -> None:
    """Remove an address from the mapping."""
    mapping = read_mapping(mapping_file())
    remaining = [binding for binding in mapping if binding.address != address]
    if len(remaining) == len(mapping):
        raise InputError(f"{address}: no MIDI control is mapped to it")
    save_mapping(mapping_file(), remaining)


def _line(binding: MidiBinding) -> str:
    """A binding as one line of text."""
    kind = "" if binding.message == "control" else f"{binding.message} "
    number = "" if binding.message == "pitchbend" else f"number {binding.number}  "
    sets = "" if binding.value is None else f"  sets {binding.value}"
    jumps = "  jumps" if binding.takeover == "jump" else ""
    return f"{binding.address}  {kind}channel {binding.channel}  {number}{binding.mode}{sets}{jumps}"
