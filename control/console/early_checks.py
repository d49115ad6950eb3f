"""Checks that need no network, before torch is imported: most mistakes are told at once and not after seconds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from ...models.common.errors import InputError
from .output import print_error


def check_sounds(files: Sequence[Path]) -> None:
    """Read the headers of sound files; end the command if not one of them can be used.

    Pipes are left alone, for they can be read only once.

    Raises
    ------
    typer.Exit
        With code 2, after an error for each file.
    """
    from ...engine.audio.decode import probe

    errors = []
    for file in files:
        if not (file.is_file() or _is_nothing(file)):
            return
        try:
            probe(file)
        except InputError as error:
            errors.append(str(error))
        else:
            return  # (the others are told in their turn)
    for text in errors:
        print_error(text)
    if errors:
        raise typer.Exit(2)


def check_stored(*, analysis: Path | None = None, automation: Path | None = None) -> None:
    """Read an analysis or an automation file. Raises InputError for one that cannot be used."""
    if automation is not None:
        from ...engine.performance.automation_file import read_automation

        read_automation(automation)
    if analysis is not None:
        from ...engine.analysis.analysis_file import load_tables

        load_tables(analysis, ("mask_weights",))


def check_tables(tables: Iterable[Path]) -> None:
    """Read tables of rated clips. Raises InputError for one that cannot be used."""
    from ...models.datasets.table import read_table

    for table in tables:
        read_table(table)


def _is_nothing(file: Path) -> bool:
    """Whether nothing is there; a name that the system does not take counts as well."""
    try:
        return str(file) != "-" and not file.exists()
    except OSError:
        return True
