"""Results as tables for the eye (rich)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...models.common.constants import EMOTIONS, MIDLEVEL, RELIABILITY_THRESHOLD
from ...models.common.formatting import display_name, format_duration

if TYPE_CHECKING:
    from ...engine.analysis.analysis import Analysis
    from ...engine.analysis.prediction import Prediction
    from ...engine.audio.track import Track
    from ...engine.render.render import RenderResult

_BAR = 20


def numbers_table(*columns: str) -> Table:
    """The first column to the left, numbers to the right."""
    table = Table(header_style="", box=box.ROUNDED)
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def with_title(title: str, table: Table) -> Group:
    """A table under a line that may be wider than it."""
    return Group(Text(title, style="bold"), table)


def prediction_table(file: Path, track: "Track", heard: "Prediction") -> Group:
    """What the network hears in one track, with bars."""
    table = numbers_table("0 to 1", "heard")
    table.add_column("", width=_BAR, no_wrap=True)
    for group in (heard.midlevel, heard.emotions):
        for name, value in group.items():
            table.add_row(display_name(name), f"{value:.2f}", "█" * round(_BAR * min(max(value, 0.0), 1.0)))
        table.add_section()
    return with_title(f"{file}  ({format_duration(track.duration_s)})", table)


MEASURES = {"surrogate_r2": "surrogate_r2", "half_agreement": "half_agreement", "stability": "reliability"}
"""Attribute of an Analysis by its key in --json."""
"""What an analysis says of its own worth, for each feature."""


def analysis_table(file: Path, analysis: "Analysis") -> Group:
    """How many segments speak for and against each feature, and how far that can be relied on."""
    table = numbers_table("feature", "for", "against", "surrogate's R²", "halves' r", "stability")
    measures = zip(*(getattr(analysis, what) for what in MEASURES.values()), strict=True)
    for name, counts, measured in zip(MIDLEVEL, analysis.significant_counts().values(), measures, strict=True):
        shown = (f"{value:.2f}" for value in measured)
        table.add_row(display_name(name), str(counts["positive"]), str(counts["negative"]), *shown)
    return with_title(f"{file}  ({len(analysis.weights)} segments, {analysis.settings.passes} passes)", table)


def reliability_warning(analysis: "Analysis", features: Iterable[str]) -> str | None:
    """A line that names those of the features whose weights are not stable; None when all are."""
    found = [
        f"{display_name(name)} ({analysis.reliability[MIDLEVEL.index(name)]:.2f})"
        for name in features
        if analysis.reliability[MIDLEVEL.index(name)] < RELIABILITY_THRESHOLD
    ]
    if not found:
        return None
    return f"not stable: {', '.join(found)}; another seed would find other segments (more --passes help)"


def render_table(rendered: "RenderResult", gains_db: Mapping[str, float]) -> Table:
    """Seven features and eight emotions before and after, as measured on the sound; the surrogate's expectation."""
    table = numbers_table("0 to 1", "fader", "before", "after", "shift", "expected")
    table.columns[4].style = "bold"
    for name in MIDLEVEL:
        before, after = rendered.midlevel["before"][name], rendered.midlevel["after"][name]
        fader = f"{gains_db.get(name, 0.0):+.1f} dB" if gains_db.get(name) else ""
        table.add_row(display_name(name), fader, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}", "")
    table.add_section()
    for name in EMOTIONS:
        before, after = rendered.emotions["before"][name], rendered.emotions["after"][name]
        expected = rendered.emotions["surrogate"][name] - before
        shift = f"{after - before:+.3f}"
        table.add_row(display_name(name), "", f"{before:.3f}", f"{after:.3f}", shift, f"{expected:+.3f}")
    return table


def render_lines(rendered: "RenderResult") -> list[str]:
    """Loudness, peak, speed and path of a render."""
    loudness = rendered.loudness_lufs
    level = f"loudness  {loudness['before']:.1f} -> {loudness['after']:.1f} LUFS"
    if rendered.loudness_matched is not None:
        level += " (matched)" if rendered.loudness_matched else " (not matched: the ceiling does not allow it)"
    speed = rendered.duration_s / max(rendered.seconds, 1e-6)
    return [
        f"{level}, true peak {rendered.true_peak_dbtp:.1f} dBTP",
        f"rendered  {format_duration(rendered.duration_s)} in {rendered.seconds:.1f} s ({speed:.0f} times real time)",
        f"output    {rendered.output}",
    ]
