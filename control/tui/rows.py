"""The terminal view's rows, drawn from the values of the addresses: no widget and no clock, so they can be tested."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.text import Text

from ...engine.dsp.faders import FADER_RANGE_DB
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name, format_duration, format_signed
from ..session.parameters import ROOT, Value

KEYS: Final = (
    ("↑↓←→", "move"),
    ("0", "zero"),
    ("␣", "play"),
    (",.", "seek"),
    ("b", "A/B"),
    ("d", "delta"),
    ("p", "preset"),
    ("g", "map"),
    ("q", "quit"),
    ("z", "zero all"),
    ("m", "match loudness"),
    ("[ ] \\", "loop"),
    ("- +", "master"),
    ("w W", "wet"),
    ("n N", "track"),
)
"""The keys of the terminal view, the most useful ones first."""
State = Mapping[str, Value]
_NAME: Final = 20
_DIM: Final = "bright_black"


def get_number(state: State, address: str, otherwise: float = 0.0) -> float:
    """The number at an address below /moodfader, or another where none is known."""
    value = state.get(f"{ROOT}/{address}")
    return float(value) if isinstance(value, int | float) else otherwise


def transport_rows(title: str, state: State, width: int) -> Text:
    """Two lines: what plays and how it is heard, and where it is."""
    at, length = get_number(state, "transport/position"), get_number(state, "transport/duration")
    playing = "▶" if state.get(f"{ROOT}/transport/play") else "‖"
    heard = "original (A/B)" if state.get(f"{ROOT}/bypass") else "steered"
    heard = "what changed" if state.get(f"{ROOT}/delta") and heard == "steered" else heard
    matched = ", loudness matched" if state.get(f"{ROOT}/match_loudness") else ""
    times = f" {format_duration(at)} / {format_duration(length)}"
    right = f" {heard}{matched}"
    first = Text().append(f"{playing} ", "bold green" if playing == "▶" else "bold yellow")
    first.append(_cut(title, max(width - 2 - len(right), 0)).ljust(max(width - 2 - len(right), 0)), "bold")
    first.append(right, "cyan")
    bar = max(width - len(times), 1)
    done = round(bar * min(at / length, 1.0)) if length > 0 else 0
    cells = ["━"] * bar
    if state.get(f"{ROOT}/transport/loop"):
        begin, end = get_number(state, "transport/loop_start"), get_number(state, "transport/loop_end") or length
        for mark, position in (("[", begin), ("]", end)):
            if length > 0:
                cells[min(round(bar * position / length), bar - 1)] = mark
    line = Text("".join(cells))
    line.stylize("green", 0, done)
    line.stylize(_DIM, done)
    return Text("\n").join((first, line + Text(times)))


def fader_rows(state: State, selected: int, width: int) -> Text:
    """The seven faders with a line above them; the selected one is marked."""
    low, high = FADER_RANGE_DB
    slot = max(width - _NAME - 12, 11) | 1  # odd: 0 dB has a place of its own in the middle
    rows = [Text(f"  {'faders':<{_NAME}}{f'{low:g}':<{slot - 6}}{f'{high:+g} dB':>6}"[:width], style=_DIM)]
    for index, name in enumerate(MIDLEVEL):
        value = get_number(state, f"midlevel/{name}")
        place = round((value - low) / (high - low) * (slot - 1))
        cells = ["─"] * slot
        cells[slot // 2] = "┼"
        cells[place] = "█"
        row = Text().append("▸ " if index == selected else "  ", "bold yellow")
        row.append(f"{display_name(name):<{_NAME}}", "bold" if index == selected else "")
        middle = slot // 2
        slider = Text("".join(cells))
        slider.stylize("yellow" if value else _DIM, min(place, middle), max(place, middle) + 1)
        row += slider
        row.append(f"{format_signed(value, '.1f'):>7}", "bold" if value else _DIM)
        rows.append(row)
    return Text("\n").join(rows)


def emotion_rows(state: State, width: int) -> Text:
    """The eight emotions: before as a mark, now as a bar; surrogate and measured in columns that say so."""
    columns = f"{'before':>8}{'surrogate':>11}{'measured':>10}"
    bar = max(width - _NAME + 8 - len(columns), 8)
    rows = [Text(f"  {'emotions':<{_NAME - 10}}{'│ before  █ now':<{bar}}{columns}"[:width], style=_DIM)]
    for name in EMOTIONS:
        before, now, heard = (state.get(f"{ROOT}/{kind}/{name}") for kind in ("before", "emotion", "measured"))
        row = Text(f"  {name:<{_NAME - 10}}")
        row += _bar(now, before, bar)
        row.append(f"{_shown(before):>8}", _DIM)
        row.append(f"{_shown(now):>11}", _moved(before, now))
        row.append(f"{_shown(heard):>10}", _moved(before, heard))
        rows.append(row)
    return Text("\n").join(rows)


def meter_rows(state: State, clients: Sequence[str], message: str, width: int) -> Text:
    """Three lines: level and gains, how well it runs, and who is connected or the last complaint."""
    peak = get_number(state, "meter/peak_db", -120.0)
    reach = 20
    lit = round(reach * min(max((peak + 60) / 60, 0.0), 1.0))
    first = Text("  peak ")
    first.append("█" * lit, "red" if peak > -1 else "green").append("░" * (reach - lit), _DIM)
    wet, master = get_number(state, "wet", 1.0), get_number(state, "master")
    first.append(f" {peak:6.1f} dBTP   wet {wet:4.0%}   master {format_signed(master, '.1f')} dB")
    dropouts = int(get_number(state, "meter/dropouts"))
    second = Text("  drop-outs ").append(str(dropouts), "bold red" if dropouts else "green")
    second.append(
        f"   load {get_number(state, 'meter/load'):4.0%}   ring {get_number(state, 'meter/ring'):.0f} blocks"
    )
    second.append(f"   latency {get_number(state, 'meter/latency_ms'):.0f} ms")
    if late := int(get_number(state, "meter/late")):
        second.append(f"   JACK late {late} times", "yellow")
    third = Text(f"  {message}", style="yellow") if message else Text(f"  {_clients(clients)}", style=_DIM)
    rows = (first, second, third)
    for row in rows:
        row.truncate(width, overflow="ellipsis")
    return Text("\n").join(rows)


def key_row(width: int) -> Text:
    """What the keys do, as far as the width reaches."""
    row = Text("  ")
    for key, does in KEYS:
        if len(row) + len(key) + len(does) + 1 > width:
            break
        row.append(key, "bold cyan").append(f" {does}  ", _DIM)
    return row


def _clients(names: Sequence[str]) -> str:
    if not names:
        return "no client subscribed"
    return f"{len(names)} client{'s' if len(names) > 1 else ''}: {', '.join(names)}"


def _bar(now: Value, before: Value, width: int) -> Text:
    cells = Text("░" * width, style=_DIM)
    if isinstance(now, int | float):
        lit = round(width * min(max(now, 0.0), 1.0))
        cells = Text("█" * lit, style="magenta") + Text("░" * (width - lit), style=_DIM)
    if isinstance(before, int | float):
        mark = min(max(round(width * before), 0), width - 1)
        cells = cells[:mark] + Text("│", style="bold white") + cells[mark + 1 :]
    return cells


def _shown(value: Value) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "–"


def _moved(before: Value, now: Value) -> str:
    if not isinstance(before, int | float) or not isinstance(now, int | float) or abs(now - before) < 0.005:
        return _DIM
    return "bold green" if now > before else "bold red"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"
