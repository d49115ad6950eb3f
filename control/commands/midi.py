"""midi: list the ports and what is mapped, learn a control by moving it, forget one."""

import threading
from dataclasses import asdict
from typing import Annotated

import typer

from ...models.common.errors import InputError
from ..console import options
from ..console.output import Output
from ..midi.mapping import MidiBinding, read_mapping, save_mapping
from ..midi.ports import MidiLearn, input_ports, mapping_file, open_input

midi = typer.Typer(no_args_is_help=True, help="MIDI controls: list, learn by moving one, forget.")
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As `moodfader controls` lists them.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(midi, name="midi")


@midi.command("list")
def list_midi(as_json: options.Json = False) -> None:
    """The MIDI inputs of this system, and which control moves what."""
    voice = Output(as_json=as_json)
    try:
        ports = input_ports()
    except InputError as error:
        voice.note(str(error))
        ports = ()
    for port in ports:
        voice.result({"port": port}, lambda port=port: f"input {port}")  # type: ignore[misc]
    for mapped in read_mapping(mapping_file()):
        voice.result(asdict(mapped), lambda mapped=mapped: _told(mapped))  # type: ignore[misc]
    voice.line(str(mapping_file()))


@midi.command()
def learn(
    address: Address,
    port: Annotated[str, typer.Option(metavar="NAME", help="The MIDI input, or a part of its name.")],
    seconds: Annotated[float, typer.Option(metavar="S", help="How long to wait.")] = 30.0,
    as_json: options.Json = False,
) -> None:
    """Map a control to an address: move it (an encoder both ways, a button once)."""
    MidiBinding.check_address(address)
    found = threading.Event()
    learner = MidiLearn(address, found.set)
    opened_port = open_input(port, learner.receive)
    voice = Output(as_json=as_json)
    try:
        voice.note(f"move the control for {address}, there and back")
        found.wait(seconds)
    finally:
        opened_port.close()
    if learner.result is None:
        raise InputError(f"{address}: nothing was moved far enough within {seconds:g} s (another port, or channel?)")
    mapped = learner.result
    others = [one for one in read_mapping(mapping_file()) if one.address != address]
    save_mapping(mapping_file(), [*others, mapped])
    voice.result(asdict(mapped), lambda: _told(mapped))


@midi.command()
def forget(address: Address) -> None:
    """Take an address out of the mapping."""
    mapping = read_mapping(mapping_file())
    left = [mapped for mapped in mapping if mapped.address != address]
    if len(left) == len(mapping):
        raise InputError(f"{address}: no MIDI control is mapped to it")
    save_mapping(mapping_file(), left)


def _told(mapped: MidiBinding) -> str:
    return f"{mapped.address}  channel {mapped.channel}  number {mapped.number}  {mapped.mode}"
