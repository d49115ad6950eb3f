"""The keys of the terminal view, in one table: bindings, the line at the bottom and the help are all made from it."""

from dataclasses import dataclass
from typing import Final

from rich.text import Text

from .palette import Palette


@dataclass(frozen=True)
class Key:
    """One or more keys that do the same.

    Parameters
    ----------
    names : str
        The keys as textual names them, separated by commas.
    shown : str
        The keys as people read them.
    action : str
        Method of `KeyActions` that is called.
    arguments : tuple
        Its arguments.
    does : str
        What it does, in one line of the help.
    hint : str
        Keys and a word for the line at the bottom, which has only the most useful ones; empty for the others.
    """

    names: str
    shown: str
    action: str
    arguments: tuple[str | float, ...]
    does: str
    hint: str = ""


# (in the order of the help; the line at the bottom takes those with a hint, as many as there is room for)
KEYMAP: Final[tuple[Key, ...]] = (
    Key("question_mark", "?", "toggle_help", (), "show or hide this list", "? keys"),
    Key("up,k", "↑ k", "select", (-1,), "select the fader above", "↑↓←→ move"),
    Key("down,j", "↓ j", "select", (1,), "select the fader below"),
    Key("left,h", "← h", "move", (-0.5,), "selected fader down by 0.5 dB"),
    Key("right,l", "→ l", "move", (0.5,), "selected fader up by 0.5 dB"),
    Key("shift+left,H", "⇧← H", "move", (-3.0,), "selected fader down by 3 dB"),
    Key("shift+right,L", "⇧→ L", "move", (3.0,), "selected fader up by 3 dB"),
    Key("0", "0", "zero", (), "selected fader to 0 dB", "0 zero"),
    Key("z", "z", "zero_all", (), "all faders to 0 dB", "z all"),
    Key("space", "␣", "switch", ("transport/play",), "play or pause", "␣ play"),
    Key("b", "b", "switch", ("bypass",), "A/B: the original and back", "b A/B"),
    Key("d", "d", "switch", ("delta",), "delta: only what the faders change", "d delta"),
    Key("m", "m", "switch", ("match_loudness",), "match the loudness to the original"),
    Key("p", "p", "preset", (1,), "next preset", "pP preset"),
    Key("P", "P", "preset", (-1,), "previous preset"),
    Key("comma", ",", "seek", (-5.0,), "back by 5 s", ",. seek"),
    Key("full_stop", ".", "seek", (5.0,), "forward by 5 s"),
    Key("n", "n", "press", ("transport/next",), "next track", "nN track"),
    Key("N", "N", "press", ("transport/previous",), "previous track"),
    Key("left_square_bracket", "[", "loop", ("loop_start",), "loop begins here", "[]\\ loop"),
    Key("right_square_bracket", "]", "loop", ("loop_end",), "loop ends here"),
    Key("backslash", "\\", "switch", ("transport/loop",), "loop on or off"),
    Key("minus,underscore", "-", "shift", ("master", -1.0), "master down by 1 dB", "-+ master"),
    Key("plus,equals_sign", "+", "shift", ("master", 1.0), "master up by 1 dB"),
    Key("w", "w", "shift", ("wet", -0.1), "10 % less of the steered sound (wet)"),
    Key("W", "W", "shift", ("wet", 0.1), "10 % more of the steered sound (wet)"),
    Key("g", "g", "toggle_map", (), "gain map in the place of the emotions", "g map"),
    Key("c", "c", "next_palette", (), "other colours: many, 16 on dark, 16 on light, none"),
    Key("q", "q", "ask_to_quit", (), "quit, after a question", "q quit"),
    Key("ctrl+q,ctrl+c", "^Q ^C", "quit", (), "quit at once (a recording: after a question)"),
)
"""All keys."""
HELP_WIDTH: Final = max(len(key.shown) + len(key.does) for key in KEYMAP) + 6
"""Cells that a column of the help needs."""


def footer(width: int, palette: Palette) -> Text:
    """The line at the bottom: the hints that there is room for; those for the help and the way out always."""
    ends = [_hint(key, palette) for key in KEYMAP if key.action in ("toggle_help", "ask_to_quit")]
    row = Text(" ")
    room = width - len(row) - sum(len(hint) for hint in ends) + 2
    for key in KEYMAP:
        hint = _hint(key, palette)
        if key.hint and key.action not in ("toggle_help", "ask_to_quit") and len(hint) <= room:
            row.append_text(hint)
            room -= len(hint)
    for hint in ends:
        row.append_text(hint)
    row.rstrip()
    row.truncate(width)
    return row


def help_rows(width: int, height: int, palette: Palette) -> list[Text]:
    """All keys and what they do, in as many columns as the height asks for and the width allows.

    Parameters
    ----------
    width, height : int
        Columns and lines that are there.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        At most `height` lines; shorter texts where the full ones do not fit.
    """
    shown_width = max(len(key.shown) for key in KEYMAP)
    columns = max(-(-len(KEYMAP) // max(height, 1)), 1)
    column_width = width // columns
    lines = [Text() for _ in range(-(-len(KEYMAP) // columns))]
    for index, key in enumerate(KEYMAP):
        cell = Text(" ")
        cell.append(f"{key.shown:<{shown_width}} ", palette.accent)
        cell.append(key.does)
        cell.truncate(column_width, overflow="ellipsis", pad=True)
        lines[index % len(lines)].append_text(cell)
    for line in lines:
        line.rstrip()
    return lines


def _hint(key: Key, palette: Palette) -> Text:
    keys, _, does = key.hint.partition(" ")
    return Text.assemble((keys, palette.accent), f" {does}  ")
