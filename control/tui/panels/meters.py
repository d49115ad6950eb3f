"""Level, gains and health of a performance: how much room to the ceiling, how much time to spare, who listens."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from ....models.common.formatting import format_signed
from ..palette import Palette
from ..view_state import ViewState
from .cells import fit

_FLOOR_DB: Final = -60.0
_HOT_DB: Final = -3.0


def meter_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """As many of the meters as there are lines, the most important ones first."""
    if height == 1:
        return [fit(_one_line(view, width, palette), width)]
    rows = [_peak_row(view, width, palette), _health_row(view, palette), _gain_row(view, palette)]
    rows.append(_client_row(view, palette))
    return [fit(row, width) for row in rows[: max(height, 0)]]


def level_bar(level_db: float, hold_db: float | None, cells: int, palette: Palette) -> Text:
    """A level between -60 and 0 dB, with a mark where the peak is held; above -3 dB in the warning's style."""
    place, hot = _place(level_db, cells), _place(_HOT_DB, cells)
    held = _place(hold_db, cells) if hold_db is not None else 0
    characters = ["█"] * place + ["·"] * (cells - place)
    if held > place:
        characters[held - 1] = "▌"
    bar = Text("".join(characters))
    bar.stylize(palette.quiet, place)
    bar.stylize(palette.raised, hot, max(place, hot))
    if held > place:
        bar.stylize(f"not dim {palette.raised if held > hot else palette.accent}", held - 1, held)
    return bar


def _place(level_db: float, cells: int) -> int:
    return round(cells * min(max((level_db - _FLOOR_DB) / -_FLOOR_DB, 0.0), 1.0))


def _peak_row(view: ViewState, width: int, palette: Palette) -> Text:
    peak = view.number("meter/peak_db", -120.0)
    return (
        Text("  peak  ")
        + level_bar(peak, view.peak_hold_db, max(width - 22, 8), palette)
        + Text(f" {_decibels(peak)} dBTP")
    )


def _gain_row(view: ViewState, palette: Palette) -> Text:
    row = Text.assemble(("  master ", palette.quiet), f"{format_signed(view.number('master'), '.1f')} dB")
    row.append("   wet ", palette.quiet).append(f"{view.number('wet', 1.0):.0%}")
    row.append("   preset ", palette.quiet).append(str(view.value("preset/load") or "none"))
    count = len(view.clients)
    return row.append("   OSC ", palette.quiet).append(f"{count} client{'' if count == 1 else 's'}")


def _health_row(view: ViewState, palette: Palette) -> Text:
    row = Text(" ")
    for name, count in (("underruns", view.number("meter/dropouts")), ("xruns", view.number("meter/late"))):
        row.append(f" {name} ", palette.quiet).append(f"{count:.0f}", palette.warning if count else "").append(" ")
    row.append(" load ", palette.quiet).append(f"{view.number('meter/load'):.0%}")
    row.append("  buffer ", palette.quiet).append(f"{view.number('meter/ring'):.0f} blocks")
    row.append("  latency ", palette.quiet).append(f"{view.number('meter/latency_ms'):.0f} ms")
    return row


def _one_line(view: ViewState, width: int, palette: Palette) -> Text:
    """The most important of all of them, as many as there is room for."""
    peak, underruns = view.number("meter/peak_db", -120.0), view.number("meter/dropouts")
    row = Text("  ") + level_bar(peak, view.peak_hold_db, 8, palette) + Text(f"{_decibels(peak)} dBTP")
    pairs = (
        ("underruns", f"{underruns:.0f}", palette.warning if underruns else ""),
        ("load", f"{view.number('meter/load'):.0%}", ""),
        ("master", format_signed(view.number("master"), ".1f"), ""),
        ("wet", f"{view.number('wet', 1.0):.0%}", ""),
        ("latency", f"{view.number('meter/latency_ms'):.0f} ms", ""),
    )
    for name, value, style in pairs:
        if len(row) + len(name) + len(value) + 3 <= width:
            row.append(f"  {name} ", palette.quiet).append(value, style)
    return row


def _client_row(view: ViewState, palette: Palette) -> Text:
    return Text(f"  {clients_text(view.clients)}", palette.quiet)


def clients_text(names: Sequence[str]) -> str:
    """How many OSC clients are subscribed, and which."""
    if not names:
        return "no OSC client subscribed"
    return f"{len(names)} OSC client{'s' if len(names) > 1 else ''}: {', '.join(names)}"


def _decibels(level_db: float) -> str:
    return "  −∞" if level_db <= -100 else f"{format_signed(level_db, '.1f'):>5}"
