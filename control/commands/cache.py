"""cache: the size and place of the analysis cache, and clearing it."""

from pathlib import Path

import typer
from rich.filesize import decimal

from ...models.common.errors import InputError
from ..console import options
from ..console.output import Output

cache = typer.Typer(help="Show or clear the analysis cache.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(cache, name="cache")


@cache.callback()
def show(context: typer.Context, as_json: options.Json = False) -> None:
    """Show how many analyses are stored, their size and their folder."""
    if context.invoked_subcommand is None:
        folder, files = _kept()
        size = sum(path.stat().st_size for path in files)
        values = {"path": str(folder), "analyses": _whole(files), "bytes": size}
        Output(as_json=as_json).result(values, lambda: f"{_count(files)}, {decimal(size)}, in {folder}")


@cache.command()
def clear(as_json: options.Json = False, quiet: options.Quiet = False) -> None:
    """Delete all stored analyses, and parts of interrupted ones (they are made again when needed)."""
    folder, files = _kept()
    size = sum(path.stat().st_size for path in files)
    for path in files:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{path}: cannot be deleted ({error.strerror or error})") from error
    values = {"path": str(folder), "deleted": _whole(files), "bytes": size}
    console = Output(as_json=as_json, quiet=quiet)
    console.result(values, lambda: f"deleted {_count(files)}, {decimal(size)}, from {folder}")


def _kept() -> tuple[Path, list[Path]]:
    """The folder, and the analyses and parts of interrupted ones in it; nothing else there is touched."""
    from ...engine.analysis.analysis_file import SUFFIX
    from ...engine.analysis.cache import PARTIAL_SUFFIX
    from ...models.common.paths import cache_dir

    folder = cache_dir() / "analyses"
    return folder, sorted(path for suffix in (SUFFIX, PARTIAL_SUFFIX) for path in folder.glob("*" + suffix))


def _whole(files: list[Path]) -> int:
    """How many of the files are finished analyses."""
    from ...engine.analysis.cache import PARTIAL_SUFFIX

    return sum(path.suffix != PARTIAL_SUFFIX for path in files)


def _count(files: list[Path]) -> str:
    whole = _whole(files)
    text = f"{whole} {'analysis' if whole == 1 else 'analyses'}"
    return text if whole == len(files) else f"{text} and {len(files) - whole} interrupted"
