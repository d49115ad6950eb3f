"""play --prepare: the tracks of a set list are analysed before the show, so that every fader acts at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import typer

from ...models.common.errors import InputError
from ...models.common.progress import ProgressCallback
from ..console.options import load_model_option, open_track
from ..console.output import FileCount, Output, print_error


def prepare(files: Sequence[Path], *, model: Path | None, settings: Mapping[str, Any], output: Output) -> None:
    """Analyse each file once, with progress; what has been analysed before is taken from the cache.

    Parameters
    ----------
    files : sequence of Path
        The set list.
    model : Path or None
        The network; None: the one that ships.
    settings : mapping
        Fields of AnalysisSettings.
    output : Output
        For progress, and a line for each file.

    Raises
    ------
    typer.Exit
        With code 2 after the last file, if one of them cannot be played.
    """
    from ...engine.analysis.cache import analyze
    from ...engine.analysis.settings import AnalysisSettings

    network = load_model_option(model, "auto")
    distinct = list(dict.fromkeys(files))
    count = FileCount(len(distinct))
    failed = False
    for number, file in enumerate(distinct, start=1):
        began = monotonic()
        fractions: list[float] = []  # (none where the analysis was there already)
        try:
            track = open_track(file, output)
            with output.progress(f"Analysing {file.name}", files=count) as report:
                analyze(
                    track,
                    model=network,
                    settings=AnalysisSettings(**settings),
                    progress=lambda done, fractions=fractions, report=report: _report(done, fractions, report),  # type: ignore[misc]
                    note=output.note,
                )
        except InputError as error:
            print_error(str(error))
            failed = True
            continue
        took = monotonic() - began
        line = f"{number}/{len(distinct)} {file.name}: "
        line += f"analysed in {took:.0f} s" if fractions else "was analysed before"
        values = {"file": str(file), "track": number, "tracks": len(distinct), "analysed": bool(fractions)}
        output.result(values | {"seconds": took}, lambda line=line: line)  # type: ignore[misc]
    if failed:
        raise typer.Exit(2)


def _report(done: float, fractions: list[float], report: ProgressCallback) -> None:
    fractions[:] = [done]
    report(done)
