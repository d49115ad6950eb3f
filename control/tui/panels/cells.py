"""Lines of the terminal view: cut and filled to a width in cells, numbers with their signs, centred bars."""

from typing import Final

from rich.cells import cell_len
from rich.text import Text

from ....models.common.formatting import format_signed
from .palette import Palette
from .view_state import NO_CHANGE

UNKNOWN: Final = "–"
CHANGE_WIDTH: Final = 8
"""Cells of `change_text`."""
_FULL, _LEFT_HALF, _RIGHT_HALF = "█", "▌", "▐"
_SCALES: Final = (0.1, 0.2, 0.5, 1.0)

_PLAIN: Final = str.maketrans("▄▶‖●○◐Δ◌■✖━─┼█▌▐│·◆▲▼▀░▒▓▸◀→↑↓←⇧␣–−…∞", "#>|*oo^:#X=-+###|.*^v#.:#><>^v<^_--~8")
"""Signs of the view and what stands for them in ASCII, one cell each."""


def to_plain(text: str, encoding: str) -> str:
    """The text in letters that a terminal's encoding has, as wide as it was.

    Parameters
    ----------
    text : str
        Part of a line.
    encoding : str
        Name of the encoding.

    Returns
    -------
    str
        Signs are replaced by ASCII, other letters that the encoding lacks by question marks.
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.translate(_PLAIN)
        return "".join("?" * cell_len(letter) if not _has(encoding, letter) else letter for letter in plain)
    return text


def _has(encoding: str, letter: str) -> bool:
    return bool(letter.encode(encoding, "ignore"))


def fit(line: Text, width: int) -> Text:
    """The line at exactly so many cells: cut with an ellipsis, or filled with spaces (a wide character is two)."""
    fitted = line.copy()
    fitted.truncate(max(width, 0), overflow="ellipsis", pad=True)
    return fitted


def printable(text: str) -> str:
    """The text on one line and without what a terminal would act on or cannot take (file names can hold anything)."""
    one_line = " ".join(text.encode("utf-8", "replace").decode().split())
    return "".join(character if character.isprintable() else "?" for character in one_line)


def two_decimals(value: float | None) -> str:
    """A prediction, 0 to 1."""
    return UNKNOWN if value is None else f"{value:.2f}"


def change_text(change: float | None, palette: Palette, *, sign: str = "") -> Text:
    """A change of a prediction: its direction's sign (or another) and the number; `0` below 0.01."""
    if change is None:
        return Text(f"{UNKNOWN:>7} ", palette.quiet)
    if abs(change) < NO_CHANGE:
        return Text(f"{'0':>7} ", palette.quiet)
    if sign:
        return Text(f" {sign}{format_signed(change, '.2f')} ", palette.quiet)
    arrow = "▲" if change > 0 else "▼"
    return Text.assemble(" ", (arrow, palette.direction(change)), (format_signed(change, ".2f"), "bold"), " ")


def bar_scale(*changes: float | None) -> float:
    """The smallest scale (0.1, 0.2, 0.5 or 1) that holds all of these changes."""
    largest = max((abs(change) for change in changes if change is not None), default=0.0)
    return next((scale for scale in _SCALES if largest <= scale), _SCALES[-1])


def centred_bar(change: float | None, expected: float | None, width: int, scale: float, palette: Palette) -> Text:
    """A bar from the middle to a change, with a diamond at the expected change.

    Parameters
    ----------
    change : float or None
        What the bar shows; below 0.01 it is left out.
    expected : float or None
        Where the mark stands.
    width : int
        Cells, at least 3; an even one leaves the last cell empty.
    scale : float
        Change at the ends of the bar.
    palette : Palette
        Colours.
    """
    half = (width - 1) // 2
    cells = ["·"] * half + ["│"] + ["·"] * half
    filled = range(0)
    if change is not None and abs(change) >= NO_CHANGE:
        halves = min(max(round(abs(change) / scale * half * 2), 1), 2 * half)  # length in half cells
        whole, rest = divmod(halves, 2)
        if change > 0:
            filled = range(half + 1, half + 1 + whole + rest)
            cells[half + 1 : half + 1 + whole + rest] = [_FULL] * whole + [_LEFT_HALF] * rest
        else:
            filled = range(half - whole - rest, half)
            cells[half - whole - rest : half] = [_RIGHT_HALF] * rest + [_FULL] * whole
        if abs(change) > scale:
            cells[-1 if change > 0 else 0] = "▶" if change > 0 else "◀"
    mark = None
    if expected is not None and abs(expected) >= NO_CHANGE:
        mark = half + round(min(max(expected / scale, -1.0), 1.0) * half)
        cells[mark] = "◆"
    bar = Text("".join(cells).ljust(width), palette.quiet)
    if filled:
        bar.stylize(f"not dim {palette.direction(change or 0.0)}", filled.start, filled.stop)
    bar.stylize("not dim", half, half + 1)
    if mark is not None:
        bar.stylize("not dim default" if palette.quiet else "", mark, mark + 1)
    return bar
