"""Manifests: tables (CSV or Parquet) with a column `file`, and any options of the command as further columns.

CSV is read in any of the forms that spreadsheets write (models/datasets/table.py).
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ....models.common.errors import InputError
from ....models.common.extras import require
from ....models.datasets.table import cells_of
from ..common.errors import one_line
from ..common.storage import file_system, is_url, local_path
from ..common.tasks import Source
from .sources import describe_source

SUFFIXES: Final = (".csv", ".parquet")
_LARGEST: Final = 2 << 30  # bytes
_FIRST_ROW: Final = 2
"""Number of the first row below the head, as an editor shows it."""
_COMMA: Final = re.compile(r"\s*[+-]?\d*,\d+\s*")
"""A number with a decimal comma."""


def is_manifest(text: str) -> bool:
    """Whether a SOURCE is a manifest by its name."""
    return text.lower().endswith(SUFFIXES)


def read_manifest(text: str) -> list[tuple[int, Source, dict[str, str]]]:
    """Read a manifest.

    Parameters
    ----------
    text
        Path or fsspec URL of a .csv or .parquet file. Paths in it are relative to its folder.

    Returns
    -------
    list of (row number, source, options)
        Options are the texts of all other columns that are not empty.

    Raises
    ------
    InputError
        If it cannot be read, has no column `file`, or an empty one.
    """
    content = _content(text)
    try:
        numbered = _csv_rows(content, text) if text.lower().endswith(".csv") else _parquet_rows(content)
        rows = list(numbered)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{text}: not a table that can be read ({one_line(error)})") from error
    if not rows:
        raise InputError(f"{text}: there is no row in it")
    if "file" not in rows[0][1]:
        raise InputError(f"{text}: it has no column `file` ({', '.join(list(rows[0][1])[:8])})")
    folder = text.rpartition("/")[0] if is_url(text) else str(local_path(text).parent)
    named = []
    for number, row in rows:
        file = row.pop("file", "").strip()
        if not file:
            raise InputError(f"{text}, row {number}: the column `file` is empty")
        url = file if is_url(file) or os.path.isabs(file) or file.startswith("file://") else f"{folder}/{file}"  # noqa: PTH117
        named.append((number, url if is_url(url) else str(local_path(url)), row))
    root = _common_root([url for _, url, _ in named])
    return [(number, describe_source(url, root, _relative(url, root)), row) for number, url, row in named]


def _content(text: str) -> bytes:
    try:
        if is_url(text):
            system, path = file_system(text)
            content = bytes(system.cat_file(path))
        else:
            with local_path(text).open("rb") as file:
                content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise InputError(f"{text}: no such file") from None
    except OSError as error:
        raise InputError(f"{text}: cannot be read ({error.strerror or one_line(error)})") from error
    if len(content) > _LARGEST:
        raise InputError(f"{text}: larger than {_LARGEST >> 30} GiB (another kind of file?)")
    return content


def _csv_rows(content: bytes, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    table = cells_of(content, text)
    head = [_column(cell) for cell in table.rows[0][1]] if table.rows else []
    for number, cells in table.rows[1:]:
        if any(cell.strip() for cell in cells[len(head) :]):
            raise InputError(f"{text}: not a table that can be read (row {number} has more cells than the head)")
        row = dict(zip(head, cells, strict=False))
        if table.decimal_comma:
            row = {name: cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell for name, cell in row.items()}
        yield number, {name: cell for name, cell in row.items() if (cell and name) or name == "file"}


def _parquet_rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    require("pyarrow")
    import pyarrow
    import pyarrow.parquet

    number = _FIRST_ROW
    for batch in pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).iter_batches(10_000):
        for row in batch.to_pylist():
            named = {_column(key): value for key, value in row.items()}
            yield number, {key: _text(value) for key, value in named.items() if value is not None or key == "file"}
            number += 1


def _column(name: str) -> str:
    """A column's name; that of the files in small letters, however it is written."""
    name = name.strip()
    return name.lower() if name.lower() == "file" else name


def _text(value: Any) -> str:  # noqa: ANN401
    """As it would stand in CSV; NaN is how pandas writes nothing."""
    if value is None or value != value:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _common_root(urls: list[str]) -> str:
    """The folder that all files are in; empty where there is none."""
    if len({is_url(url) for url in urls}) > 1:
        return ""
    parts = [url.rpartition("/")[0].split("/") for url in urls]
    common: list[str] = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    root = "/".join(common)
    if is_url(urls[0]) and root.count("/") < 2:
        return ""
    return root or ("/" if urls[0].startswith("/") else "")


def _relative(url: str, root: str) -> str:
    path = url[len(root) :] if root else url.replace("://", "/")
    clean = [part for part in Path(path.replace("::", "/")).parts if part not in ("/", "..", ".")]
    return "/".join(clean) or "track"
