"""predict and analyze: the network's prediction for sound files, and the segments that it depends on."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.atomic_write import check_writable
from ...models.common.errors import InputError
from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.options import for_each_file
from ..console.shared_options import AnalysisOptions, NetworkOptions, OutputOptions


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(analyze)


@expand_option_groups
def predict(
    files: options.Files,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Predict seven mid-level features and eight emotions of sound files (0 to 1; a mean rating of 10 is 1)."""
    voice = output_options.output()
    model = network_options.load()
    from ...engine import load_track, predict_track
    from ..console.tables import prediction_table

    def work(file: Path) -> None:
        track = load_track(file)
        heard = predict_track(track, model)
        values = {"file": str(file), **heard.to_dict()}
        voice.result(values, lambda: prediction_table(file, track, heard))

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
    voice = output_options.output()
    settings = analysis_options.settings()
    model = network_options.load()
    from ...engine import load_track
    from ...engine.analysis import cache as kept
    from ..console.tables import analysis_table

    def work(file: Path) -> None:
        track = load_track(file)
        begun = time.perf_counter()
        with voice.progress(f"Analysing {file.name}") as report:
            analysis = kept.analyze(track, model=model, settings=settings, output=output, progress=report)
        values = {"file": str(file), **analysis.to_dict(), "seconds": time.perf_counter() - begun}
        voice.result(values, lambda: analysis_table(file, analysis))
        voice.line(f"analysis: {analysis.path}")

    for_each_file(files, work)
