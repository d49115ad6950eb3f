"""Rated recordings and the tables they are read from: any CSV with a `file` column, and series of known qualities.

A table of one's own has a header, a column `file` (paths relative to the table), columns named like features or
emotions with ratings 0..1, of which any may be left empty, and if clips belong together (one album, one artist) a
column `group`, whose clips are never split between training and testing. Other columns are ignored. UTF-8, with or
without a byte-order mark; comma, semicolon or tab.
"""

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from ..common.constants import EMOTIONS, MIDLEVEL
from ..common.errors import InputError

RATING_SCALE: Final = 10.0


@dataclass(frozen=True)
class Clip:
    """A recording with ratings. start_s and length_s choose a stretch of it (None: to the end).

    weight: what an error in its ratings counts beside those of other clips.
    """

    path: Path
    group: str
    ratings: dict[str, float] = field(default_factory=dict)
    start_s: float = 0.0
    length_s: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class SweepClip:
    """A clip of known qualities. In a series one quality alone is turned; both are empty where all are.

    kind: how the music was made (`composed` by rule, from a `score`), empty if the table does not say.
    """

    clip: Clip
    quality: str = ""
    series: str = ""
    kind: str = ""


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV with a header (a byte-order mark is allowed), names stripped of blanks. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such table")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header.count)
            reader = csv.DictReader(file, delimiter=delimiter)
            rows = [{str(key).strip(): value or "" for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV table in UTF-8 (an .xls saved under that name?): {error}") from error
    if not rows:
        raise InputError(f"{path}: the table has no rows")
    return rows


def parse_number(row: dict[str, str], column: str, path: Path, line: int) -> float:
    """A finite number of a row. Raises InputError, which names the row."""
    text = row.get(column, "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"{path}, row {line}: {column} is {text!r}, not a number")
    return value


def parse_rating(row: dict[str, str], column: str, path: Path, line: int, *, top: float = RATING_SCALE) -> float:
    """A rating on 0..top, as 0..1. Raises InputError, which names the row."""
    value = parse_number(row, column, path, line)
    if not 0 <= value <= top:
        raise InputError(f"{path}, row {line}: {column} is {value:g}, outside of 0..{top:g} (another scale?)")
    return value / top


def read_table(path: Path, *, prefix: str = "") -> list[Clip]:
    """Clips of a table as the module's text describes it. `prefix` is put before the names of the features
    (`known_` for rendered music). Raises InputError.
    """
    return _clips(path, read_rows(path), prefix)


def read_sweeps(path: Path, *, prefix: str = "") -> list[SweepClip]:
    """A table of music of known qualities (`known_` ratings) with its columns `quality`, `series` and `kind`, if any.

    Without a `group` a series is a group of its own (with one, series of one score can stay together). `prefix` is
    put before the names of series, which two tables may call alike; groups that are named keep their names.
    Raises InputError: for a quality that is no feature, and a series that turns two or has one value only.
    """
    rows = read_rows(path)
    found = []
    for clip, row in zip(_clips(path, rows, "known_"), rows, strict=True):
        quality, series, kind = (row.get(column, "").strip() for column in ("quality", "series", "kind"))
        series = series and prefix + series
        group = row.get("group", "").strip() or series or clip.group
        found.append(SweepClip(dataclasses.replace(clip, group=group), quality, series, kind))
    values: dict[str, set[tuple[str, float]]] = {}
    for line, one in enumerate(found, start=2):
        if one.quality and one.quality not in MIDLEVEL:
            raise InputError(f"{path}, row {line}: quality {one.quality!r} is none of {', '.join(MIDLEVEL)}")
        if bool(one.quality) != bool(one.series):
            raise InputError(f"{path}, row {line}: quality and series belong together, one of them is empty")
        if one.quality:
            value = one.clip.ratings.get(f"known_{one.quality}", float("nan"))
            values.setdefault(one.series, set()).add((one.quality, value))
    for name, turned in values.items():
        if len({quality for quality, _ in turned}) > 1 or len(turned) < 2:
            raise InputError(f"{path}: series {name!r} must turn one quality through at least two values")
    return found


def _clips(path: Path, rows: Sequence[dict[str, str]], prefix: str) -> list[Clip]:
    rated = [name for name in rows[0] if name in (*MIDLEVEL, *EMOTIONS)]
    if "file" not in rows[0] or not rated:
        raise InputError(f"{path}: needs a column 'file' and at least one named like a feature or an emotion")
    clips = []
    for line, row in enumerate(rows, start=2):
        file = path.parent / row["file"].strip()
        if not file.is_file():
            raise InputError(f"{path}, row {line}: no such audio file {file}")
        ratings = {prefix + name: parse_rating(row, name, path, line, top=1.0) for name in rated if row[name].strip()}
        clips.append(Clip(path=file, group=row.get("group", "").strip() or file.name, ratings=ratings))
    if not any(clip.ratings for clip in clips):
        raise InputError(f"{path}: not one rating in it, all cells of {', '.join(rated)} are empty")
    return clips
