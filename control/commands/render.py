"""render: a sound file with its faders set. What it prints is made in console/tables.py."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.early_checks import check_sounds, check_stored
from ..console.option_groups import expand_option_groups
from ..console.options import (
    CEILING,
    check_asked_settings,
    check_ceiling,
    fader_gains_db,
    load_or_analyze,
    open_track,
)
from ..console.output import Output
from ..console.shared_options import AnalysisFileOption, AnalysisOptions, NetworkOptions, OutputOptions

if TYPE_CHECKING:
    from ...engine.analysis.settings import AnalysisSettings
    from ...engine.audio.track import Track
    from ...models.inference.checkpoint import Model


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(render)


@expand_option_groups
def render(
    file: options.File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Written as .wav, .flac or .ogg.")],
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Start from a preset (see: moodfader presets list).")
    ] = None,
    settings: options.Set = None,
    match_loudness: Annotated[
        bool, typer.Option("--match-loudness", metavar="", help="Same integrated loudness as the input.")
    ] = False,
    together: Annotated[
        bool, typer.Option("--together/--as-live", help="Several faders solved as a whole, or added up as in play.")
    ] = True,
    ceiling: options.Ceiling = CEILING,
    bit_depth: options.BitDepth = "24",
    dither: Annotated[
        bool | None,
        typer.Option(
            "--dither/--no-dither", help="Dither 16 bit samples; without either, only where the sound is changed."
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", metavar="", help="Check everything, say what would be done, write nothing."),
    ] = False,
    automation: Annotated[
        Path | None,
        typer.Option(metavar="F", help="A performance kept by play --record: the same samples (--bit-depth float)."),
    ] = None,
    *,
    stored: AnalysisFileOption,
    analysis_options: AnalysisOptions,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Render a recording with its faders set, and predict its features again. --set goes on top of --preset."""
    console = output_options.output()
    analysis = stored.analysis
    gains_db = fader_gains_db(preset, settings)
    check_sounds([file])
    check_stored(analysis=analysis, automation=automation)
    from ...engine import Faders
    from ...engine.render.audio_writer import validate_output
    from ...engine.render.render import render as write
    from ..console.tables import (
        level_notes,
        neutral_note,
        reliability_warning,
        render_lines,
        render_table,
    )

    # All checks come before the long work begins.
    faders = Faders.from_mapping(gains_db)
    wanted = analysis_options.settings()
    validate_output(output, bit_depth=bit_depth, source=file if file.is_file() else None, overwrite=overwrite)
    check_ceiling(ceiling)
    model = network_options.load()
    if automation is not None:
        if gains_db or match_loudness or analysis is not None or dry_run or not together:
            raise InputError("--automation says where the faders are: it goes with no other way to set them")
        if ceiling != CEILING or dither is not None:
            option = "--dither" if dither is not None else "--ceiling"
            raise InputError(f"{option}: has no effect beside --automation: a performance sounds as it was played")
        from .automation import render_automation

        render_automation(
            file, automation, output, bit_depth=bit_depth, model=model, settings=wanted, console=console
        )
        return
    if dither and (bit_depth != "16" or output.suffix.lower() == ".ogg"):
        raise InputError("--dither: has no effect here: only wav and flac of 16 bits are dithered (--bit-depth 16)")
    track = open_track(file, console)
    if dry_run:
        _print_plan(console, track, model, wanted, analysis, output, gains_db)
        return
    explained = load_or_analyze(track, model, wanted, console, file=analysis)
    if faders.is_neutral:
        console.note(neutral_note(track, output, bit_depth))
    moved = [name for name, value in zip(MIDLEVEL, faders.to_array(), strict=True) if value]
    for note in explained.fader_notes(moved):
        console.note(note)
    if warning := reliability_warning(explained, moved):
        console.note(warning)
    with console.progress(f"Rendering {output.name}") as report:
        rendered = write(
            track,
            explained,
            output,
            faders=faders,
            model=model,
            match_loudness=match_loudness,
            together=together,
            bit_depth=bit_depth,
            ceiling_dbtp=ceiling,
            dither=dither,
            overwrite=overwrite,
            device=network_options.device,
            progress=report,
        )
    console.result(rendered.to_dict(), lambda: render_table(rendered, gains_db))
    for line in render_lines(rendered):
        console.line(line)
    for note in level_notes(rendered, track, ceiling_dbtp=ceiling, neutral=faders.is_neutral):
        console.note(note)


def _print_plan(
    console: Output,
    track: "Track",
    model: "Model",
    settings: "AnalysisSettings",
    analysis: Path | None,
    output: Path,
    gains_db: dict[str, float],
) -> None:
    """Print what a render would do, after all checks that can be made beforehand."""
    from ...engine.analysis.analysis_file import load_analysis
    from ...engine.analysis.cache import cache_path

    if analysis is not None:
        check_asked_settings(load_analysis(analysis, track=track, model=model).settings, settings, analysis)
        source = str(analysis)
    else:
        cached = cache_path(track, model, settings)
        source = str(cached) if cached.exists() else "to be made"
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
    console.result(values, lambda: shown)
