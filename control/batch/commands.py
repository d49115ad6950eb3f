"""batch predict, analyze, steer, render: their options. What they share is in run_batch.py."""

from typing import Annotated

import typer

from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.shared_options import AnalysisOptions
from .options import BatchOptions, Format, Sources
from .run_batch import run_batch

batch = typer.Typer(
    help="Predict, analyze, steer or render whole libraries of tracks, unattended.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(batch, name="batch")


@batch.command()
@expand_option_groups
def predict(
    sources: Sources,
    *,
    batch_options: BatchOptions,
    emotions_every: Annotated[
        float | None,
        typer.Option(metavar="S", help="Also features and emotions over time: a row every so many seconds."),
    ] = None,
) -> None:
    """Predict the features and emotions of many tracks."""
    run_batch("predict", sources, {"emotions_every": emotions_every}, batch_options)


@batch.command()
@expand_option_groups
def analyze(sources: Sources, *, batch_options: BatchOptions, analysis_options: AnalysisOptions) -> None:
    """Analyse many tracks; the analyses are stored in the cache, for rendering."""
    run_batch("analyze", sources, vars(analysis_options), batch_options)


@batch.command()
@expand_option_groups
def render(
    sources: Sources,
    *,
    batch_options: BatchOptions,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Start from a preset.")] = None,
    settings: options.Set = None,
    match_loudness: Annotated[
        bool, typer.Option("--match-loudness", metavar="", help="Same integrated loudness as the input.")
    ] = False,
    form: Format = "flac",
    bit_depth: options.BitDepth = "24",
    ceiling: options.Ceiling = -1.0,
    analysis_options: AnalysisOptions,
) -> None:
    """Render many tracks with their faders set; the sounds lie in DEST/sounds as their sources do."""
    values = {
        "preset": preset,
        "set": settings,
        "match_loudness": match_loudness,
        "format": form,
        "bit_depth": bit_depth,
        "ceiling": ceiling,
        **vars(analysis_options),
    }
    run_batch("render", sources, values, batch_options)


@batch.command()
@expand_option_groups
def steer(
    sources: Sources,
    *,
    batch_options: BatchOptions,
    toward: options.Toward = None,
    keep: options.Keep = None,
    max_rms_db: options.MaxRmsDb = 5.0,
    min_quality: options.MinQuality = None,
    form: Format = "flac",
    bit_depth: options.BitDepth = "24",
    ceiling: options.Ceiling = -1.0,
) -> None:
    """Steer many tracks towards emotions; the sounds lie in DEST/sounds as their sources do."""
    values = {
        "toward": toward,
        "keep": keep,
        "max_rms_db": max_rms_db,
        "min_quality": min_quality,
        "format": form,
        "bit_depth": bit_depth,
        "ceiling": ceiling,
    }
    run_batch("steer", sources, values, batch_options)
