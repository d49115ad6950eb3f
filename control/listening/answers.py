"""What the answers of a listening test say: shares of choices in the meant direction, with binomial intervals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scipy.stats import binomtest

from ...models.common.errors import InputError
from ...models.datasets.table import read_cells
from .questions import question_called

COLUMNS: Final = ("test", "participant", "trial", "pair", "question", "direction", "steered", "answer")
"""Those that are read; the page writes some more."""
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Answer:
    """One choice. `as_meant`: the sound was chosen that was to have more of what is asked."""

    test: str
    participant: str
    trial: int
    pair: str
    question: str
    as_meant: bool


@dataclass(frozen=True)
class Share:
    """So many of `count` choices were as meant: their share with its interval, and how likely that is by chance.

    low, high: Wilson's interval (1927) at 95 %. p_value: exact binomial test against one half, two-sided. Choices of
    one listener are not independent of each other, which the interval does not know: see `listeners`.
    """

    what: str
    count: int
    as_meant: int
    listeners: int
    share: float
    low: float
    high: float
    p_value: float


def read_answers(files: Iterable[Path]) -> list[Answer]:
    """All answers of some CSV files. Raises InputError, also for an answer that is there twice."""
    answers: list[Answer] = []
    seen: dict[tuple[str, str, int], Path] = {}
    for file in files:
        for answer in _read(file):
            key = answer.test, answer.participant, answer.trial
            if key in seen:
                raise InputError(
                    f"{file}: the answer of {answer.participant!r} to trial {answer.trial} is also in {seen[key]}"
                )
            seen[key] = file
            answers.append(answer)
    if not answers:
        raise InputError("no answers in these files")
    return answers


def evaluate_answers(answers: Sequence[Answer]) -> list[Share]:
    """The share of all answers, then of each question, then of each listener."""
    shares = [_share("all", answers)]
    for question in dict.fromkeys(answer.question for answer in answers):
        shares.append(_share(question, [answer for answer in answers if answer.question == question]))
    for listener in dict.fromkeys(answer.participant for answer in answers):
        own = [answer for answer in answers if answer.participant == listener]
        shares.append(_share(f"listener {listener}", own))
    return shares


def _share(what: str, answers: Sequence[Answer]) -> Share:
    count, meant = len(answers), sum(answer.as_meant for answer in answers)
    test = binomtest(meant, count, 0.5)
    interval = test.proportion_ci(CONFIDENCE, method="wilson")
    listeners = len({(answer.test, answer.participant) for answer in answers})
    share = meant / count
    return Share(what, count, meant, listeners, share, float(interval.low), float(interval.high), float(test.pvalue))


def _read(file: Path) -> list[Answer]:
    rows = read_cells(file, what="file").rows
    header = [name.strip() for name in rows[0][1]] if rows else []
    missing = [name for name in COLUMNS if len(rows) > 1 and name not in header]
    if missing or len(rows) < 2:
        raise InputError(
            f"{file}: no answers of a listening test" + (f" ({missing[0]} is missing)" if missing else "")
        )
    return [_answer(f"{file}, line {number}", dict(zip(header, row, strict=False))) for number, row in rows[1:]]


def _answer(where: str, row: dict[str, str]) -> Answer:
    text = {name: row.get(name, "").strip() for name in COLUMNS}
    if text["direction"] not in ("1", "-1") or text["steered"] not in ("1", "2") or text["answer"] not in ("1", "2"):
        raise InputError(f"{where}: direction is 1 or -1, steered and answer are 1 or 2")
    if not text["participant"] or not text["trial"].isascii() or not text["trial"].isdecimal():
        raise InputError(f"{where}: whose answer is it, and to which trial?")
    try:
        question = question_called(text["question"])
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    chose_steered = text["answer"] == text["steered"]
    return Answer(
        text["test"],
        text["participant"],
        int(text["trial"][:9]),
        text["pair"],
        question,
        chose_steered == (text["direction"] == "1"),
    )
