"""report.html of a batch: how many tracks, how long, what they are like, failures, notes. One file, no scripts."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ...engine.batch.common.tasks import NOTES
from ...engine.batch.tables import RECORDS, Results, failure_of, flat_row
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name

_BINS: Final = 20
_MAX_ROWS: Final = 1000
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;"
    "border-bottom:1px solid #ddd;vertical-align:middle}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}svg{display:block}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}td,th{border-color:#444}}"
)


def write_report(path: Path, command: str, total: int, records: Results) -> None:
    """Write the report of a batch.

    Parameters
    ----------
    path
        The file to write.
    command
        predict, analyze, steer or render.
    total
        How many tracks there are.
    records
        Gives the records of those that have been worked on.
    """
    counts: Counter[str] = Counter()
    seconds = 0.0
    values = {name: _Histogram() for name in _columns(command)}
    reasons: Counter[str] = Counter()
    failures: list[tuple[str, str]] = []
    notes: list[tuple[str, str]] = []
    for record in records():
        counts[record["status"]] += 1
        if record["status"] == "done":
            row = flat_row(record["result"])
            seconds += float(row.get("duration_s") or 0.0)
            for name, histogram in values.items():
                histogram.add(row.get(name))
            if NOTES in row:
                counts[NOTES] += 1
                notes += [(str(row["file"]), row[NOTES])] * (len(notes) < _MAX_ROWS)
            continue
        file, reason = failure_of(record)
        reasons[re.sub(r"\d[\d.,]*", "N", reason)] += 1
        if len(failures) < _MAX_ROWS:
            failures.append((file, reason))
    parts = [
        f"<h1>moodfader batch {html.escape(command)}</h1>",
        f"<p>{counts['done']} of {total} tracks done, {counts['failed']} failed;",
        f"{seconds / 3600:.2f} hours of music.</p>",
        _histograms(values),
        _failures(reasons, failures, counts["failed"]),
        _notes(notes, counts[NOTES]),
    ]
    page = f"<!doctype html><meta charset=utf-8><title>moodfader batch {command}</title><style>{_STYLE}</style>"
    path.write_text(page + "\n".join(parts) + "\n", encoding="utf-8", errors="surrogateescape")


def _columns(command: str) -> list[str]:
    if command == "predict":
        return [*MIDLEVEL, *EMOTIONS]
    if command == "analyze":
        return [f"stability.{name}" for name in MIDLEVEL]
    return [
        f"{group}.after.{name}" for group, names in (("midlevel", MIDLEVEL), ("emotions", EMOTIONS)) for name in names
    ]


class _Histogram:
    """Counts of values from 0 to 1, and their mean."""

    def __init__(self) -> None:
        self.counts = [0] * _BINS
        self.sum = 0.0

    def add(self, value: object) -> None:
        if isinstance(value, int | float):
            self.counts[min(max(int(value * _BINS), 0), _BINS - 1)] += 1
            self.sum += value

    @property
    def number(self) -> int:
        return sum(self.counts)

    def svg(self) -> str:
        top = max(self.counts) or 1
        bars = "".join(
            f'<rect x="{10 * i}" y="{30 - 30 * count / top:.1f}" width="9" height="{30 * count / top:.1f}"/>'
            for i, count in enumerate(self.counts)
        )
        return (
            f'<svg width="{10 * _BINS}" height="30" fill="#4878a8" role="img" aria-label="distribution">{bars}</svg>'
        )


def _histograms(values: Mapping[str, _Histogram]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(display_name(name.split('.')[-1]))}"
        f"<td class=n>{found.sum / found.number:.3f}<td>{found.svg()}"
        for name, found in values.items()
        if found.number
    )
    return f"<h2>From 0 to 1</h2><table><tr><th><th>mean<th>distribution{rows}</table>" if rows else ""


def _failures(reasons: Counter[str], failures: list[tuple[str, str]], number: int) -> str:
    if not number:
        return ""
    kinds = "".join(f"<tr><td class=n>{count}<td>{html.escape(reason)}" for reason, count in reasons.most_common(100))
    return (
        f"<h2>Why tracks failed</h2><table>{kinds}</table>"
        f"<h2>Tracks that failed</h2>{_files(failures, 'reason', number, 'failures.csv')}"
    )


def _notes(notes: list[tuple[str, str]], number: int) -> str:
    return f"<h2>Notes about tracks</h2>{_files(notes, 'note', number, RECORDS)}" if number else ""


def _files(texts: list[tuple[str, str]], column: str, number: int, table: str) -> str:
    """Files and a text about each; where there are more, where all are."""
    rows = "".join(f"<tr><td>{html.escape(file)}<td>{html.escape(text)}" for file, text in texts)
    rest = f"<p>The first {len(texts)} of {number}; all are in {table}.</p>" if number > len(texts) else ""
    return f"{rest}<table><tr><th>file<th>{column}{rows}</table>"
