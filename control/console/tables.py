"""Results as tables and lines of text (rich)."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...models.common.constants import EMOTIONS, MIDLEVEL, RELIABILITY_THRESHOLD
from ...models.common.formatting import display_name, format_duration, name_with_pole

if TYPE_CHECKING:
    from ...engine.analysis.analysis import Analysis
    from ...engine.analysis.prediction import Prediction
    from ...engine.audio.track import Track
    from ...engine.render.render import RenderResult

_BAR_WIDTH: Final = 20
_DEPTHS: Final = ("16", "24", "float")
_LEAST_DEPTHS: Final = {
    **dict.fromkeys(("PCM_16", "PCM_S8", "PCM_U8", "ALAW", "ULAW", "pcm_s16le", "pcm_s16be"), "16"),
    **dict.fromkeys(("PCM_24", "pcm_s24le", "pcm_s24be"), "24"),
}
"""Least bit depth that holds all samples of files of integers, by what the decoder calls them."""
_FLOATS: Final = ("FLOAT", "VORBIS", "MPEG_LAYER_III", "OPUS", "pcm_f32le", "mp3float", "aac", "vorbis", "opus")
_BY_CEILING: Final = "the ceiling does not allow it"


def numbers_table(*columns: str) -> Table:
    """An empty table whose first column is flush left and whose others, of numbers, are flush right."""
    table = Table(header_style="", box=box.ROUNDED)
    table.add_column(columns[0], no_wrap=True, vertical="bottom")
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True, vertical="bottom")
    return table


def with_title(title: str, table: Table) -> Group:
    """A table under a title, which may be wider than the table."""
    return Group(Text(title, style="bold"), table)


def prediction_table(file: Path, track: "Track", prediction: "Prediction") -> Group:
    """Predictions of one track, 0 to 1, as numbers and bars."""
    table = numbers_table("0 to 1", "predicted")
    table.add_column("", width=_BAR_WIDTH, no_wrap=True)
    for group in (prediction.midlevel, prediction.emotions):
        for name, value in group.items():
            table.add_row(name_with_pole(name), f"{value:.2f}", "█" * round(_BAR_WIDTH * min(max(value, 0.0), 1.0)))
        table.add_section()
    return with_title(f"{file}  ({format_duration(track.duration_s)})", table)


def analysis_table(file: Path, analysis: "Analysis") -> Group:
    """Numbers of significant segments that raise and lower each feature, and how reliable their weights are."""
    table = numbers_table("feature", "raise", "lower", "surrogate\nR²", "split-half\nr", "reliability")
    measures = zip(analysis.explained_share, analysis.half_agreement, analysis.reliability, strict=True)
    for name, counts, measured in zip(MIDLEVEL, analysis.significant_counts().values(), measures, strict=True):
        texts = (f"{value:.2f}" for value in measured)
        table.add_row(name_with_pole(name), str(counts["positive"]), str(counts["negative"]), *texts)
    return with_title(f"{file}  ({len(analysis.weights)} segments, {analysis.settings.passes} evaluations)", table)


def reliability_warning(analysis: "Analysis", features: Iterable[str]) -> str | None:
    """Name the features whose weights are not reliable.

    Parameters
    ----------
    analysis : Analysis
        The analysis.
    features : iterable of str
        The features that matter here.

    Returns
    -------
    str or None
        One line; None if all are reliable.
    """
    found = [
        f"{display_name(name)} ({analysis.reliability[MIDLEVEL.index(name)]:.2f})"
        for name in features
        if analysis.reliability[MIDLEVEL.index(name)] < RELIABILITY_THRESHOLD
    ]
    if not found:
        return None
    return f"not reliable: {', '.join(found)}; another seed would find other segments (more --evaluations help)"


def level_notes(rendered: "RenderResult", track: "Track", *, ceiling_dbtp: float, neutral: bool) -> list[str]:
    """Notes on the level of a rendered file: a gain that was applied, a ceiling that is exceeded.

    Parameters
    ----------
    rendered : RenderResult
        What was rendered.
    track : Track
        What it was rendered from.
    ceiling_dbtp : float
        True peak in dBTP that was not to be exceeded.
    neutral : bool
        Whether all faders were at 0 dB.

    Returns
    -------
    list of str
        One line each.
    """
    notes = []
    if neutral and rendered.gain_db < -0.005:
        peak_db = 20 * math.log10(track.sample_peak)
        notes.append(
            f"the output was turned down by {-rendered.gain_db:.1f} dB: the input reaches {peak_db:.1f} dB above "
            "full scale, which this format cannot hold (a .wav with --bit-depth float keeps it as it is)"
        )
    elif rendered.headroom_db >= 0.05:
        notes.append(
            f"the output was turned down by {rendered.headroom_db:.1f} dB so that no peak had to be limited: "
            "limiting would undo part of the steering (--match-loudness limits instead)"
        )
    elif abs(rendered.gain_db) >= 0.05:
        turned = "up" if rendered.gain_db > 0 else "down"
        turned = f"the output was turned {turned} by {abs(rendered.gain_db):.1f} dB"
        below = rendered.loudness_lufs["before"] - rendered.loudness_lufs["after"]
        if rendered.loudness_matched:
            notes.append(f"{turned} to match the input's loudness")
        elif _why_not_matched(rendered) == _BY_CEILING:
            notes.append(
                f"{turned} and stays {below:.1f} LU below the input's loudness: more gain would only be limited "
                f"away (the ceiling is {ceiling_dbtp:g} dBTP)"
            )
        else:
            notes.append(f"{turned} towards the input's loudness")
    if rendered.true_peak_dbtp > ceiling_dbtp + 0.05:
        because = "with all faders at zero no peak is limited" if neutral else "the format raised it"
        notes.append(
            f"true peak {rendered.true_peak_dbtp:.1f} dBTP is above the ceiling of {ceiling_dbtp:g} dBTP: {because}"
        )
    return notes


def neutral_note(track: "Track", output: Path, bit_depth: str) -> str:
    """What a file is whose faders are all at zero: the input, as far as the format holds it. One line."""
    suffix = output.suffix.lower()
    least = "float" if track.source.subtype in _FLOATS else _LEAST_DEPTHS.get(track.source.subtype)
    if track.sample_peak > 1 and not (bit_depth == "float" and suffix == ".wav"):
        equals = "be the input, turned down where it is above full scale"
    elif suffix == ".ogg":
        equals = "be the input as Ogg Vorbis keeps it"
    elif least is not None and _DEPTHS.index(least) <= _DEPTHS.index(bit_depth):
        equals = "equal the input"
    else:
        equals = "be the input, rounded to " + ("32 bits (float)" if bit_depth == "float" else f"{bit_depth} bits")
    return f"all faders are at zero: the output will {equals} (--set or --preset moves them)"


def render_table(rendered: "RenderResult", gains_db: Mapping[str, float]) -> Table:
    """Features and emotions of a track and of its steered version, and the shift that is expected.

    Decoupled faders also have the confirmed part of a feature's shift: what independent models predict too.

    Parameters
    ----------
    rendered : RenderResult
        What was rendered.
    gains_db : mapping
        Fader positions in dB by feature.
    """
    table = numbers_table("0 to 1", "fader", "before", "after", "shift", "expected", "by\nothers")
    table.columns[4].style = "bold"
    for name in MIDLEVEL:
        before, after = rendered.midlevel["before"][name], rendered.midlevel["after"][name]
        fader = f"{gains_db.get(name, 0.0):+.1f} dB" if gains_db.get(name) else ""
        confirmed = f"{rendered.confirmed[name]:+.3f}" if name in rendered.confirmed else ""
        shift = f"{after - before:+.3f}"
        table.add_row(name_with_pole(name), fader, f"{before:.3f}", f"{after:.3f}", shift, "", confirmed)
    table.add_section()
    for name in EMOTIONS:
        before, after = rendered.emotions["before"][name], rendered.emotions["after"][name]
        expected = rendered.emotions["surrogate"][name] - before
        shift = f"{after - before:+.3f}"
        table.add_row(display_name(name), "", f"{before:.3f}", f"{after:.3f}", shift, f"{expected:+.3f}", "")
    return table


def render_lines(rendered: "RenderResult") -> list[str]:
    """Loudness, true peak, speed and path of a rendered file, a line each."""
    loudness = rendered.loudness_lufs
    level = f"loudness  {_lufs(loudness['before'])} -> {_lufs(loudness['after'])} LUFS"
    if rendered.loudness_matched is not None:
        level += " (matched)" if rendered.loudness_matched else f" (not matched: {_why_not_matched(rendered)})"
    speed = rendered.duration_s / max(rendered.seconds, 1e-6)
    return [
        f"{level}, true peak {rendered.true_peak_dbtp:.1f} dBTP",
        f"rendered  {format_duration(rendered.duration_s)} in {rendered.seconds:.1f} s ({speed:.0f} times real time)",
        f"output    {rendered.output}",
    ]


def _lufs(loudness: float) -> str:
    """A loudness in LUFS; what never rises above the absolute gate has none."""
    from ...engine.audio.loudness import SILENCE_LUFS

    return f"{loudness:.1f}" if loudness > SILENCE_LUFS else f"below {SILENCE_LUFS:g}"


def _why_not_matched(rendered: "RenderResult") -> str:
    """Why the loudness of a file is not that of its input, where it was asked for."""
    from ...engine.audio.loudness import SILENCE_LUFS
    from ...engine.render.level_controlled_write import MATCH_LIMIT_DB

    if min(rendered.loudness_lufs.values()) <= SILENCE_LUFS:
        return "too quiet to be measured"
    if abs(rendered.gain_db) >= MATCH_LIMIT_DB:
        return f"it takes more than {MATCH_LIMIT_DB:g} dB"
    return _BY_CEILING if rendered.gain_db >= 0 else "full scale does not allow it"
