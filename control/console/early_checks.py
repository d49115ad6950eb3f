"""Checks before torch is imported, so that most mistakes are reported at once and not after seconds."""

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
        if not (file.is_file() or _is_missing(file)):
            return
        try:
            probe(file)
        except InputError as error:
            errors.append(str(error))
        else:
            return  # (errors of the others are printed when they are reached)
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


def _is_missing(file: Path) -> bool:
    """Whether there is no such file; a name that the system does not accept counts as missing."""
    try:
        return str(file) != "-" and not file.exists()
    except OSError:
        return True
