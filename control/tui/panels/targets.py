"""The targets of the terminal view: eight emotions with what is asked, what is reached and what is reachable."""

from rich.text import Text

from ....models.common.constants import EMOTIONS
from ....models.common.formatting import format_signed
from ...parameters.target_rows import TARGET_RANGE
from .faders import fader_rows
from .palette import Palette
from .slider_table import SliderTable
from .view_state import ViewState


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
    table = SliderTable(width, TARGET_RANGE, palette)
    rows = [table.heading("targets", "asked", "reached")]
    for index, name in enumerate(EMOTIONS):
        asked = view.optional(f"target/{name}")
        word = "free" if asked is None else "keep" if asked == 0 else format_signed(asked, ".2f")
        value = word, palette.quiet if asked is None else "bold"
        slider = _line(asked, view, name, table, palette)
        rows.append(table.row(name, slider, value, view.optional(f"reached/{name}"), selected=index == view.selected))
    return rows


def _line(asked: float | None, view: ViewState, name: str, table: SliderTable, palette: Palette) -> Text:
    """The slider of a target: heavy where it is reachable, a knob at its value, a diamond at what was reached."""
    first, last = (table.place(view.number(f"reachable/{end}/{name}")) for end in ("low", "high"))
    cells = ["─"] * table.slot
    cells[first : last + 1] = ["━"] * (last + 1 - first)
    cells[table.slot // 2] = "┼"
    if (reached := view.optional(f"reached/{name}")) is not None and asked is not None:
        cells[table.place(reached)] = "◆"
    if asked is not None:
        cells[table.place(asked)] = "█"
    line = Text("".join(cells))
    line.stylize(palette.quiet, 0, first)
    line.stylize(palette.quiet, last + 1)
    if asked:
        place = table.place(asked)
        line.stylize(palette.direction(asked), place, place + 1)
    return line
