"""What an evaluation found, as a table for the eye and as a record in JSON or Markdown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Group
from rich.text import Text

from ...models.common.atomic_write import atomic_write
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from ...models.evaluation.metrics import column_correlations
from ...models.evaluation.results import EvaluationInputs
from ..console.tables import numbers_table, with_title

TARGET_SET_TITLES: Final = {
    "emotions": "emotions, human ratings",
    "midlevel": "mid-levels, human ratings",
    "heard": "mid-levels, perceptual ratings of excerpts",
    "known": "mid-levels, music of known qualities",
}

Scores = dict[str, dict[str, float]]
"""Pearson r by head (see MEANINGS) and name; `mean` is their mean."""


def pearson_scores(evidence: EvaluationInputs) -> Scores:
    """Correlations with whatever the clips are rated for, mean of the runs. Raises InputError for none."""
    found: Scores = {}
    for head, targets in evidence.rated.items():
        names, said = (
            (EMOTIONS, evidence.said[:, :, 7:]) if head == "emotions" else (MIDLEVEL, evidence.said[:, :, :7])
        )
        judged = np.where(np.isfinite(evidence.said[0, :, :1]), targets, np.nan)
        values = np.mean([column_correlations(run, judged) for run in said], axis=0)
        rated = {name: float(r) for name, r in zip(names, values, strict=True) if np.isfinite(r)}
        if rated:
            found[head] = {**rated, "mean": float(np.mean(list(rated.values())))}
    if not found:
        raise InputError("too few rows: a correlation needs three recordings that are rated for the same thing")
    return found


def report_table(title: str, values: Scores) -> Group:
    """One block a head."""
    table = numbers_table("Pearson r", "")
    for head, rated in values.items():
        table.add_row(Text(TARGET_SET_TITLES[head], style="bold"), "")
        for name, r in rated.items():
            table.add_row(f"  {display_name(name)}", f"{r:.2f}")
        table.add_section()
    return with_title(title, table)


def check_record(path: Path | None, *, overwrite: bool) -> None:
    """Raises InputError for a record of another ending than .json and .md, or one that is there already."""
    if path is None:
        return
    if path.suffix not in (".json", ".md"):
        raise InputError(f"{path}: the record is written as .json or .md")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already (--overwrite replaces it)")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")


def read_record(path: Path) -> dict[str, Any]:
    """The record.json of another report, to be shown beside. Raises InputError for anything else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        mean = record["findings"]["emotions"]["mean"]["r"]
        known = isinstance(record["title"], str) and all(
            isinstance(mean[key], float) for key in ("value", "low", "high")
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the record.json of an evaluation's --report with rated emotions") from error
    if not known:
        raise InputError(f"{path}: a record without the mean r of the emotions")
    return dict(record)


def write_record(path: Path, record: Mapping[str, Any], values: Scores, *, title: str) -> None:
    """Write the record; a .md has the table first and everything else below. Raises InputError."""
    text = json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n"
    if path.suffix == ".md":
        lines = [f"# {title}", ""]
        for head, rated in values.items():
            lines += [f"| {TARGET_SET_TITLES[head]} | Pearson r |", "| --- | ---: |"]
            lines += [f"| {display_name(name)} | {r:.3f} |" for name, r in rated.items()] + [""]
        text = "\n".join([*lines, "```json", text.rstrip(), "```", ""])
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8")
