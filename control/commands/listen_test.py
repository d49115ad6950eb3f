"""listen-test: a blind listening test as a page to take along, and what its answers say."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.errors import InputError
from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.options import fader_gains_db
from ..console.shared_options import NetworkOptions, OutputOptions
from .steer import shifts_of

if TYPE_CHECKING:
    from rich.table import Table

    from ..listening.answers import Share
    from ..listening.pairs import Manipulation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("listen-test")(listen_test)


@expand_option_groups
def listen_test(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER [FILE]...", help="Where the page goes, and what to steer; or answers as CSV."),
    ],
    toward: Annotated[
        list[str] | None,
        typer.Option(metavar="EMOTION=SHIFT", help="Steer towards it, and ask about it. Repeatable: a pair each."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Steer by a preset; --question says what is asked.")
    ] = None,
    settings: options.Set = None,
    question: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What is asked: an emotion or a feature (articulation: staccato)."),
    ] = None,
    less: Annotated[
        bool, typer.Option("--less", metavar="", help="The steered sound is meant to have less of it.")
    ] = False,
    seconds: Annotated[float, typer.Option(metavar="S", help="Length of an excerpt, 2 to 30.")] = 10.0,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", metavar="", help="Count the answers in these CSV files.")
    ] = False,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    *,
    network_options: NetworkOptions,
    output_options: OutputOptions,
) -> None:
    """Make a blind, loudness-matched, randomised listening test, or evaluate its answers.

    Pairs are made from FILEs (by --toward, --preset or --set), or found in FOLDER (song-original.wav beside
    song-tender.wav or song-less-tender.wav).
    """
    console = output_options.output()
    if evaluate:
        given = {"--toward": toward, "--preset": preset, "--set": settings, "--question": question, "--less": less}
        if without_effect := [name for name, value in (given | {"--overwrite": overwrite}).items() if value]:
            raise InputError(f"{without_effect[0]}: has no effect beside --evaluate, which counts answers")
        from ..listening.answers import evaluate_answers, read_answers

        shares = evaluate_answers(read_answers(paths))
        console.result({"shares": [dataclasses.asdict(share) for share in shares]}, lambda: _table(shares))
        return
    from ..listening.page import check_folder, write_page
    from ..listening.pairs import SECONDS_RANGE, find_pairs, make_pairs

    folder, files = paths[0], paths[1:]
    low, high = SECONDS_RANGE
    if not low <= seconds <= high:
        raise InputError(f"--seconds {seconds:g}: goes from {low:g} to {high:g}")
    check_folder(folder, overwrite=overwrite)
    gains_db = fader_gains_db(preset, settings)
    manipulations = _manipulations(toward, gains_db, question, less=less)
    if less and not files and question is None:
        raise InputError("--less: of what? --question says it of NAME-steered.wav (others say it by their names)")
    if bool(files) != bool(manipulations):
        raise InputError(
            "how are the files to be steered? --toward tender=+0.1, --preset or --set"
            if files
            else f"which files are to be steered? They come after {folder}"
        )
    if files:
        network = network_options.load()
        with console.progress("Steering excerpts") as report:
            pairs = make_pairs(
                files, manipulations, seconds=seconds, model=network, progress=report, note=console.note
            )
    else:
        pairs = find_pairs(folder, seconds=seconds, question=question, less=less)
    page = write_page(folder, pairs, seed=seed)
    asked = list(dict.fromkeys(pair.question for pair in pairs))
    console.result({"page": str(page), "pairs": len(pairs), "questions": asked, "seed": seed}, lambda: str(page))


def _manipulations(
    toward: list[str] | None, gains_db: dict[str, float], question: str | None, *, less: bool
) -> list["Manipulation"]:
    """The manipulations of each file that the options ask for. Raises InputError."""
    from ...engine.dsp.faders import Faders
    from ...engine.file_targets.targets import Targets
    from ..listening.pairs import Manipulation
    from ..listening.questions import question_called

    asked = None if question is None else question_called(question)
    shifts = shifts_of(toward or [])
    manipulations = []
    for name, shift in shifts.items():
        Targets({name: shift})
        manipulations.append(
            Manipulation(asked or name, -1 if less or (asked is None and shift < 0) else 1, toward={name: shift})
        )
    if gains_db:
        Faders.from_mapping(gains_db)
        moved = {name: gain for name, gain in gains_db.items() if gain}
        if not moved:
            raise InputError(f"{', '.join(gains_db)}: 0 dB moves nothing, and there would be nothing to choose")
        if asked is None and len(moved) != 1:
            raise InputError("several faders are moved: --question says what is asked (tender, articulation, ...)")
        name, gain = next(iter(moved.items()))
        direction = -1 if less or (asked is None and gain < 0) else 1
        manipulations.append(Manipulation(asked or name, direction, gains_db=gains_db))
    return manipulations


def _table(shares: list["Share"]) -> "Table":
    from ..console.tables import numbers_table

    table = numbers_table("answers to", "as meant", "of", "listeners", "share", "95 %", "p")
    for share in shares:
        interval = f"{share.low:.2f} to {share.high:.2f}"
        numbers = (str(share.as_meant), str(share.count), str(share.listeners), f"{share.share:.2f}")
        table.add_row(share.what, *numbers, interval, f"{share.p_value:.3g}")
    return table
