"""predict and analyze: what the network hears in sound files, and why."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.atomic_write import check_writable
from ...models.common.errors import InputError
from ..console import options
from ..console.options import for_each_file, load_model_option
from ..console.output import Output


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(analyze)


def predict(
    files: options.Files,
    as_json: options.Json = False,
    model: options.ModelFile = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Hear seven mid-level features and eight emotions in sound files (0 to 1; a rating of 10 is 1)."""
    voice = Output(as_json=as_json, quiet=quiet)
    network = load_model_option(model, device)
    from ...engine import load_track, predict_track
    from ..console.tables import prediction_table

    def work(file: Path) -> None:
        track = load_track(file)
        heard = predict_track(track, network)
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
    from ...engine import load_track
    from ...engine.analysis import cache as kept
    from ...models.common.constants import MIDLEVEL
    from ..console.tables import MEASURES, analysis_table

    def work(file: Path) -> None:
        track = load_track(file)
        begun = time.perf_counter()
        with voice.progress(f"Analysing {file.name}") as report:
            analysis = kept.analyze(track, model=network, settings=settings, output=output, progress=report)
        values = {
            "file": str(file),
            "analysis": str(analysis.path),
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
        voice.line(f"analysis: {analysis.path}")

    for_each_file(files, work)
