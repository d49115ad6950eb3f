"""predict and analyze: the network's prediction for sound files, and the segments that it depends on."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.atomic_write import check_writable
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.early_checks import check_sounds
from ..console.option_groups import expand_option_groups
from ..console.options import for_each_file, open_track
from ..console.output import FileCount
from ..console.shared_options import AnalysisOptions, NetworkOptions, OutputOptions


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(analyze)


@expand_option_groups
def predict(
    files: options.Files,
    *,
    as_csv: Annotated[
        bool, typer.Option("--csv", metavar="", help="A table on standard output, a row for each file.")
    ] = False,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Predict seven mid-level features and eight emotions of sound files (0 to 1; a mean rating of 10 is 1)."""
    console = output_options.output()
    if console.as_json and as_csv:
        raise InputError("--json and --csv: one of them")
    check_sounds(files)
    model = network_options.load()
    from ...engine import predict_track
    from ..console.tables import prediction_table

    count = FileCount(len(files))
    columns = ("file", "duration_s", *MIDLEVEL, *EMOTIONS)
    if as_csv:
        console.csv_row(columns)

    def work(file: Path) -> None:
        with console.progress("Predicting", files=count):
            track = open_track(file, console)
            prediction = predict_track(track, model)
        if as_csv:
            console.csv_row(
                (str(file), track.duration_s, *prediction.midlevel.values(), *prediction.emotions.values())
            )
            return
        values = {"file": str(file), **prediction.to_dict()}
        console.result(values, lambda: prediction_table(file, track, prediction))

    for_each_file(files, work)


@expand_option_groups
def analyze(
    files: options.Files,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="F", help="Store the analysis here, not in the cache.")
    ] = None,
    *,
    analysis_options: AnalysisOptions,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Find the segments of the spectrogram that raise and lower each feature, and store them for rendering."""
    if output is not None and len(files) > 1:
        raise InputError(f"--output {output}: names one file, but {len(files)} are to be analysed")
    if output is not None:
        check_writable(output)
    check_sounds(files)
    console = output_options.output()
    with console.progress("Loading the model"):
        settings = analysis_options.settings()
        model = network_options.load()
    from ...engine.analysis import cache as kept
    from ..console.tables import analysis_table

    count = FileCount(len(files))

    def work(file: Path) -> None:
        begun = time.perf_counter()
        with console.progress(f"Analysing {file.name}", files=count) as report:
            track = open_track(file, console, loudness=settings.quality == "full")
            analysis = kept.analyze(
                track, model=model, settings=settings, output=output, progress=report, note=console.note
            )
        values = {"file": str(file), **analysis.to_dict(), "seconds": time.perf_counter() - begun}
        console.result(values, lambda: analysis_table(file, analysis))
        console.line(f"analysis: {analysis.path or 'not kept'}")
        for note in analysis.fader_notes():
            console.note(note)

    for_each_file(files, work)
