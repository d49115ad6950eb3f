"""Options and arguments that several commands share, declared once, and what they are turned into."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ...models.common.errors import InputError
from .output import Output, print_error

if TYPE_CHECKING:
    from ...engine.analysis.analysis import Analysis
    from ...engine.analysis.settings import AnalysisSettings
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
Coupled = Annotated[
    bool,
    typer.Option("--coupled", metavar="", help="Faders as before 0.8: each also moves other features."),
]
Quality = Annotated[
    str,
    typer.Option(
        metavar="full|draft",
        help="draft: in a fraction of the time, with noisier weights and coupled faders.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FEATURE=DB", help="Position of a fader in dB, -12 to 12. Repeatable."),
]
BitDepth = Annotated[
    str, typer.Option("--bit-depth", metavar="16|24|float", help="Bit depth of wav and flac (ogg has none).")
]
CEILING: Final = -1.0
"""True peak in dBTP where --ceiling names none."""
Ceiling = Annotated[float, typer.Option("--ceiling", metavar="DBTP", help="True peak that is not exceeded, in dBTP.")]
Toward = Annotated[
    list[str] | None,
    typer.Option("--toward", metavar="EMOTION=SHIFT", help="By how much an emotion shall move, on 0..1. Repeatable."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="EMOTION", help="An emotion that shall stay where it is. Repeatable."),
]
MaxRmsDb = Annotated[
    float, typer.Option("--max-rms-db", metavar="DB", help="Root mean square gain that is not exceeded.")
]
MinQuality = Annotated[
    float | None,
    typer.Option(
        "--min-quality",
        metavar="MOS",
        help="Mean opinion score, 1 to 5, below which the change is made smaller (4.15).",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace the output if it is there.")]


def load_model_option(path: Path | None, device: str) -> "Model":
    """Load the network that --model and --device ask for.

    Parameters
    ----------
    path : Path or None
        The checkpoint; None for the one that ships.
    device : str
        auto, cpu, cuda or cuda:N.

    Raises
    ------
    InputError
        If the file is no checkpoint of this program, or the device is not there.
    """
    from ...models.inference.checkpoint import load_model
    from ...models.inference.device import resolve_device

    return load_model(path, device=resolve_device(device))


def parse_fader_settings(settings: Iterable[str] | None) -> dict[str, float]:
    """Parse --set FEATURE=DB.

    Parameters
    ----------
    settings : iterable of str or None
        The option's values; of several for one feature the last one counts.

    Returns
    -------
    dict
        Gains in dB by feature.

    Raises
    ------
    InputError
        If one has no equals sign, or no number behind it.
    """
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


def fader_gains_db(preset: str | None, settings: Iterable[str] | None) -> dict[str, float]:
    """Fader positions in dB by feature: those of a preset, with --set FEATURE=DB on top. Raises InputError."""
    if not preset:
        return parse_fader_settings(settings)
    from ..session.presets import SUFFIX, find_preset, user_preset_dir

    if preset.lower().endswith(SUFFIX) and Path(preset).is_file():
        name = Path(preset).stem
        raise InputError(f"{preset}: presets go by name; copied to {user_preset_dir()}, this one is --preset {name}")
    return {**find_preset(preset).gains_db, **parse_fader_settings(settings)}


def check_ceiling(ceiling: float) -> None:
    """See that --ceiling is in its range. Raises InputError."""
    from ...engine.dsp.limiter import CEILING_RANGE_DBTP

    low, high = CEILING_RANGE_DBTP
    if not low <= ceiling <= high:
        raise InputError(f"--ceiling {ceiling:g}: goes from {low:g} to {high:g} dBTP")


_SETTINGS: Final = {
    "quality": "quality",
    "estimator": "estimator",
    "segmentation": "segmentation",
    "perturbation": "perturbation",
    "coupled": "coupled",
    "passes": "evaluations",
    "seed": "seed",
}
"""Fields of AnalysisSettings and the options that set them; those first that others follow from."""
_OPTION_WORDS: Final = {"hide": "mask"}


def load_or_analyze(
    track: "Track", model: "Model", settings: "AnalysisSettings", output: Output, *, file: Path | None = None
) -> "Analysis":
    """Load an analysis file, or the cached analysis; make it, with a progress bar, if there is none.

    Parameters
    ----------
    track : Track
        The track.
    model : Model
        The network.
    settings : AnalysisSettings
        How it is analysed; they are part of the cache's key.
    output : Output
        For progress and notes.
    file : Path, optional
        A stored analysis.

    Raises
    ------
    InputError
        If the file is no analysis of this track by this network, or was made with other settings than were asked for.
    """
    from ...engine.analysis.analysis_file import load_analysis
    from ...engine.analysis.cache import analyze

    if file is not None:
        stored = load_analysis(file, track=track, model=model)
        check_asked_settings(stored.settings, settings, file)
        return stored
    with output.progress(f"Analysing {track.path.name}") as report:
        return analyze(track, model=model, settings=settings, progress=report, note=output.note)


def check_asked_settings(stored: "AnalysisSettings", asked: "AnalysisSettings", file: Path) -> None:
    """See that options of how to analyse agree with a stored analysis: else they had no effect. Raises InputError."""
    usual = type(asked)()
    for name, option in _SETTINGS.items():
        wanted, found = getattr(asked, name), getattr(stored, name)
        if wanted not in (getattr(usual, name), found):
            given = f"--{option}" if wanted is True else f"--{option} {_OPTION_WORDS.get(wanted, wanted)}"
            has = "without it" if wanted is True else f"with {_OPTION_WORDS.get(found, found)}"
            raise InputError(f"{given}: {file} was made {has}; leave one of them out")


def open_track(file: Path, output: Output, *, loudness: bool = False) -> "Track":
    """Open the track of a file or a pipe, measured with its loudness if asked for, and print notes about it.

    Raises
    ------
    InputError
        If it cannot be decoded.
    """
    from ...engine import load_track

    track = load_track(file, loudness=loudness)
    for note in track.notes:
        output.note(note)
    return track


def for_each_file(files: Iterable[Path], work: Callable[[Path], None]) -> None:
    """Call `work` for each file; an InputError is printed and does not stop the others.

    Raises
    ------
    typer.Exit
        With code 2 after the last file, if one of them could not be used.
    """
    failed = False
    for file in files:
        try:
            work(file)
        except InputError as error:
            print_error(str(error))
            failed = True
    if failed:
        raise typer.Exit(2)
