"""predict and analyze: what the network hears in sound files, and why."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.atomic_write import check_writable
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.options import for_each_file, load_model_option, open_track
from ..console.output import FileCount, Output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(analyze)


def predict(
    files: options.Files,
    as_json: options.Json = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", metavar="", help="A table on standard output, a row for each file.")
    ] = False,
    model: options.ModelFile = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Hear seven mid-level features and eight emotions in sound files (0 to 1; a rating of 10 is 1)."""
    if as_json and as_csv:
        raise InputError("--json and --csv: one of them")
    voice = Output(as_json=as_json, quiet=quiet)
    network = load_model_option(model, device)
    from ...engine import predict_track
    from ..console.tables import prediction_table

    count = FileCount(len(files))
    columns = ("file", "duration_s", *MIDLEVEL, *EMOTIONS)
    if as_csv:
        voice.csv_row(columns)

    def work(file: Path) -> None:
        with voice.progress("Predicting", files=count):
            track = open_track(file, voice)
            heard = predict_track(track, network)
        if as_csv:
            voice.csv_row((str(file), track.duration_s, *heard.midlevel.values(), *heard.emotions.values()))
            return
        values = {
            "file": str(file),
            "duration_s": track.duration_s,
            "midlevel": dict(heard.midlevel),
            "emotions": dict(heard.emotions),
        }
        voice.result(values, lambda: prediction_table(file, track, heard))

    for_each_file(files, work)


def analyze(
    files: options.Files,
    passes: options.Passes = 0,
    seed: options.Seed = 0,
    segmentation: options.Segmentation = "felzenszwalb",
    estimator: options.Estimator = "gradient",
    perturbation: options.Perturbation = "gain",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="F", help="Keep the analysis here, not in the cache.")
    ] = None,
    as_json: options.Json = False,
    model: options.ModelFile = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Find the segments of the spectrogram that speak for and against each feature, and keep them for rendering."""
    if output is not None and len(files) > 1:
        raise InputError(f"--output {output}: names one file, but {len(files)} are to be analysed")
    if output is not None:
        check_writable(output)
    voice = Output(as_json=as_json, quiet=quiet)
    from ...engine.analysis.analysis import AnalysisSettings

    settings = AnalysisSettings(segmentation, estimator, perturbation, passes, seed)
    network = load_model_option(model, device)
    from ...engine.analysis import cache as kept
    from ..console.tables import MEASURES, analysis_table, no_effect_warning

    count = FileCount(len(files))

    def work(file: Path) -> None:
        begun = time.perf_counter()
        with voice.progress(f"Analysing {file.name}", files=count) as report:
            track = open_track(file, voice)
            analysis = kept.analyze(
                track, model=network, settings=settings, output=output, progress=report, note=voice.note
            )
        values = {
            "file": str(file),
            "analysis": None if analysis.path is None else str(analysis.path),
            "segments": len(analysis.weights),
            "passes": analysis.settings.passes,
            "seconds": time.perf_counter() - begun,
            **{
                key: dict(zip(MIDLEVEL, map(float, getattr(analysis, attribute)), strict=True))
                for key, attribute in MEASURES.items()
            },
            "selected": analysis.significant_counts(),
        }
        voice.result(values, lambda: analysis_table(file, analysis))
        voice.line(f"analysis: {analysis.path or 'not kept'}")
        if warning := no_effect_warning(analysis, MIDLEVEL):
            voice.note(warning)

    for_each_file(files, work)
