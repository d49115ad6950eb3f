"""The seven faders of the terminal view, and what each does to its own feature."""

from rich.text import Text

from ....engine.dsp.faders import FADER_RANGE_DB
from ....models.common.constants import MIDLEVEL
from ....models.common.formatting import format_signed
from .palette import Palette
from .slider_table import SliderTable
from .view_state import ViewState


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
    table = SliderTable(width, FADER_RANGE_DB, palette)
    rows = [table.heading("faders", "dB", "effect")]
    for index, name in enumerate(MIDLEVEL):
        value_db = view.number(f"midlevel/{name}")
        value = format_signed(value_db, ".1f"), "bold" if value_db else palette.quiet
        slider = _slider(value_db, table, palette)
        rows.append(table.row(name, slider, value, view.effect(name).change, selected=index == view.selected))
    return rows


def _slider(value_db: float, table: SliderTable, palette: Palette) -> Text:
    """A fader's way with its knob, and a heavier line between the knob and 0 dB."""
    middle, place = table.slot // 2, table.place(value_db)
    first, last = min(place, middle), max(place, middle)
    cells = ["─"] * table.slot
    cells[first : last + 1] = ["━"] * (last + 1 - first)
    cells[middle] = "┼"
    cells[place] = "█"
    slider = Text("".join(cells))
    slider.stylize(palette.quiet, 0, first)
    slider.stylize(palette.direction(value_db), first, last + 1)
    slider.stylize(palette.quiet, last + 1)
    return slider
