"""demo: the whole way once, on the track that ships with the program."""

import dataclasses
import importlib.resources
from pathlib import Path
from typing import Annotated, Final

import typer

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.options import load_model_option
from ..console.output import Output
from ..session.presets import find_preset

TRACK: Final = "demo.ogg"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write into.")] = Path(
        "demo-output"
    ),
    preset: Annotated[str, typer.Option(metavar="NAME", help="Where to put the faders.")] = "agitato",
    as_json: options.Json = False,
    model: options.ModelFile = None,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Analyse the track that comes with the program, steer it by a preset, and show what happened."""
    voice = Output(as_json=as_json, quiet=quiet)
    chosen = find_preset(preset)
    from ...engine import Faders, analyze, load_track
    from ...engine.analysis.analysis import track_spectrogram
    from ...engine.analysis.cache import save_analysis
    from ...engine.plotting.export import explanation_paths, prepare_folder, write_explanation
    from ...engine.plotting.sonify import choose_excerpt
    from ...engine.plotting.steering_plot import plot_steering
    from ...engine.render.render import render
    from ..console.tables import render_lines, render_table

    network = load_model_option(model, device)
    track_file, steered = output / TRACK, output / f"demo-{chosen.name}.wav"
    kept = output / "demo-analysis.npz"
    explanation, overview = output / "explanation", output / "overview.png"
    prepare_folder(output, [], overwrite=True)
    _copy_track(track_file)
    track = load_track(track_file)
    faders = Faders.from_mapping(chosen.gains_db)
    with voice.progress("Analysing") as report:
        analysis = analyze(track, model=network, progress=report)
    save_analysis(analysis, kept)
    with voice.progress("Rendering") as report:
        rendered = render(
            track,
            analysis,
            steered,
            faders=faders,
            model=network,
            overwrite=True,
            device=device,
            progress=report,
        )
    files = explanation_paths(explanation, MIDLEVEL, sounds=False, curves=False)
    prepare_folder(explanation, list(files.values()), overwrite=True)
    with voice.progress("Drawing") as report:
        title = f"{TRACK}, steered by the preset {chosen.name}"
        stretch_s = choose_excerpt(analysis, list(MIDLEVEL), None, None)
        spectrogram = track_spectrogram(track)
        plot_steering(overview, analysis, spectrogram, faders, rendered, title=title, stretch_s=stretch_s)
        write_explanation(track, analysis, network, files, stretch_s=stretch_s, progress=report)
    more = {"analysis": str(kept), "overview": str(overview), "explanation": str(explanation)}
    voice.result(dataclasses.asdict(rendered) | more, lambda: render_table(rendered, chosen.gains_db))
    for line in render_lines(rendered):
        voice.line(line)
    voice.line(f"analysis  {kept}")
    voice.line(f"figures   {overview} and {explanation}")
    voice.line(f"compare   {track_file} with {steered}")


def _copy_track(path: Path) -> None:
    source = importlib.resources.files("moodfader.presets") / TRACK
    if not source.is_file():
        raise InputError(f"{source}: the demonstration track is missing (a broken installation?)")
    with atomic_write(path) as beside:
        beside.write_bytes(source.read_bytes())
