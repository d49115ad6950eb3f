"""The targets of the terminal view: eight emotions with what is asked, what is reached and what is reachable."""

from typing import Final

from rich.text import Text

from ....models.common.constants import EMOTIONS
from ....models.common.formatting import format_signed, name_with_pole
from ...parameters.target_rows import TARGET_RANGE
from .cells import CHANGE_WIDTH, change_text, fit
from .faders import fader_rows
from .palette import Palette
from .view_state import ViewState

_NAME: Final = 22  # with the mark of the selected one, as the faders have it
_VALUE: Final = 7
_NARROWEST: Final = 13


def steering_rows(view: ViewState, width: int, palette: Palette) -> list[Text]:
    """The faders, or the targets where those are shown."""
    return (target_rows if view.show_targets else fader_rows)(view, width, palette)


def target_rows(view: ViewState, width: int, palette: Palette) -> list[Text]:
    """A heading and eight emotions: the reachable range as a heavier line, the target as a knob, its value.

    Where there is room, the shift that the targets' faders bring about.

    Parameters
    ----------
    view : ViewState
        What is shown.
    width : int
        Cells of each line.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        Nine lines.
    """
    low, high = TARGET_RANGE
    reached = width >= _NAME + _NARROWEST + _VALUE + CHANGE_WIDTH
    slot = max(width - _NAME - _VALUE - (CHANGE_WIDTH if reached else 0), _NARROWEST)
    slot -= 1 - slot % 2
    side = slot // 2 - 1
    heading = f"{'  targets':<{_NAME}}{f'{low:g}':<{side}} 0 {f'{high:+g}':>{side}}{'asked':>{_VALUE - 1}} "
    rows = [fit(Text(heading + (f"{'reached':>{CHANGE_WIDTH - 1}}" if reached else ""), palette.quiet), width)]
    for index, name in enumerate(EMOTIONS):
        asked = view.optional(f"target/{name}")
        selected = index == view.selected
        row = Text.assemble(("▸ " if selected else "  ", palette.accent))
        row.append(f"{name_with_pole(name):<{_NAME - 2}}", "bold" if selected else "")
        row.append_text(_line(asked, view, name, slot, palette))
        word = "free" if asked is None else "keep" if asked == 0 else format_signed(asked, ".2f")
        row.append(f"{word:>{_VALUE - 1}} ", palette.quiet if asked is None else "bold")
        if reached:
            row.append_text(change_text(view.optional(f"reached/{name}"), palette))
        rows.append(fit(row, width))
    return rows


def _line(asked: float | None, view: ViewState, name: str, slot: int, palette: Palette) -> Text:
    """The way of a target: heavier where it is reachable, a knob where it stands, a diamond at what is reached."""
    first, last = (_place(view.number(f"reachable/{end}/{name}"), slot) for end in ("low", "high"))
    cells = ["─"] * slot
    cells[first : last + 1] = ["━"] * (last + 1 - first)
    cells[slot // 2] = "┼"
    if (reached := view.optional(f"reached/{name}")) is not None and asked is not None:
        cells[_place(reached, slot)] = "◆"
    if asked is not None:
        cells[_place(asked, slot)] = "█"
    line = Text("".join(cells))
    line.stylize(palette.quiet, 0, first)
    line.stylize(palette.quiet, last + 1)
    if asked:
        place = _place(asked, slot)
        line.stylize(palette.direction(asked), place, place + 1)
    return line


def _place(shift: float, slot: int) -> int:
    low, high = TARGET_RANGE
    return min(max(round((shift - low) / (high - low) * (slot - 1)), 0), slot - 1)
