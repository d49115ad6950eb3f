"""The head of the terminal view: track, state of the sound, position, loop and recording."""

from rich.text import Text

from ....models.common.formatting import format_duration
from .cells import fit
from .palette import Palette
from .view_state import ViewState, sound_state


def head_rows(view: ViewState, width: int, palette: Palette) -> list[Text]:
    """Title and state of the sound; position, loop and times.

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
        Two lines.
    """
    state = sound_state(view)
    right = Text.assemble(" ", (f"{state.sign} {state.words}", palette.warning if state.warning else "bold"))
    right.truncate(_room(width), overflow="ellipsis")
    left = Text.assemble(("▶ " if view.flag("transport/play") else "‖ ", palette.accent), (view.title, "bold"))
    return [fit(left, width - right.cell_len).append_text(right), _position_row(view, width, palette)]


def is_state_cut(view: ViewState, width: int) -> bool:
    """Whether the first line has no room for all words of the state."""
    return len(sound_state(view).words) + 3 > _room(width)


def _room(width: int) -> int:
    """Cells for the state of the sound; the title has the others."""
    return max(width * 3 // 4, width - 30, 0)


def _position_row(view: ViewState, width: int, palette: Palette) -> Text:
    position, length = view.number("transport/position"), view.number("transport/duration")
    times = f" {format_duration(position)} / {format_duration(length)}"
    recording = " ● REC" if view.flag("state/recording") else ""
    cells = max(width - len(times) - len(recording), 1)
    played = round(cells * min(max(position / length, 0.0), 1.0)) if length > 0 else 0
    bar = ["━"] * played + ["─"] * (cells - played)
    if view.flag("transport/loop") and length > 0:
        ends = view.number("transport/loop_start"), view.number("transport/loop_end") or length
        for mark, at in zip("[]", ends, strict=True):
            bar[min(max(round(cells * at / length), 0), cells - 1)] = mark
    line = Text("".join(bar))
    line.stylize(palette.accent, 0, played)
    line.stylize(palette.quiet, played)
    for at in (index for index, cell in enumerate(bar) if cell in "[]"):
        line.stylize("not dim bold", at, at + 1)
    return fit(line.append(times).append(recording, palette.warning), width)
