"""The correlations of an evaluation as a terminal table, and its record as JSON or Markdown."""

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
from ...models.datasets.clip_dataset import EMOTION_SETS
from ...models.evaluation.metrics import column_correlations, ratings_differ
from ...models.evaluation.results import EvaluationInputs
from ..console.tables import numbers_table, with_title

TARGET_SET_TITLES: Final = {
    "emotions": "emotions, human ratings",
    "midlevel": "mid-levels, human ratings",
    "heard": "mid-levels, perceptual ratings of excerpts",
    "known": "mid-levels, synthetic music",
    "felt": "emotions, felt by listeners (Emotify)",
    "vgmidi": "emotions, rendered game music (VGMIDI)",
    "emopia": "emotions, rendered pop piano (EMOPIA)",
}

Scores = dict[str, dict[str, float]]
"""Pearson correlation by target set (see TARGET_SET_TITLES) and name; `mean` is their mean."""


def pearson_scores(inputs: EvaluationInputs) -> Scores:
    """Correlate the predictions with all ratings of the clips; the mean over the runs.

    What is rated alike for all clips correlates with nothing, and is left out.

    Raises
    ------
    InputError
        Nothing is rated, and not all alike, for at least three clips.
    """
    scores: Scores = {}
    for head, targets in inputs.rated.items():
        names, predictions = (
            (EMOTIONS, inputs.predictions[:, :, 7:])
            if head in EMOTION_SETS
            else (MIDLEVEL, inputs.predictions[:, :, :7])
        )
        valid = np.where(np.isfinite(inputs.predictions[0, :, :1]), targets, np.nan)
        valid = np.where(ratings_differ(valid), valid, np.nan)
        values = np.mean([column_correlations(run, valid) for run in predictions], axis=0)
        rated = {name: float(r) for name, r in zip(names, values, strict=True) if np.isfinite(r)}
        if rated:
            scores[head] = {**rated, "mean": float(np.mean(list(rated.values())))}
    if not scores:
        raise InputError(
            "too few rows: a correlation needs three recordings that are rated for the same thing, and not alike"
        )
    return scores


def report_table(title: str, values: Scores) -> Group:
    """Return the terminal table of the correlations, a section for each target set."""
    table = numbers_table("Pearson r", "")
    for head, rated in values.items():
        table.add_row(Text(TARGET_SET_TITLES[head], style="bold"), "")
        for name, r in rated.items():
            table.add_row(f"  {display_name(name)}", f"{r:.2f}")
        table.add_section()
    return with_title(title, table)


def check_record(path: Path | None, *, overwrite: bool) -> None:
    """Check that a record can be written, before the work for it begins.

    Raises
    ------
    InputError
        The suffix is neither .json nor .md, the file exists, or its folder does not.
    """
    if path is None:
        return
    if path.suffix not in (".json", ".md"):
        raise InputError(f"{path}: the record is written as .json or .md")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already (--overwrite replaces it)")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")


def read_record(path: Path) -> dict[str, Any]:
    """Read the record.json of another report.

    Raises
    ------
    InputError
        The file is missing or not such a record, or it has no rated emotions.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        mean = record["findings"]["emotions"]["mean"]["r"]
        is_complete = isinstance(record["title"], str) and all(
            isinstance(mean[key], float) for key in ("value", "low", "high")
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not the record.json of an evaluation's --report with rated emotions") from error
    if not is_complete:
        raise InputError(f"{path}: a record without the mean r of the emotions")
    return dict(record)


def write_record(path: Path, record: Mapping[str, Any], values: Scores, *, title: str) -> None:
    """Write a record.

    Parameters
    ----------
    path
        A .json file, or an .md file: tables, then the JSON.
    record
        The record of the evaluation.
    values
        Pearson correlations by target set.
    title
        Heading of an .md file.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    text = json.dumps(record, indent=2, sort_keys=True, allow_nan=False) + "\n"
    if path.suffix == ".md":
        lines = [f"# {title}", ""]
        for head, rated in values.items():
            lines += [f"| {TARGET_SET_TITLES[head]} | Pearson r |", "| --- | ---: |"]
            lines += [f"| {display_name(name)} | {r:.3f} |" for name, r in rated.items()] + [""]
        text = "\n".join([*lines, "```json", text.rstrip(), "```", ""])
    with atomic_write(path) as temp_path:
        temp_path.write_text(text, encoding="utf-8", errors="surrogateescape")
