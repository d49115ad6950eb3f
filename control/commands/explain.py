"""explain: figures and sounds of the segments that raise and lower the features, and a page that shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ..console import options
from ..console.early_checks import check_sounds, check_stored
from ..console.option_groups import expand_option_groups
from ..console.options import load_or_analyze, open_track
from ..console.shared_options import AnalysisFileOption, AnalysisOptions, NetworkOptions, OutputOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)


@expand_option_groups
def explain(
    file: options.File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write into.")],
    feature: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Explain this feature. Repeatable; without it all seven.")
    ] = None,
    begin: Annotated[
        float | None, typer.Option("--from", metavar="S", help="Show the track from this second on.")
    ] = None,
    end: Annotated[float | None, typer.Option("--to", metavar="S", help="Show the track to this second.")] = None,
    form: Annotated[str, typer.Option("--format", metavar="png|svg|both", help="Of the figures.")] = "both",
    overwrite: options.Overwrite = False,
    *,
    stored: AnalysisFileOption,
    analysis_options: AnalysisOptions,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Write figures and sounds of the segments that raise and lower each feature, and a page that shows them.

    For each feature: the segments and their largest weights, the prediction while more and more of these segments
    change, the sound with the feature boosted by 6 dB, and the segments that raise it alone. For the track: the
    effects of the features on the emotions, and the original sound. index.html plays the sounds beside the figures.
    Of a track longer than 30 seconds the 20 with the largest weights are shown (or --from, --to).
    """
    features = parse_features(feature)
    console = output_options.output()
    check_sounds([file])
    check_stored(analysis=stored.analysis)
    from ...engine.plotting.export import FORMATS, check_explanation, explanation_paths, write_explanation
    from ...engine.render.sonify import choose_excerpt

    if form not in FORMATS:
        raise InputError(f"no format is called {form!r}: there are {', '.join(FORMATS)}")
    settings = analysis_options.settings()
    files = explanation_paths(output, features, form=form)
    model = network_options.load()
    track = open_track(file, console)
    check_explanation(output, list(files.values()), source=file, overwrite=overwrite)
    explained = load_or_analyze(track, model, settings, console, file=stored.analysis)
    for note in explained.fader_notes(features):
        console.note(note)
    excerpt_s = choose_excerpt(explained, features, begin, end)
    with console.progress("Plotting") as report:
        write_explanation(track, explained, model, files, excerpt_s=excerpt_s, progress=report)
    written = {key: str(path) for key, path in files.items()}
    values = {
        "file": str(file),
        "folder": str(output),
        "from_s": excerpt_s[0],
        "to_s": excerpt_s[1],
        "files": written,
    }
    console.result(values, lambda: "\n".join(written.values()))


def parse_features(names: Sequence[str] | None) -> list[str]:
    """Check names of features; returns them in the order of MIDLEVEL, all seven for None. Raises InputError."""
    if not names:
        return list(MIDLEVEL)
    from ...engine import Faders

    Faders.from_mapping(dict.fromkeys(names, 0.0))  # raises for a wrong name, with a guess
    wanted = [name.strip().lower().replace("-", "_") for name in names]
    return [name for name in MIDLEVEL if name in wanted]
