"""Level, gains and health of a performance: how much room to the ceiling, how much time to spare, who listens."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from ....models.common.formatting import format_signed
from .cells import fit
from .palette import Palette
from .view_state import ViewState

_FLOOR_DB: Final = -60.0
_HOT_DB: Final = -3.0
_STEREO: Final = 50  # cells from which on there is room for two bars
_MIN_REDUCTION_DB: Final = 0.05


def meter_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """Level, health, gains and clients.

    Parameters
    ----------
    view : ViewState
        What is shown.
    width, height : int
        Cells of each line, and lines; with one line it has the most important values of all.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        At most four lines.
    """
    if height == 1:
        return [fit(_one_line(view, width, palette), width)]
    rows = [_level_row(view, width, palette), _health_row(view, width, palette), _gain_row(view, width, palette)]
    rows.append(_client_row(view, palette))
    return [fit(row, width) for row in rows[: max(height, 0)]]


def level_bar(level_db: float, hold_db: float | None, cells: int, palette: Palette) -> Text:
    """A bar from -60 to 0 dB, with a mark at the held peak; what is above -3 dB has the colour of raised values.

    Parameters
    ----------
    level_db : float
        Present level in dBTP.
    hold_db : float or None
        Largest level of the last seconds.
    cells : int
        Length of the bar.
    palette : Palette
        Colours.
    """
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


def _level_row(view: ViewState, width: int, palette: Palette) -> Text:
    """Both channels with their held peaks, and the true peak of all; in a narrow terminal one bar of that."""
    peak = view.number("meter/peak_db", -120.0)
    number = Text(f" {_decibels(peak)} dBTP")
    if width < _STEREO:
        return Text("  peak  ") + level_bar(peak, view.peak_hold_db, max(width - 22, 8), palette) + number
    each = (width - 20) // 2
    holds = view.channel_holds_db or (None, None)
    row = Text()
    for name, address, hold in zip("LR", ("left", "right"), holds, strict=True):
        row.append(f"  {name} ", palette.quiet)
        row.append_text(level_bar(view.number(f"meter/{address}_db", -120.0), hold, each, palette))
    return row + number


def _limiter(view: ViewState, palette: Palette) -> tuple[str, str, str]:
    reduction = view.number("meter/reduction_db")
    shown = f"{format_signed(-reduction, '.1f')} dB" if reduction >= _MIN_REDUCTION_DB else "idle"
    return "limit", shown, palette.raised if reduction >= _MIN_REDUCTION_DB else ""


def _health_row(view: ViewState, width: int, palette: Palette) -> Text:
    """Whether the sound came in time."""
    row = Text(" ")
    pairs = [_count("underruns", view.number("meter/dropouts"), palette)]
    pairs += [_count("xruns", view.number("meter/late"), palette), ("load", f"{view.number('meter/load'):.0%}", "")]
    pairs += [("latency", f"{view.number('meter/latency_ms'):.0f} ms", "")]
    pairs += [("buffer", f"{view.number('meter/ring'):.0f} blocks", "")]
    return _append_pairs(row, pairs, width, palette)


def _gain_row(view: ViewState, width: int, palette: Palette) -> Text:
    """Row of master gain, wet, limiter, preset and OSC clients."""
    pairs = [("master", f"{format_signed(view.number('master'), '.1f')} dB", "")]
    pairs += [("wet", f"{view.number('wet', 1.0):.0%}", ""), _limiter(view, palette)]
    pairs += [("preset", str(view.value("preset/load") or "none"), "")]
    pairs += [("OSC", f"{len(view.clients)} client{'' if len(view.clients) == 1 else 's'}", "")]
    return _append_pairs(Text(" "), pairs, width, palette)


def _one_line(view: ViewState, width: int, palette: Palette) -> Text:
    """The most important of all of them, as many as there is room for."""
    peak = view.number("meter/peak_db", -120.0)
    row = Text("  ") + level_bar(peak, view.peak_hold_db, 8, palette) + Text(f"{_decibels(peak)} dBTP ")
    pairs = [_count("underruns", view.number("meter/dropouts"), palette)]
    pairs += [("load", f"{view.number('meter/load'):.0%}", "")]
    pairs += [("master", format_signed(view.number("master"), ".1f"), "")]
    pairs += [("wet", f"{view.number('wet', 1.0):.0%}", "")]
    pairs += [("latency", f"{view.number('meter/latency_ms'):.0f} ms", "")]
    return _append_pairs(row, pairs, width, palette)


def _append_pairs(row: Text, pairs: Sequence[tuple[str, str, str]], width: int, palette: Palette) -> Text:
    """Names and values (text and style) behind what the row has, those that there is room for."""
    for name, value, style in pairs:
        if row.cell_len + len(name) + len(value) + 2 <= width:
            row.append(f" {name} ", palette.quiet).append(value, style).append(" ")
    return row


def _count(name: str, count: float, palette: Palette) -> tuple[str, str, str]:
    return name, f"{count:.0f}", palette.warning if count else ""


def _client_row(view: ViewState, palette: Palette) -> Text:
    return Text(f"  {clients_text(view.clients)}", palette.quiet)


def clients_text(names: Sequence[str]) -> str:
    """How many OSC clients are subscribed, and which."""
    if not names:
        return "no OSC client subscribed"
    return f"{len(names)} OSC client{'s' if len(names) > 1 else ''}: {', '.join(names)}"


def _decibels(level_db: float) -> str:
    return "  −∞" if level_db <= -100 else f"{format_signed(level_db, '.1f'):>5}"
