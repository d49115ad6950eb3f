"""How good a model is, as numbers, as a table for the eye, and as a record in JSON or Markdown."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Group
from rich.text import Text

from ..models.batches import Material
from ..models.errors import InputError
from ..models.evaluate import Floats, correlations, interval
from ..models.files import written_beside
from ..models.vocabulary import EMOTIONS, MIDLEVEL
from .tables import numbers_table, spoken, titled

MEANINGS: Final = {
    "emotions": "emotions, human ratings",
    "midlevel": "mid-levels, human ratings",
    "heard": "mid-levels, perceptual ratings of excerpts",
    "known": "mid-levels, music of known qualities",
}

Scores = dict[str, dict[str, float]]
"""Pearson r by head (see MEANINGS) and name; `mean` is their mean."""


def scores(midlevel: Floats, emotions: Floats, material: Material) -> Scores:
    """Correlations of predictions [clips, 7] and [clips, 8] with whatever the clips are rated for."""
    found: Scores = {}
    for head, targets in material.targets.items():
        names = EMOTIONS if head == "emotions" else MIDLEVEL
        values = correlations(emotions if head == "emotions" else midlevel, targets)
        rated = {name: float(r) for name, r in zip(names, values, strict=True) if np.isfinite(r)}
        if rated:
            found[head] = {**rated, "mean": float(np.mean(list(rated.values())))}
    return found


def emotion_interval(emotions: Floats, material: Material, groups: Sequence[str], *, seed: int) -> list[float] | None:
    """95 percent interval of the mean r of the emotions, by drawing albums; None where no emotions are rated."""
    rated = material.targets["emotions"]
    rows = np.flatnonzero(~np.isnan(rated).all(axis=1)).tolist()
    if len(rows) < 3:
        return None
    return list(interval(emotions[rows], rated[rows].astype(float), [groups[i] for i in rows], seed=seed))


def mean_scores(runs: Sequence[Scores]) -> Scores:
    """Mean over repeated runs."""
    return {
        head: {name: float(np.mean([run[head][name] for run in runs])) for name in values}
        for head, values in runs[0].items()
    }


def report_table(title: str, values: Scores) -> Group:
    """One block a head."""
    table = numbers_table("Pearson r", "")
    for head, rated in values.items():
        table.add_row(Text(MEANINGS[head], style="bold"), "")
        for name, r in rated.items():
            table.add_row(f"  {spoken(name)}", f"{r:.2f}")
        table.add_section()
    return titled(title, table)


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


def write_record(path: Path, record: Mapping[str, Any], values: Scores, *, title: str) -> None:
    """Write the record; a .md has the table first and everything else below. Raises InputError."""
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    if path.suffix == ".md":
        lines = [f"# {title}", ""]
        for head, rated in values.items():
            lines += [f"| {MEANINGS[head]} | Pearson r |", "| --- | ---: |"]
            lines += [f"| {spoken(name)} | {r:.3f} |" for name, r in rated.items()] + [""]
        text = "\n".join([*lines, "```json", text.rstrip(), "```", ""])
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")
