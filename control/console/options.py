"""The options that several commands share: declared once, so that they mean the same everywhere."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.errors import InputError
from .output import Output, print_error

if TYPE_CHECKING:
    from ...engine.analysis.analysis import Analysis, AnalysisSettings
    from ...engine.audio.track import Track
    from ...models.inference.checkpoint import Model

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sound files: wav, flac, ogg, mp3, aiff, m4a.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A sound file: wav, flac, ogg, mp3, aiff, m4a.")]
ModelFile = Annotated[
    Path | None, typer.Option("--model", metavar="FILE", help="Another trained network than the one that ships.")
]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda",
        help="Where to compute; auto takes a graphics card if there is one, cuda:1 the second.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="One JSON object a file on standard output, a line each.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", metavar="", help="No progress and no notes: errors and results only.")
]
Seed = Annotated[
    int, typer.Option(metavar="N", help="Seed of all that is random: the same seed gives the same result.")
]
Passes = Annotated[
    int,
    typer.Option(metavar="N", help="How often each stretch goes through the network; 0: as the estimator needs."),
]
Segmentation = Annotated[
    str, typer.Option(metavar="NAME", help="felzenszwalb (the paper's), slic, chan-vese or watershed.")
]
Estimator = Annotated[
    str,
    typer.Option(metavar="gradient|local|lime", help="gradient: quick; local: by differences; lime: the paper's."),
]
Perturbation = Annotated[
    str, typer.Option(metavar="gain|hide", help="gain: segments up and down by 6 dB; hide: silenced, the paper's.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FEATURE=DB", help="Put a fader to so many dB, -12 to 12. Repeatable."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace the output if it is there.")]


def load_model_option(path: Path | None, device: str) -> "Model":
    """The network that --model and --device ask for. Raises InputError."""
    from ...models.inference.checkpoint import load_model
    from ...models.inference.device import resolve_device

    return load_model(path, device=resolve_device(device))


def parse_fader_settings(settings: Iterable[str] | None) -> dict[str, float]:
    """FEATURE=DB, several of them, as numbers; the last one of a feature counts. Raises InputError."""
    gains = {}
    for text in settings or ():
        feature, equals, decibels = text.partition("=")
        if not equals:
            raise InputError(f"--set {text}: write FEATURE=DB, for example --set articulation=6")
        try:
            gains[feature.strip().lower().replace("-", "_")] = float(decibels.lower().removesuffix("db"))
        except ValueError as error:
            raise InputError(f"--set {text}: {decibels!r} is not a number of decibels") from error
    return gains


def load_or_analyze(
    track: "Track", model: "Model", settings: "AnalysisSettings", voice: Output, *, file: Path | None = None
) -> "Analysis":
    """The analysis in `file`, or the one of the cache, made with a progress bar if it is not there."""
    from ...engine.analysis.cache import analyze, load_analysis

    if file is not None:
        return load_analysis(file, track=track, model=model)
    with voice.progress(f"Analysing {track.path.name}") as report:
        return analyze(track, model=model, settings=settings, progress=report)


def for_each_file(files: Iterable[Path], work: Callable[[Path], None]) -> None:
    """Work on file after file; one that cannot be used is told and does not stop the others (exit code 2)."""
    failed = False
    for file in files:
        try:
            work(file)
        except InputError as error:
            print_error(str(error))
            failed = True
    if failed:
        raise typer.Exit(2)
