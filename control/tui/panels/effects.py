"""Effects of the faders on emotions and features: centred bars with the expected effect as a mark."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from ....models.common.formatting import name_with_pole
from .cells import CHANGE_WIDTH, bar_scale, centred_bar, change_text, fit, two_decimals
from .palette import Palette
from .view_state import Effect, ViewState

_VALUES: Final = 13  # 0.46 → 0.57
_NARROWEST_BAR: Final = 11
_WIDE_BAR: Final = 25


def excerpt_text(view: ViewState) -> str:
    """Over which seconds the effects were measured, and whether they still hold what sounded before the last move."""
    length = view.number("excerpt/duration")
    words = f"last {length:.0f} s" if length else "nothing measured yet"
    return f"{words}, settling" if view.flag("excerpt/settling") else words


def effect_rows(title: str, effects: Sequence[Effect], view: ViewState, width: int, palette: Palette) -> list[Text]:
    """A heading and a row for each effect.

    A row has the name, the bar (steered minus original, the expected effect as a diamond) and the effect as a number;
    where there is room, the predictions of original and steered sound and the expected effect as numbers as well.

    Parameters
    ----------
    title : str
        What the effects are on.
    effects : sequence of Effect
        One row each.
    view : ViewState
        Over which seconds they were measured.
    width : int
        Cells of each line.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        One line more than there are effects.
    """
    name_width = max(len(name_with_pole(effect.name)) for effect in effects) + 3
    values = any(effect.original is not None for effect in effects)
    values = values and width >= name_width + _NARROWEST_BAR * 2 + _VALUES + CHANGE_WIDTH
    rest = width - name_width - CHANGE_WIDTH - (_VALUES if values else 0)
    numbers = rest >= _WIDE_BAR + CHANGE_WIDTH  # of the expected effects as well
    bar = max(rest - (CHANGE_WIDTH if numbers else 0), _NARROWEST_BAR)
    bar -= 1 - bar % 2
    scale = bar_scale(*(effect.change for effect in effects), *(effect.expected for effect in effects))
    columns = f"{'orig → steer':>{_VALUES}}" if values else ""
    columns += f"{'expect':>{CHANGE_WIDTH - 1}} " if numbers else ""
    columns += f"{'effect':>{CHANGE_WIDTH - 1}} "
    heading = fit(_heading(title, view, scale, width - len(columns), palette), width - len(columns))
    heading.append(columns, palette.quiet)
    rows = [fit(heading, width)]
    for effect in effects:
        row = Text(f"  {name_with_pole(effect.name):<{name_width - 2}}")
        row.append_text(centred_bar(effect.change, effect.expected, bar, scale, palette))
        if values:
            row.append(f"{two_decimals(effect.original):>6} → {two_decimals(effect.steered):<4}", palette.quiet)
        if numbers:
            row.append_text(change_text(effect.expected, palette, sign="◆"))
        row.append_text(change_text(effect.change, palette))
        rows.append(fit(row, width))
    return rows


def _heading(title: str, view: ViewState, scale: float, width: int, palette: Palette) -> Text:
    """What is shown; what the mark and the ends of the bars mean as far as there is room for it."""
    text = f"  {title}, {excerpt_text(view)}"
    for more in ("◆ expected", f"±{scale:g}"):
        if len(text) + len(more) + 2 <= width:
            text += f"  {more}"
    return Text(text, palette.quiet)


def effect_columns(effects: Sequence[Effect], view: ViewState, width: int, palette: Palette) -> list[Text]:
    """The same without a heading in two columns, for low terminals."""
    half = width // 2
    count = -(-len(effects) // 2)
    left = effect_rows("", effects[:count], view, half, palette)[1:]
    right = effect_rows("", effects[count:], view, width - half, palette)[1:]
    right += [Text(" " * (width - half))] * (len(left) - len(right))
    return [first.append_text(second) for first, second in zip(left, right, strict=True)]
