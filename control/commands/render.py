"""render: a new sound file with the faders where they were asked to be."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.options import load_model_option, load_or_analyze, parse_fader_settings
from ..console.output import Output
from ..session.presets import find_preset
from .automation import render_automation

if TYPE_CHECKING:
    from ...engine.analysis.analysis import AnalysisSettings
    from ...engine.audio.track import Track
    from ...models.inference.checkpoint import Model


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(render)


def render(
    file: options.File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Written as .wav, .flac or .ogg.")],
    analysis: Annotated[
        Path | None, typer.Option(metavar="F", help="A kept analysis; otherwise the cached or a new one.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Start from a preset (see: moodfader presets list).")
    ] = None,
    settings: options.Set = None,
    match_loudness: Annotated[
        bool, typer.Option("--match-loudness", metavar="", help="As loud as the input, for a fair comparison.")
    ] = False,
    ceiling: Annotated[float, typer.Option(metavar="DBTP", help="True peak that is not exceeded, in dBTP.")] = -1.0,
    bit_depth: Annotated[str, typer.Option(metavar="16|24|float", help="Of wav and flac (ogg has none).")] = "24",
    overwrite: options.Overwrite = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", metavar="", help="Check everything, say what would be done, write nothing."),
    ] = False,
    automation: Annotated[
        Path | None,
        typer.Option(metavar="F", help="A performance kept by play --record: the same samples (--bit-depth float)."),
    ] = None,
    passes: options.Passes = 0,
    seed: options.Seed = 0,
    segmentation: options.Segmentation = "felzenszwalb",
    estimator: options.Estimator = "gradient",
    perturbation: options.Perturbation = "gain",
    as_json: options.Json = False,
    model: options.ModelFile = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Write a steered recording, and measure how its emotions moved. --set goes on top of --preset."""
    voice = Output(as_json=as_json, quiet=quiet)
    gains_db = {**(find_preset(preset).gains_db if preset else {}), **parse_fader_settings(settings)}
    from ...engine import Faders, load_track
    from ...engine.analysis.analysis import AnalysisSettings
    from ...engine.render.audio_writer import validate_output
    from ...engine.render.render import CEILING_RANGE_DBTP
    from ...engine.render.render import render as write
    from ..console.tables import reliability_warning, render_lines, render_table

    # Everything that can be wrong is looked at before the long work begins.
    faders = Faders.from_mapping(gains_db)
    wanted = AnalysisSettings(segmentation, estimator, perturbation, passes, seed)
    validate_output(output, bit_depth=bit_depth, source=file if file.is_file() else None, overwrite=overwrite)
    if not CEILING_RANGE_DBTP[0] <= ceiling <= CEILING_RANGE_DBTP[1]:
        raise InputError(
            f"--ceiling {ceiling:g}: goes from {CEILING_RANGE_DBTP[0]:g} to {CEILING_RANGE_DBTP[1]:g} dBTP"
        )
    network = load_model_option(model, device)
    if automation is not None:
        if gains_db or match_loudness or analysis is not None or dry_run:
            raise InputError("--automation says where the faders are: it goes with no other way to set them")
        render_automation(file, automation, output, bit_depth=bit_depth, model=network, settings=wanted, voice=voice)
        return
    track = load_track(file)
    if dry_run:
        _tell_plan(voice, track, network, wanted, analysis, output, gains_db)
        return
    explained = load_or_analyze(track, network, wanted, voice, file=analysis)
    if faders.is_neutral:
        voice.note("all faders are at zero: the output will equal the input (--set or --preset moves them)")
    shaky = reliability_warning(
        explained, [name for name, value in zip(MIDLEVEL, faders.to_array(), strict=True) if value]
    )
    if shaky:
        voice.note(shaky)
    with voice.progress(f"Rendering {output.name}") as report:
        rendered = write(
            track,
            explained,
            output,
            faders=faders,
            model=network,
            match_loudness=match_loudness,
            bit_depth=bit_depth,
            ceiling_dbtp=ceiling,
            overwrite=overwrite,
            device=device,
            progress=report,
        )
    voice.result(dataclasses.asdict(rendered), lambda: render_table(rendered, gains_db))
    for line in render_lines(rendered):
        voice.line(line)


def _tell_plan(
    voice: Output,
    track: "Track",
    model: "Model",
    settings: "AnalysisSettings",
    analysis: Path | None,
    output: Path,
    gains_db: dict[str, float],
) -> None:
    """What a render would do, after everything that can be checked beforehand has been."""
    from ...engine.analysis.cache import cache_path, load_analysis

    if analysis is not None:
        load_analysis(analysis, track=track, model=model)
        source = str(analysis)
    else:
        kept = cache_path(track, model, settings)
        source = str(kept) if kept.exists() else "to be made"
    values = {
        "file": str(track.path),
        "output": str(output),
        "duration_s": track.duration_s,
        "analysis": source,
        "gains_db": gains_db,
        "dry_run": True,
    }
    moved = ", ".join(f"{name} {value:+g} dB" for name, value in gains_db.items() if value) or "all at zero"
    shown = f"would render {track.path} to {output}\nfaders    {moved}\nanalysis  {source}"
    voice.result(values, lambda: shown)
