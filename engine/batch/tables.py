"""Tables of a batch, made from its journal: results.jsonl, results.csv or .parquet, failures.csv.

The same journal gives the same bytes: rows are in the order of the tracks, whichever was done first.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.extras import require
from .common.storage import Storage, put_made
from .common.tasks import NOTES

Results = Callable[[], Iterable[Mapping[str, Any]]]
"""Gives the records of all tracks anew with each call, so that none need be held."""
FORMATS: Final = ("csv", "parquet")
RECORDS: Final = "results.jsonl"
FAILURES: Final = "failures.csv"
TABLES: Final = (RECORDS, *(f"results.{table}" for table in FORMATS), FAILURES)
"""Names of all tables that there can be in a destination."""
_ROWS_AT_ONCE: Final = 10_000
_NAMES: Final = {*MIDLEVEL, *EMOTIONS}


def write_tables(storage: Storage, records: Results, *, table: str) -> None:
    """Write the tables of a batch into its destination.

    Parameters
    ----------
    storage
        The destination.
    records
        Gives the journal's records in the order of the tracks.
    table
        "csv" or "parquet".

    Raises
    ------
    StorageLostError
        If the destination is full or cannot be reached.
    """
    makers: dict[str, Callable[[Path], None]] = {
        RECORDS: lambda path: _write_lines(path, records),
        f"results.{table}": lambda path: (_write_csv if table == "csv" else _write_parquet)(path, records),
        FAILURES: lambda path: _write_failures(path, records),
    }
    for name, make in makers.items():
        put_made(storage, name, make)


def flat_row(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as one row: parts of parts get names with dots, as `emotions.after.tender`.

    The predictions of `predict` have the names of the features and emotions alone, as `predict --csv` has them.
    """
    return {_short(name): value for name, value in _flat(result, "")}


def failure_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """File and reason of a failure; the reason does not begin with the file again."""
    file = str(record["file"])
    return file, str(record["reason"]).removeprefix(f"{file}: ")


def _short(name: str) -> str:
    group, _, rest = name.partition(".")
    return rest if group in ("midlevel", "emotions") and rest in _NAMES else name


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", ("; " if key == NOTES else " ").join(map(str, value))
        else:
            yield f"{prefix}{key}", value


def _rows(records: Results) -> Iterator[dict[str, Any]]:
    return (flat_row(record["result"]) for record in records() if record["status"] == "done")


def _columns(records: Results) -> list[str]:
    columns: dict[str, None] = {}
    for row in _rows(records):
        columns.update(dict.fromkeys(row))
    return list(columns) or ["file"]


def _write_lines(path: Path, records: Results) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for record in records():
            if record["status"] == "done":
                file.write(json.dumps(record["result"], ensure_ascii=False, allow_nan=False) + "\n")


def _write_csv(path: Path, records: Results) -> None:
    columns = _columns(records)
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in _rows(records):
            writer.writerow([row.get(name) for name in columns])


def _write_failures(path: Path, records: Results) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "reason"])
        for record in records():
            if record["status"] == "failed":
                writer.writerow(failure_of(record))


def _write_parquet(path: Path, records: Results) -> None:
    require("pyarrow")
    import pyarrow
    import pyarrow.parquet

    kinds: dict[str, Any] = {}
    for row in _rows(records):
        for name, value in row.items():
            if value is not None and kinds.get(name) != pyarrow.string():
                kinds[name] = _arrow_type(value, kinds.get(name))
            else:
                kinds.setdefault(name, None)
    schema = pyarrow.schema([(name, kind or pyarrow.float64()) for name, kind in (kinds or {"file": None}).items()])
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for row in _rows(records):
            chunk.append({field.name: _as_type(row.get(field.name), field.type) for field in schema})
            if len(chunk) == _ROWS_AT_ONCE:
                writer.write_table(pyarrow.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(pyarrow.Table.from_pylist(chunk, schema))


def _arrow_type(value: object, before: Any) -> Any:  # noqa: ANN401
    import pyarrow

    kind = pyarrow.string()
    if isinstance(value, bool):
        kind = pyarrow.bool_()
    elif isinstance(value, int | float):
        kind = pyarrow.float64()
    return kind if before in (None, kind) else pyarrow.string()


def _as_type(value: Any, kind: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    return str(value) if str(kind) == "string" else float(value) if str(kind) == "double" else value
