"""Rows of sliders in the terminal view: name, slider and value, and where there is room a change beside."""

from typing import Final

from rich.text import Text

from ....models.common.formatting import name_with_pole
from .cells import CHANGE_WIDTH, change_text, fit
from .palette import Palette

_NAME: Final = 22  # with the mark of the selected one
_VALUE: Final = 7
_NARROWEST_SLIDER: Final = 13


class SliderTable:
    """The columns of a table of sliders, for a width.

    Parameters
    ----------
    width : int
        Cells of each line.
    bounds : tuple of float
        Values at the ends of a slider.
    palette : Palette
        Colours.

    Attributes
    ----------
    slot : int
        Cells of a slider; odd, so that the middle is a cell of its own.
    """

    def __init__(self, width: int, bounds: tuple[float, float], palette: Palette) -> None:
        self._width, self._bounds, self._palette = width, bounds, palette
        self._has_changes = width >= _NAME + _NARROWEST_SLIDER + _VALUE + CHANGE_WIDTH
        self.slot = max(width - _NAME - _VALUE - (CHANGE_WIDTH if self._has_changes else 0), _NARROWEST_SLIDER)
        self.slot -= 1 - self.slot % 2

    def place(self, value: float) -> int:
        """The cell of a slider at which a value lies."""
        low, high = self._bounds
        return min(max(round((value - low) / (high - low) * (self.slot - 1)), 0), self.slot - 1)

    def heading(self, title: str, value: str, change: str) -> Text:
        """The line above the rows, with the titles of name, value and change."""
        low, high = self._bounds
        side = self.slot // 2 - 1
        line = f"{f'  {title}':<{_NAME}}{f'{low:g}':<{side}} 0 {f'{high:+g}':>{side}}{value:>{_VALUE - 1}} "
        if self._has_changes:
            line += f"{change:>{CHANGE_WIDTH - 1}}"
        return fit(Text(line, self._palette.quiet), self._width)

    def row(self, name: str, slider: Text, value: tuple[str, str], change: float | None, *, selected: bool) -> Text:
        """A line: `slider` is `slot` cells wide, `value` is a text and its style."""
        row = Text.assemble(("▸ " if selected else "  ", self._palette.accent))
        row.append(f"{name_with_pole(name):<{_NAME - 2}}", "bold" if selected else "")
        row.append_text(slider)
        text, style = value
        row.append(f"{text:>{_VALUE - 1}} ", style)
        if self._has_changes:
            row.append_text(change_text(change, self._palette))
        return fit(row, self._width)
