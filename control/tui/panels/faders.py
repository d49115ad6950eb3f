"""The seven faders of the terminal view, and what each does to its own feature."""

from typing import Final

from rich.text import Text

from ....engine.dsp.faders import FADER_RANGE_DB
from ....models.common.constants import MIDLEVEL
from ....models.common.formatting import format_signed, name_with_pole
from .cells import CHANGE_WIDTH, change_text, fit
from .palette import Palette
from .view_state import ViewState

_NAME: Final = 22  # with the mark of the selected one
_VALUE: Final = 7
_NARROWEST_SLIDER: Final = 13


def fader_rows(view: ViewState, width: int, palette: Palette) -> list[Text]:
    """A heading and seven faders; where there is room, the measured effect of all faders on that feature.

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
        Eight lines.
    """
    low, high = FADER_RANGE_DB
    effects = width >= _NAME + _NARROWEST_SLIDER + _VALUE + CHANGE_WIDTH
    slot = max(width - _NAME - _VALUE - (CHANGE_WIDTH if effects else 0), _NARROWEST_SLIDER)
    slot -= 1 - slot % 2  # odd: 0 dB is a cell of its own in the middle
    side = slot // 2 - 1
    heading = f"{'  faders':<{_NAME}}{f'{low:g}':<{side}} 0 {f'{high:+g}':>{side}}{'dB':>{_VALUE - 1}} "
    rows = [fit(Text(heading + (f"{'effect':>{CHANGE_WIDTH - 1}}" if effects else ""), palette.quiet), width)]
    for index, name in enumerate(MIDLEVEL):
        value_db = view.number(f"midlevel/{name}")
        selected = index == view.selected
        row = Text.assemble(("▸ " if selected else "  ", palette.accent))
        row.append(f"{name_with_pole(name):<{_NAME - 2}}", "bold" if selected else "")
        row.append_text(_slider(value_db, slot, palette))
        row.append(f"{format_signed(value_db, '.1f'):>{_VALUE - 1}} ", "bold" if value_db else palette.quiet)
        if effects:
            row.append_text(change_text(view.effect(name).change, palette))
        rows.append(fit(row, width))
    return rows


def _slider(value_db: float, slot: int, palette: Palette) -> Text:
    """A fader's way with its knob, and a heavier line between the knob and 0 dB."""
    low, high = FADER_RANGE_DB
    middle = slot // 2
    place = min(max(round((value_db - low) / (high - low) * (slot - 1)), 0), slot - 1)
    first, last = min(place, middle), max(place, middle)
    cells = ["─"] * slot
    cells[first : last + 1] = ["━"] * (last + 1 - first)
    cells[middle] = "┼"
    cells[place] = "█"
    slider = Text("".join(cells))
    slider.stylize(palette.quiet, 0, first)
    slider.stylize(palette.direction(value_db), first, last + 1)
    slider.stylize(palette.quiet, last + 1)
    return slider
