"""Which panel stands where in a terminal of a given size: the whole view as lines of text."""

from collections.abc import Callable
from typing import Final

from rich.text import Text

from .keymap import HELP_WIDTH, KEYMAP, footer, help_rows
from .pages.address import address_rows
from .pages.set_list import set_list_rows, show_rows
from .panels.cells import fit
from .panels.effects import effect_columns, effect_rows
from .panels.gain_map import MAX_LINES, MIN_LINES
from .panels.head import head_rows, is_state_cut
from .panels.meters import meter_rows
from .panels.palette import Palette
from .panels.targets import steering_rows
from .panels.view_state import ViewState, sound_state

MapRows = Callable[[int, int], list[Text]]
"""Gives the gain map for a width and a height."""
_TWO_COLUMNS: Final = 100
_THREE_COLUMNS: Final = 150
_PANEL: Final = 9  # lines of the effects with their heading, one more than the faders have
_METERS: Final = 4
_GOOD_MAP: Final = 17  # a line for each band
_SHOW: Final = 12  # lines from which on set list, snapshots and cue points stand beside the map


def compose(
    view: ViewState,
    width: int,
    height: int,
    palette: Palette,
    *,
    map_rows: MapRows,
    map_wanted: bool = False,
) -> list[Text]:
    """The view for a terminal.

    Parameters
    ----------
    view : ViewState
        What is shown.
    width, height : int
        Size in cells.
    palette : Palette
        Colours.
    map_rows : callable
        Draws the gain map.
    map_wanted : bool
        The gain map even if there is no room for it beside the effects: in their place.

    Returns
    -------
    list of Text
        Exactly `height` lines of exactly `width` cells.
    """
    head = head_rows(view, width, palette)[: 2 if height >= 10 else 1]
    bottom = [_message_row(view, width, height, palette), fit(footer(width, palette), width)][
        -min(max(height - 8, 1), 2) :
    ]
    room = max(height - len(head) - len(bottom), 0)
    if view.page == "help":
        body = help_rows(width, room, palette)
    elif view.page == "tracks":
        body = set_list_rows(view, width, room, palette)
    elif view.page == "address":
        body = address_rows(view, width, room, palette)
    elif width >= _TWO_COLUMNS:
        body = _wide(view, width, room, palette, map_rows, map_wanted)
    else:
        body = _narrow(view, width, room, palette, map_rows, map_wanted)
    body = body[:room] + [Text()] * (room - len(body))
    return [fit(line, width) for line in [*head, *body, *bottom]][:height]


def _message_row(view: ViewState, width: int, height: int, palette: Palette) -> Text:
    if is_state_cut(view, width) and not view.message:
        return fit(Text(f"  {sound_state(view).words}"), width)
    notes_below = width >= _TWO_COLUMNS and height >= _PANEL + 6
    if view.message:
        return fit(Text.assemble(" ", (f" {view.message} ", palette.warning)), width)
    if targets := str(view.value("state/target") or ""):
        return fit(Text(f"  {targets}"), width)
    return fit(Text(f"  {view.notes[-1]}" if view.notes and not notes_below else "", palette.quiet), width)


def _narrow(
    view: ViewState, width: int, room: int, palette: Palette, map_rows: MapRows, map_wanted: bool
) -> list[Text]:
    """One below the other: faders, effects, meters, map; what there is no room for is left out or made smaller."""
    faders = steering_rows(view, width, palette)
    if room < len(faders) + 1:
        faders = faders[1:]
    if room < len(faders):  # (the selected one has to be seen)
        first = min(max(view.selected - room // 2, 0), len(faders) - room)
        return faders[first : first + max(room, 0)]
    left = room - len(faders)
    effects = effect_rows("emotions", view.emotion_effects, view, width, palette)
    columns = effect_columns(view.emotion_effects, view, width, palette)
    if map_wanted and left >= MIN_LINES + 1 and left < len(effects) + 1 + MIN_LINES:
        return [*faders, *map_rows(width, min(left - 1, MAX_LINES)), *meter_rows(view, width, 1, palette)]
    if left < len(effects):
        if room < len(faders) + len(columns) + 1 and len(faders) > 7:
            faders, left = faders[1:], left + 1
        effects = columns if left >= len(columns) else []
    left -= len(effects)
    meters = min(left, _METERS)
    left -= meters
    drawn = map_rows(width, min(left, MAX_LINES)) if left >= MIN_LINES else []
    body = [*faders, *effects, *drawn, *meter_rows(view, width, meters, palette)]
    return body + _spare(view, width, room - len(body), palette)


def _wide(
    view: ViewState, width: int, room: int, palette: Palette, map_rows: MapRows, map_wanted: bool
) -> list[Text]:
    """Faders and effects side by side, below them the map over the whole width, then meters."""
    if room < _PANEL + 1:
        return _narrow(view, width, room, palette, map_rows, map_wanted)
    columns = 3 if width >= _THREE_COLUMNS else 2
    each = width // columns
    panels = [
        steering_rows(view, each, palette),
        effect_rows("emotions", view.emotion_effects, view, width - each * (columns - 1), palette),
    ]
    if columns == 3:
        panels.append(effect_rows("features", view.feature_effects, view, each, palette))
    body = _side_by_side(panels)
    left = room - len(body)
    meters = min(left, _METERS)
    left -= meters
    blank = 1 if left > MIN_LINES + 2 else 0
    drawn = left - 2 * blank
    if drawn - _help_lines(width) >= _GOOD_MAP:
        drawn -= _help_lines(width)
    gap = [Text()] * blank
    drawn = min(drawn, MAX_LINES) if drawn >= MIN_LINES else 0
    if columns == 3 and drawn >= _SHOW and view.titles:
        beside = show_rows(view, each, drawn, palette)
        body += [*gap, *_side_by_side([_full(map_rows(width - each, drawn), drawn, width - each), beside]), *gap]
    else:
        body += [*gap, *(map_rows(width, drawn) if drawn else []), *gap]
    notes = _note_rows(view, width - width // 2, meters, palette)
    left_half = meter_rows(view, width // 2 if notes else width, meters, palette)
    body += _side_by_side([left_half, notes]) if notes else left_half
    return body + _spare(view, width, room - len(body), palette)


def _side_by_side(panels: list[list[Text]]) -> list[Text]:
    """Panels of equal width lines, joined; shorter ones are filled up."""
    height = max(len(panel) for panel in panels)
    widths = [panel[0].cell_len for panel in panels]
    joined = []
    for line in range(height):
        row = Text()
        for panel, width in zip(panels, widths, strict=True):
            row.append_text(panel[line] if line < len(panel) else Text(" " * width))
        joined.append(row)
    return joined


def _full(rows: list[Text], height: int, width: int) -> list[Text]:
    """So many lines of exactly that width."""
    return [fit(row, width) for row in [*rows, *[Text()] * (height - len(rows))]]


def _spare(view: ViewState, width: int, room: int, palette: Palette) -> list[Text]:
    """What is left in a large terminal: all keys, if there is room for them."""
    needed = _help_lines(width)
    return [Text(), *help_rows(width, needed - 1, palette)] if room >= needed else []


def _help_lines(width: int) -> int:
    """Lines that the list of all keys needs without being cut, with a blank one above."""
    return -(-len(KEYMAP) // max(width // HELP_WIDTH, 1)) + 1


def _note_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """The last notes."""
    return [fit(Text(f"  {note}", palette.quiet), width) for note in view.notes[-height:] if height > 0]
