"""The page of an evaluation (Markdown): data and method, tables with intervals, figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import DRAWS, Estimate
from ...models.evaluation.results import EvaluationResults
from . import sections
from .plot_helpers import format_interval


def render_report(
    title: str, found: EvaluationResults, record: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> str:
    """Make the page. record: as `evaluate` writes it; others: such records to compare with."""
    parts = [
        f"# {title}",
        methods_section(record),
        sections.emotions_section(found),
        comparison_section(record, others),
    ]
    parts += [sections.midlevel_section(found), sections.scales_section(found), sections.features_section(found)]
    parts += [
        sections.sweep_section(found),
        sections.out_of_domain_section(found),
        sections.robustness_section(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def methods_section(record: Mapping[str, Any]) -> str:
    """Data, networks and settings of the evaluation."""
    clips = ", ".join(f"{name} ({count})" for name, count in record["clips"].items())
    lines = [f"Rated recordings: {clips}."]
    model = f"The model {record['model'][:12]}" if record.get("model") else ""
    if "folds" in record:
        first, last = record["seeds"]
        lines.append(
            f"Cross-validation: {record['folds']} parts of whole albums, {record['tested_folds']} of them tested, "
            f"divided with {record['repeats']} seeds ({first} to {last}). Each recording and excerpt is predicted by "
            "a network trained without its album; statistics are means over the divisions."
        )
        settings = ", ".join(f"{key} {value}" for key, value in record["settings"].items() if key != "seed")
        lines.append(f"Training: {settings}.")
        lines += [f"{model} predicts what no network was trained on."] if model else []
        if record.get("differences"):
            lines[-1] += f" Its training differs from that of these networks: {', '.join(record['differences'])}."
    else:
        lines.append(f"{model} predicts everything; for recordings that it was trained on, the figures are too good.")
    lines.append(f"In brackets: 95 % intervals, whole albums (or series) drawn with replacement, {DRAWS:,} times.")
    return "\n\n".join(lines)


def comparison_section(record: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """Compare with other records: as they are, and by r within those folds that both have tested."""
    if not others:
        return ""
    own = {part["clips_are"]: part["mean_r"] for part in record["by_part"]}
    rows = []
    for other in others:
        mean = other["findings"]["emotions"]["mean"]["r"]
        cells = [str(other["title"]), format_interval(Estimate(mean["value"], mean["low"], mean["high"]))]
        shared = [part for part in other.get("by_part", ()) if part["clips_are"] in own]
        if shared:
            theirs = sum(part["mean_r"] for part in shared) / len(shared)
            ours = sum(own[part["clips_are"]] for part in shared) / len(shared)
            cells += [format_r(theirs, 3), format_r(ours, 3), str(sum(part["clips"] for part in shared))]
        rows.append(cells + [""] * (5 - len(cells)))
    header = " | mean r, all it was tested on | mean r within folds that both tested | this one there | recordings"
    return "\n\n".join(["### Comparison", sections.table(header, rows)])
