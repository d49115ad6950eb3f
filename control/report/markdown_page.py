"""An evaluation as a page to read (Markdown): what was judged and how, tables with intervals, figures beside."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import DRAWS, Estimate
from ...models.evaluation.results import EvaluationResults
from . import sections
from .plot_helpers import format_interval


def render_report(
    title: str, found: EvaluationResults, record: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]
) -> str:
    """The whole page. record: as `evaluate` writes it; beside: such records of others."""
    parts = [
        f"# {title}",
        methods_section(record),
        sections.emotions_section(found),
        comparison_section(record, beside),
    ]
    parts += [sections.midlevel_section(found), sections.scales_section(found), sections.features_section(found)]
    parts += [
        sections.sweep_section(found),
        sections.out_of_domain_section(found),
        sections.robustness_section(found),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def methods_section(record: Mapping[str, Any]) -> str:
    """What was judged, by which networks, with which settings."""
    clips = ", ".join(f"{name} ({count})" for name, count in record["clips"].items())
    lines = [f"Rated recordings: {clips}."]
    model = f"The model {record['model'][:12]}" if record.get("model") else ""
    if "folds" in record:
        first, last = record["seeds"]
        lines.append(
            f"Cross-validation: {record['folds']} parts of whole albums, {record['tested_folds']} of them tested, "
            f"divided with {record['repeats']} seeds ({first} to {last}). Each recording and excerpt is judged by a "
            "network that has heard nothing of its album; statistics are means over the divisions."
        )
        settings = ", ".join(f"{key} {value}" for key, value in record["settings"].items() if key != "seed")
        lines.append(f"Training: {settings}.")
        lines += [f"{model} judges what no network has learned from."] if model else []
        if record.get("differences"):
            lines[-1] += f" It was trained otherwise than these networks: {', '.join(record['differences'])}."
    else:
        lines.append(
            f"{model} judges everything; where it has learned from these recordings, the numbers flatter it."
        )
    lines.append(f"In brackets: 95 % intervals, whole albums (or series) drawn with replacement, {DRAWS:,} times.")
    return "\n\n".join(lines)


def comparison_section(record: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]) -> str:
    """Other records as they came, and on the parts that both have tested, by r within each part."""
    if not beside:
        return ""
    own = {part["clips_are"]: part["mean_r"] for part in record["by_part"]}
    rows = []
    for other in beside:
        mean = other["findings"]["emotions"]["mean"]["r"]
        cells = [str(other["title"]), format_interval(Estimate(mean["value"], mean["low"], mean["high"]))]
        shared = [part for part in other.get("by_part", ()) if part["clips_are"] in own]
        if shared:
            theirs = sum(part["mean_r"] for part in shared) / len(shared)
            ours = sum(own[part["clips_are"]] for part in shared) / len(shared)
            cells += [format_r(theirs, 3), format_r(ours, 3), str(sum(part["clips"] for part in shared))]
        rows.append(cells + [""] * (5 - len(cells)))
    header = (
        " | mean r, all it was tested on | mean r within the parts that both tested | this one there | recordings"
    )
    return "\n\n".join(["### Beside others", sections.table(header, rows)])
