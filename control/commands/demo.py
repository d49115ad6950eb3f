"""demo: analyse, render and explain the track that ships with the program."""

import importlib.resources
from pathlib import Path
from typing import Annotated, Final

import typer

from ...models.common.atomic_write import atomic_write, make_folder
from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..console.option_groups import expand_option_groups
from ..console.shared_options import NetworkOptions, OutputOptions
from ..session.presets import find_preset

TRACK: Final = "demo.ogg"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


@expand_option_groups
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write into.")] = Path(
        "demo-output"
    ),
    preset: Annotated[str, typer.Option(metavar="NAME", help="Preset of the faders.")] = "agitato",
    *,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Analyse the track that ships with the program, render it with a preset, and show what moved."""
    console = output_options.output()
    found = find_preset(preset)
    from ...engine import Faders, analyze, load_track
    from ...engine.analysis.analysis_file import save_analysis
    from ...engine.audio.track_spectrogram import track_spectrogram
    from ...engine.plotting.export import explanation_paths, write_explanation
    from ...engine.plotting.steering_plot import plot_steering
    from ...engine.plotting.style import figure_of, save_figure
    from ...engine.render.render import render
    from ...engine.render.sonify import choose_excerpt
    from ...engine.render.whole_setting import solve_whole
    from ..console.tables import render_lines, render_table

    model = network_options.load()
    track_file, steered = output / TRACK, output / f"demo-{found.name}.wav"
    analysis_file = output / "demo-analysis.npz"
    explanation, overview = output / "explanation", output / "overview.png"
    make_folder(output)
    _copy_track(track_file)
    track = load_track(track_file)
    faders = Faders.from_mapping(found.gains_db)
    with console.progress("Analysing") as report:
        analysis = analyze(track, model=model, progress=report)
    save_analysis(analysis, analysis_file)
    with console.progress("Rendering") as report:
        rendered = render(
            track,
            analysis,
            steered,
            faders=faders,
            model=model,
            overwrite=True,
            device=network_options.device,
            progress=report,
        )
    files = explanation_paths(explanation, MIDLEVEL, sounds=False, curves=False)
    with console.progress("Plotting") as report:
        title = f"{TRACK}, steered by the preset {found.name}"
        excerpt_s = choose_excerpt(analysis, list(MIDLEVEL), None, None)
        spectrogram = track_spectrogram(track)
        setting = solve_whole(track, analysis, faders, model, by_all=True, before=analysis.prediction)
        gains_db = None if setting is None else setting.gains_db  # (a preset of one fader is not solved as a whole)
        axes = plot_steering(
            analysis, spectrogram, faders, rendered, title=title, excerpt_s=excerpt_s, gains_db=gains_db
        )
        save_figure(figure_of(axes), overview)
        write_explanation(track, analysis, model, files, excerpt_s=excerpt_s, progress=report)
    more = {"analysis": str(analysis_file), "overview": str(overview), "explanation": str(explanation)}
    console.result(rendered.to_dict() | more, lambda: render_table(rendered, found.gains_db))
    for line in render_lines(rendered):
        console.line(line)
    console.line(f"analysis  {analysis_file}")
    console.line(f"figures   {overview} and {explanation}")
    console.line(f"compare   {track_file} with {steered}")


def _copy_track(path: Path) -> None:
    source = importlib.resources.files("moodfader.presets") / TRACK
    if not source.is_file():
        raise InputError(f"{source}: the demonstration track is missing (a broken installation?)")
    with atomic_write(path) as temporary:
        temporary.write_bytes(source.read_bytes())
