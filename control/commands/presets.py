"""presets: list, show and save fader positions with a name."""

from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from ..console import options
from ..console.output import Output, print_error
from ..console.tables import numbers_table, with_title
from ..session.presets import Preset, find_preset, readable_presets, save_preset

presets = typer.Typer(no_args_is_help=True, help="Fader positions with a name: list, show, save.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(presets, name="presets")


@presets.command("list")
def list_presets(as_json: options.Json = False) -> None:
    """All presets with a sentence on what they are for. One that cannot be read is named (exit code 2)."""
    console = Output(as_json=as_json)
    readable, broken = readable_presets()
    found = list(readable.values())
    for reason in broken.values():
        print_error(reason)
    if as_json:
        for preset in found:
            console.result(_values(preset), lambda: "")
        raise typer.Exit(2 if broken else 0)
    table = Table(header_style="", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("preset", "what it is for"):
        table.add_column(column)
    for preset in found:
        own = " (yours)" if preset.is_user else ""
        table.add_row(Text.assemble((preset.name, "bold"), own), preset.summary)
    console.show(table)
    raise typer.Exit(2 if broken else 0)


@presets.command("show")
def show_preset(name: Name, as_json: options.Json = False) -> None:
    """Show the fader positions of a preset and its file."""
    preset = find_preset(name)
    Output(as_json=as_json).result(_values(preset), lambda: _table(preset))
    Output(as_json=as_json).line(str(preset.path))


@presets.command("save")
def save(
    name: Name,
    settings: options.Set = None,
    start: Annotated[str | None, typer.Option("--from", metavar="PRESET", help="Start from another preset.")] = None,
    summary: Annotated[str, typer.Option(help="A sentence on what it is for.")] = "",
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Save fader positions as a preset of your own; it hides a shipped one of the same name."""
    gains_db = options.fader_gains_db(start, settings)
    if not gains_db:
        raise InputError(f"preset {name!r}: nothing to save, give --set FEATURE=DB or --from PRESET")
    preset = save_preset(name, gains_db, summary=summary, overwrite=overwrite)
    console = Output(as_json=as_json)
    console.result(_values(preset), lambda: _table(preset))
    console.line(f"saved as {preset.path}")


def _values(preset: Preset) -> dict[str, Any]:
    gains_db = {feature: preset.gains_db.get(feature, 0.0) for feature in MIDLEVEL}
    return {"name": preset.name, "summary": preset.summary, "gains_db": gains_db, "path": str(preset.path)}


def _table(preset: Preset) -> Group:
    table = numbers_table("feature", "dB")
    for feature in MIDLEVEL:
        decibels = preset.gains_db.get(feature, 0.0)
        table.add_row(display_name(feature), f"{decibels:+.1f}" if decibels else "0")
    return with_title(f"{preset.name}: {preset.summary}" if preset.summary else preset.name, table)
