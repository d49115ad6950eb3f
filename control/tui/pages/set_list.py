"""The show in the terminal view: set list, snapshots, morph and cue points."""

from collections.abc import Sequence

from rich.text import Text

from ....models.common.formatting import format_duration
from ...parameters.snapshot_rows import SLOTS
from ..panels.cells import fit, printable
from ..panels.palette import Palette
from ..panels.view_state import ViewState

_CUE_WIDTH = 10
_SLOT_WIDTH = 18
_CROSSFADER = 17


def set_list_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """The page of the set list: its tracks around the selected one, then snapshots, morph and cue points.

    Parameters
    ----------
    view : ViewState
        What is shown; `selected` is a track.
    width, height : int
        Cells of each line, and lines.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        At most `height` lines.
    """
    below = slot_rows(view, width, palette) if height >= 10 else []
    room = max(height - len(below), 0)
    return [*track_rows(view, width, room, palette, selected=view.selected), *below][:height]


def show_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """The same beside the gain map, without a selection: the set list around what plays, snapshots, cue points."""
    below = slot_rows(view, width, palette)
    rows = track_rows(view, width, max(height - len(below) - 1, 2), palette)
    return [*rows, Text(), *below][:height]


def track_rows(
    view: ViewState, width: int, height: int, palette: Palette, *, selected: int | None = None
) -> list[Text]:
    """A heading and as many tracks as there is room for, around the selected one or the one that plays."""
    playing = int(view.number("transport/track"))
    titles = view.titles
    preset = str(view.value("track/preset") or "")
    heading = f"  set list, {len(titles)} track{'' if len(titles) == 1 else 's'}"
    heading += f"; this one begins with {preset}" if preset else ""
    rows = [fit(Text(heading, palette.quiet), width)]
    room = max(height - 1, 0)
    middle = playing if selected is None else selected
    first = max(min(middle - room // 2, len(titles) - room), 0)
    for number in range(first, min(first + room, len(titles))):
        now, chosen = number == playing, number == selected
        row = Text.assemble(("▸ " if chosen else "  ", palette.accent), ("▶ " if now else "  ", palette.accent))
        row.append(f"{number + 1:>3}  ", palette.quiet)
        row.append(printable(titles[number]), "bold" if now or chosen else "")
        rows.append(fit(row, width))
    return rows


def slot_rows(view: ViewState, width: int, palette: Palette) -> list[Text]:
    """Snapshots, the morph between them, and cue points, in as many lines as they need."""
    last = int(view.number("snapshot/slot"))
    names = [str(view.value(f"snapshot/names/{slot}") or "") for slot in range(1, SLOTS + 1)]
    snapshots = [(str(slot), name or "–", slot == last) for slot, name in enumerate(names, start=1)]
    points = [view.optional(f"cue/points/{cue}") for cue in range(1, SLOTS + 1)]
    cues = [(str(cue), "–" if at is None else format_duration(at), False) for cue, at in enumerate(points, start=1)]
    undo, redo = view.number("state/undo"), view.number("state/redo")
    title = f"  snapshots; undo {undo:.0f}, redo {redo:.0f}"
    return [
        fit(Text(title, palette.quiet), width),
        *_cells(snapshots, width, _SLOT_WIDTH, palette),
        _morph_row(view, width, palette),
        fit(Text("  cue points", palette.quiet), width),
        *_cells(cues, width, _CUE_WIDTH, palette),
    ]


def _morph_row(view: ViewState, width: int, palette: Palette) -> Text:
    """The crossfader between two slots, and how long a morph takes or how far the one is that is under way."""
    position = min(max(view.number("morph/position"), 0.0), 1.0)
    place = round(position * (_CROSSFADER - 1))
    row = Text("  crossfade ", palette.quiet)
    row.append(f"{view.number('morph/a', 1):.0f} ", palette.accent)
    for cells, style in (("─" * place, palette.quiet), ("█", ""), ("─" * (_CROSSFADER - 1 - place), palette.quiet)):
        row.append(cells, style)
    row.append(f" {view.number('morph/b', 2):.0f}", palette.accent).append("  morph ", palette.quiet)
    progress = view.optional("morph/progress")
    row.append(f"{view.number('morph/seconds'):.3g} s" if progress is None else f"▶ {progress:.0%}")
    return fit(row, width)


def _cells(cells: Sequence[tuple[str, str, bool]], width: int, each: int, palette: Palette) -> list[Text]:
    """Numbers and texts in columns."""
    columns = max(min((width - 2) // each, len(cells)), 1)
    rows = [Text("  ") for _ in range(-(-len(cells) // columns))]
    for index, (number, text, marked) in enumerate(cells):
        cell = Text.assemble((number, palette.accent), " ", (printable(text), "bold" if marked else ""))
        cell.truncate(each - 1, overflow="ellipsis", pad=True)
        rows[index // columns].append_text(cell).append(" ")
    return [fit(row, width) for row in rows]
