"""steer: a new sound file whose predicted emotions are shifted by as much as was asked."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.errors import InputError
from ...models.common.formatting import format_signed
from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.shared_options import NetworkOptions, OutputOptions

if TYPE_CHECKING:
    from rich.console import Group

    from ...engine.file_targets.steer import Steered


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(steer)


@expand_option_groups
def steer(
    file: options.File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Written as .wav, .flac or .ogg.")],
    toward: options.Toward = None,
    keep: options.Keep = None,
    curve: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Shifts over time: time_s and a column for each emotion.")
    ] = None,
    max_rms_db: options.MaxRmsDb = 5.0,
    min_quality: options.MinQuality = None,
    judges: Annotated[
        bool,
        typer.Option(
            "--judges", metavar="", help="Measure the result by judges: models that took no part in solving."
        ),
    ] = False,
    ceiling: options.Ceiling = -1.0,
    bit_depth: options.BitDepth = "24",
    overwrite: options.Overwrite = False,
    *,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Write a recording whose emotions are moved by as much as was asked, and measure what came of it."""
    console = output_options.output()
    asked = shifts_of(toward or [])
    if bool(asked) == (curve is not None):
        raise InputError("say what is asked by --toward EMOTION=SHIFT or by --curve CSV, one of the two")
    from ...engine.file_targets.ask_jury import ask_jury
    from ...engine.file_targets.curve import read_curve
    from ...engine.file_targets.steer import steer as write
    from ...engine.file_targets.targets import Targets, hardly_apart
    from ...engine.render.audio_writer import validate_output

    # Everything that can be wrong is looked at before the long work begins.
    targets = Targets(asked, tuple(keep or ())) if curve is None else None
    validate_output(output, bit_depth=bit_depth, source=file if file.is_file() else None, overwrite=overwrite)
    options.check_ceiling(ceiling)
    if curve is not None:
        read_curve(curve)
    track = options.open_track(file, console)
    path = None if curve is None else read_curve(curve, duration_s=track.duration_s)
    if path is not None and (end_s := float(path.times_s[-1])) > track.duration_s:
        console.note(f"{curve}: goes on to {end_s:g} s, the track ends at {track.duration_s:.2f} s (in seconds?)")
    network = network_options.load()
    if targets is not None and (line := hardly_apart(network, targets)):
        console.note(line)
    with console.progress(f"Steering {output.name}") as report:
        steered = write(
            track,
            output,
            toward=asked if path is None else path,
            keep=keep or (),
            model=network,
            max_rms_db=max_rms_db,
            min_quality=min_quality,
            judges=ask_jury if judges else None,
            bit_depth=bit_depth,
            ceiling_dbtp=ceiling,
            overwrite=overwrite,
            progress=report,
        )
    console.result(dataclasses.asdict(steered), lambda: steered_table(steered))
    for line in steered_lines(steered, curve=path is not None):
        console.line(line)


def shifts_of(settings: Sequence[str]) -> dict[str, float]:
    """Shifts by emotion from EMOTION=SHIFT. Raises InputError for what is none, and for an emotion named twice."""
    shifts: dict[str, float] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip().lower()
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"--toward {setting}: not EMOTION=SHIFT, like tender=+0.10") from None
        if not equals or name in shifts:
            raise InputError(f"--toward {setting}: {name} is named twice")
        shifts[name] = value
    return shifts


def steered_table(steered: "Steered") -> "Group":
    """Eight emotions before and after, with what was asked and what judges hear (the columns of their names)."""
    from ..console.tables import numbers_table, with_title

    judges = steered.judges or {}
    table = numbers_table("emotion", "before", "after", "shift", "asked", *judges)
    for name, before in steered.emotions["before"].items():
        after = steered.emotions["after"][name]
        asked = format_signed(steered.asked[name], ".3f") if name in steered.asked else ""
        wanted = asked or ("keep" if name in steered.kept else "")
        heard = (format_signed(moved[name], ".3f") for moved in judges.values())
        table.add_row(name, f"{before:.3f}", f"{after:.3f}", format_signed(after - before, ".3f"), wanted, *heard)
    return with_title(f"{steered.file} → {steered.output}", table)


def steered_lines(steered: "Steered", *, curve: bool) -> list[str]:
    """What else is worth a line; curve: what was asked is the mean of one."""
    lines = []
    if not steered.reachable:
        asked = ", ".join(f"{name} {_shift(value)}" for name, value in steered.asked.items())
        reached = ", ".join(f"{name} {format_signed(value, '.3f')}" for name, value in steered.reached.items())
        mean = "the mean of the curve, " if curve else ""
        lines.append(f"{mean}{asked} cannot be reached on this track within this gain: the nearest is {reached}")
    quality = (
        ""
        if steered.quality is None
        else f", quality {steered.quality['value']:.2f} of 5 ({steered.quality['measure']})"
    )
    lines.append(f"gain {steered.gain_rms_db:.1f} dB rms, at most {steered.gain_max_db:.1f} dB{quality}")
    softer = steered.loudness_lufs["before"] - steered.loudness_lufs["after"]
    if softer > 0.15:
        lines.append(f"{softer:.1f} dB softer than the original, so that no peak had to be limited")
    return lines


def _shift(value: float) -> str:
    """A shift that was asked for: hundredths, thousandths where it has them."""
    return format_signed(value, ".2f" if f"{value:.3f}".endswith("0") else ".3f")
