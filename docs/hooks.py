"""What of the documentation is made from the code: the table of addresses, the options of each command.

A page asks for a part by a line of its own: `<!-- addresses -->` or `<!-- options of COMMAND -->`. MkDocs calls
`on_page_markdown` for every page.
"""

import re

import typer
from moodfader.control.cli import make_app
from moodfader.control.parameters.table import PARAMETERS


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with its parts filled in. Raises KeyError for a command that is not there."""
    markdown = markdown.replace("<!-- addresses -->", address_table())
    return re.sub(r"<!-- options of (\S+) -->", lambda match: option_table(match.group(1)), markdown)


def address_table() -> str:
    """All OSC addresses as a Markdown table."""
    rows = ["| address | type | range | unit | meaning |", "| --- | --- | --- | --- | --- |"]
    for parameter in PARAMETERS:
        low, high = (_number(value) for value in (parameter.low, parameter.high))
        limits = f"{low} to {high}" if low and high else f"from {low}" if low else ""
        kind = parameter.kind if parameter.writable else f"{parameter.kind}, read only"
        cells = (f"`{parameter.address}`", kind, limits, parameter.unit, parameter.description)
        rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(rows)


def option_table(command: str) -> str:
    """The options of a command as a Markdown table."""
    found = typer.main.get_command(make_app()).commands[command]  # type: ignore[attr-defined]
    rows = ["| option | meaning | default |", "| --- | --- | --- |"]
    for parameter in found.params:
        if "--help" in parameter.opts or parameter.param_type_name != "option":
            continue
        names = ", ".join(sorted(parameter.opts, key=len, reverse=True))
        metavar = f" {parameter.metavar}" if parameter.metavar else ""
        default = "" if parameter.default in (None, False, ()) or callable(parameter.default) else parameter.default
        rows.append(f"| `{_cell(names + metavar)}` | {_cell(parameter.help or '')} | {_cell(str(default))} |")
    return "\n".join(rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}".replace("-", "\u2212")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
