"""The Markdown page of an evaluation: methods, comparison with other evaluations, and the sections of results."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import DRAWS, Estimate
from ...models.evaluation.results import EvaluationResults
from . import sections
from .plot_helpers import format_interval


def render_report(
    title: str, results: EvaluationResults, record: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> str:
    """Render the page.

    Parameters
    ----------
    title
        Heading of the page.
    results
        Metrics.
    record
        The record of the evaluation, as the command `evaluate` makes it.
    others
        Records of other evaluations to compare with.

    Returns
    -------
    str
        Markdown.
    """
    parts = [
        f"# {title}",
        methods_section(record),
        sections.emotions_section(results),
        sections.dataset_section(results),
        comparison_section(record, others),
    ]
    parts += [
        sections.midlevel_section(results),
        sections.scales_section(results),
        sections.features_section(results),
    ]
    parts += [
        sections.sweep_section(results),
        sections.out_of_domain_section(results),
        sections.robustness_section(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def methods_section(record: Mapping[str, Any]) -> str:
    """Describe the data, the networks and their training, from a record."""
    clips = ", ".join(f"{name} ({count})" for name, count in record["clips"].items())
    lines = [f"Rated recordings: {clips}."]
    model = f"The model {record['model'][:12]}" if record.get("model") else ""
    if "folds" in record:
        first, last = record["seeds"]
        lines.append(
            f"Cross-validation: {record['folds']} folds of whole albums, {record['tested_folds']} of them tested, "
            f"repeated with {record['repeats']} seeds ({first} to {last}). Each recording and excerpt is predicted "
            "by a network that was not trained on its album; statistics are means over the repetitions."
        )
        settings = ", ".join(f"{key} {value}" for key, value in record["settings"].items() if key != "seed")
        lines.append(f"Training: {settings}.")
        lines += [f"{model} predicts what no network was trained on."] if model else []
        if record.get("differences"):
            lines[-1] += f" Its training differs from theirs: {', '.join(record['differences'])}."
    else:
        lines.append(f"{model} predicts everything; if it was trained on these recordings, the results are too good.")
    lines.append(f"In brackets: 95 % intervals, cluster bootstrap over albums (or sweeps), {DRAWS:,} samples.")
    return "\n\n".join(lines)


def comparison_section(record: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """Compare with other records: as they are, and on the folds that both have tested.

    Parameters
    ----------
    record
        The record of this evaluation.
    others
        Records of other evaluations.
    """
    if not others:
        return ""
    own_r = {fold["clips_are"]: fold["mean_r"] for fold in record["by_part"]}
    rows = []
    for other in others:
        mean = other["findings"]["emotions"]["mean"]["r"]
        cells = [str(other["title"]), format_interval(Estimate(mean["value"], mean["low"], mean["high"]))]
        common = [fold for fold in other.get("by_part", ()) if fold["clips_are"] in own_r]
        if common:
            theirs = sum(fold["mean_r"] for fold in common) / len(common)
            ours = sum(own_r[fold["clips_are"]] for fold in common) / len(common)
            cells += [format_r(theirs, 3), format_r(ours, 3), str(sum(fold["clips"] for fold in common))]
        rows.append(cells + [""] * (5 - len(cells)))
    header = (
        " | mean r, all its recordings | mean r, folds that both tested | this evaluation, same folds | recordings"
    )
    return "\n\n".join(["### Comparison with other evaluations", sections.table(header, rows)])
