"""Rated recordings and the tables they are read from: any CSV with a `file` column, and sweeps of synthetic music.

A table of one's own has a header, a column `file` (paths relative to the table), columns named like features or
emotions with ratings 0..1, of which any may be left empty, and if clips belong together (one album, one artist) a
column `group`, whose clips are never split between training and testing. Other columns are ignored.

UTF-8 or what spreadsheets write beside it (UTF-16, Windows-1252); comma, semicolon or tab, a first line `sep=;` as
Excel understands it; decimal commas where a comma separates nothing; empty rows count as rows but say nothing.
"""

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from ..common.constants import EMOTIONS, MIDLEVEL
from ..common.errors import InputError
from ..common.paths import find_written_file

RATING_SCALE: Final = 10.0
_MAX_BYTES: Final = 64 << 20
_MAX_COLUMNS: Final = 4096


class Row(dict[str, str]):
    """Cells of a table by their column's name, and which row of the table it is, counted as a spreadsheet does."""

    def __init__(self, cells: dict[str, str], *, line: int, decimal_comma: bool = False) -> None:
        super().__init__(cells)
        self.line = line
        self.decimal_comma = decimal_comma


@dataclass(frozen=True)
class Clip:
    """A recording with ratings; start_s and length_s choose an excerpt of it (None: to the end).

    weight: what an error in its ratings counts beside those of other clips. genre: empty if it is unknown.
    """

    path: Path
    group: str
    ratings: dict[str, float] = field(default_factory=dict)
    start_s: float = 0.0
    length_s: float | None = None
    weight: float = 1.0
    genre: str = ""


@dataclass(frozen=True)
class SweepClip:
    """A clip of synthetic music. In a series one quality alone is swept; both are empty where all vary.

    kind: how the music was made (`composed` by rule, from a `score`), empty if the table does not say.
    """

    clip: Clip
    quality: str = ""
    series: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Cells:
    """A table as it stands: rows that are not empty, each with its number as a spreadsheet counts."""

    rows: list[tuple[int, list[str]]]
    decimal_comma: bool
    """Whether a comma can be a decimal one, because something else separates the cells."""


def read_cells(path: Path, *, what: str = "table") -> Cells:
    """The cells of a CSV in any of the forms that the module's text names; `what` is what a line calls it.

    Raises
    ------
    InputError
        For a table that is not there or no text, and a quotation mark that is not closed.
    """
    return cells_of(_content(path, what), path)


def cells_of(content: bytes, path: Path | str) -> Cells:
    """The cells of the content of a CSV, as `read_cells`; path: what errors call it. Raises InputError."""
    lines = io.StringIO(_decoded(content, path), newline="")
    first = lines.readline()
    separator = None
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        separator = first[4]  # Excel's own line: no row of the table
        lines = io.StringIO(lines.read(), newline="")
        first = lines.readline()
    lines.seek(0)
    delimiter = separator or max(",;\t", key=first.count)
    rows: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for cells in csv.reader(lines, delimiter=delimiter, strict=True):
            number += 1
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        raise InputError(
            f"{path}, row {number + 1}: not a row of a CSV table (a quotation mark that is not closed? {error})"
        ) from error
    return Cells(rows, delimiter != ",")


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV with a header that are not empty, names stripped of blanks.

    Raises
    ------
    InputError
        For a table that is not there or no text, has no rows, or a quotation mark that is not closed.
    """
    table = read_cells(path)
    if len(table.rows) < 2:
        raise InputError(f"{path}: the table has no rows")
    header = [cell.strip() for cell in table.rows[0][1]][:_MAX_COLUMNS]
    rows: list[Row] = []
    for number, cells in table.rows[1:]:
        padded = [*cells, *[""] * len(header)]
        named = {name: cell for name, cell in zip(header, padded, strict=False) if name}
        if any("\n" in cell or "\r" in cell for cell in named.values()):
            raise InputError(f"{path}, row {number}: a cell of several lines (a quotation mark that is not closed?)")
        rows.append(Row(named, line=number, decimal_comma=table.decimal_comma))
    return rows


def number_of(text: str, *, decimal_comma: bool) -> float:
    """The number that a cell holds; NaN where it holds none that is finite."""
    text = text.strip()
    try:
        value = float(text.replace(",", ".") if decimal_comma and text.count(",") == 1 else text)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")


def _content(path: Path, what: str) -> bytes:
    """All bytes of a table. Raises InputError."""
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such {what}")
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path}: larger than {_MAX_BYTES >> 20} MB (another kind of file?)")
    return content


def _decoded(content: bytes, path: Path | str) -> str:
    """The text of a table in one of the encodings that spreadsheets write. Raises InputError."""
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        if b"\0" in content and not utf_16:
            raise InputError(f"{path}: not a CSV table (an .xls or .xlsx saved under that name?)")
        text = content.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = "\0"
        if utf_16 or any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text):
            raise InputError(f"{path}: not a CSV table in UTF-8 (an .xls saved under that name?): {error}") from error
    return text


def parse_number(row: dict[str, str], column: str, path: Path, line: int) -> float:
    """A finite number of a row. Raises InputError, which names the row."""
    text = row.get(column, "").strip()
    line = getattr(row, "line", line)
    value = number_of(text, decimal_comma=getattr(row, "decimal_comma", False))
    if np.isnan(value):
        raise InputError(f"{path}, row {line}: {column} is {text[:40]!r}, not a number")
    return value


def parse_rating(row: dict[str, str], column: str, path: Path, line: int, *, top: float = RATING_SCALE) -> float:
    """A rating on 0..top, as 0..1. Raises InputError, which names the row."""
    value = parse_number(row, column, path, line)
    line = getattr(row, "line", line)
    if not 0 <= value <= top:
        raise InputError(f"{path}, row {line}: {column} is {value:g}, outside of 0..{top:g} (another scale?)")
    return value / top


def read_table(path: Path, *, prefix: str = "") -> list[Clip]:
    """Clips of a table as the module's text describes it. Raises InputError.

    `prefix` is put before the names of the features (`known_` for rendered music).
    """
    return _clips(path, read_rows(path), prefix)


def read_sweeps(path: Path, *, prefix: str = "") -> list[SweepClip]:
    """A table of music of known qualities (`known_` ratings) with its columns `quality`, `series` and `kind`, if any.

    Without a `group` a series is a group of its own (with one, series of one score can stay together). `prefix` is
    put before the names of series, which two tables may call alike; groups that are named keep their names.
    Raises InputError: for a quality that is no feature, and a series that turns two or has one value only.
    """
    rows = read_rows(path)
    sweeps = []
    for clip, row in zip(_clips(path, rows, "known_"), rows, strict=True):
        quality, series, kind = (row.get(column, "").strip() for column in ("quality", "series", "kind"))
        series = series and prefix + series
        group = row.get("group", "").strip() or series or clip.group
        sweeps.append(SweepClip(dataclasses.replace(clip, group=group), quality, series, kind))
    values: dict[str, set[tuple[str, float]]] = {}
    for row, sweep in zip(rows, sweeps, strict=True):
        line = row.line
        if sweep.quality and sweep.quality not in MIDLEVEL:
            raise InputError(f"{path}, row {line}: quality {sweep.quality[:40]!r} is none of {', '.join(MIDLEVEL)}")
        if bool(sweep.quality) != bool(sweep.series):
            raise InputError(f"{path}, row {line}: quality and series belong together, one of them is empty")
        if sweep.quality:
            value = sweep.clip.ratings.get(f"known_{sweep.quality}", float("nan"))
            values.setdefault(sweep.series, set()).add((sweep.quality, value))
    for name, turned in values.items():
        if len({quality for quality, _ in turned}) > 1 or len(turned) < 2:
            raise InputError(f"{path}: series {name[:40]!r} must turn one quality through at least two values")
    return sweeps


def _clips(path: Path, rows: Sequence[Row], prefix: str) -> list[Clip]:
    rated = [name for name in rows[0] if name in (*MIDLEVEL, *EMOTIONS)]
    if "file" not in rows[0] or not rated:
        raise InputError(f"{path}: needs a column 'file' and at least one named like a feature or an emotion")
    clips = []
    for row in rows:
        file = find_file(path, row)
        ratings = {
            prefix + name: parse_rating(row, name, path, row.line, top=1.0) for name in rated if row[name].strip()
        }
        clips.append(Clip(path=file, group=row.get("group", "").strip() or file.name, ratings=ratings))
    if not any(clip.ratings for clip in clips):
        raise InputError(f"{path}: not one rating in it, all cells of {', '.join(rated)} are empty")
    return clips


def find_file(path: Path, row: Row, *, kind: str = "audio") -> Path:
    """The file that a row of the table at `path` names in its column `file`, however its accents are written.

    `kind` is what it is called in messages. Raises InputError.
    """
    name = row.get("file", "").strip()
    if not name:
        raise InputError(f"{path}, row {row.line}: names no {kind} file")
    file = path.parent / name
    try:
        if (found := find_written_file(path.parent, name)) is not None:
            return found
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}, row {row.line}: {name[:60]}...: {reason}") from error
    shown = str(file) if len(name) <= 200 else f"{name[:60]}..."
    raise InputError(f"{path}, row {row.line}: no such {kind} file {shown}")
