"""The keys of the terminal view, in one table: bindings, the line at the bottom and the help are all made from it."""

from dataclasses import dataclass
from typing import Final

from rich.text import Text

from .panels.palette import Palette


@dataclass(frozen=True)
class Binding:
    """Keys that do the same.

    Parameters
    ----------
    keys : str
        The keys as textual names them, separated by commas.
    action : str
        Method of `KeyActions` that is called.
    arguments : tuple
        Its arguments.
    """

    keys: str
    action: str
    arguments: tuple[str | float, ...] = ()


@dataclass(frozen=True)
class KeyGroup:
    """A line of the help: keys that belong together.

    Parameters
    ----------
    shown : str
        The keys as people read them.
    does : str
        What they do.
    bindings : tuple of Binding
        What each of them calls.
    hint : str
        Keys and a word for the line at the bottom, which has only the most useful ones; empty for the others.
    always : bool
        Whether the hint is there however narrow the terminal is.
    """

    shown: str
    does: str
    bindings: tuple[Binding, ...]
    hint: str = ""
    always: bool = False


def _both(
    first: str, second: str, action: str, one: tuple[str | float, ...], other: tuple[str | float, ...]
) -> tuple[Binding, Binding]:
    return Binding(first, action, one), Binding(second, action, other)


_CROSSFADE: Final = ("morph/position", -0.05), ("morph/position", 0.05)
KEYMAP: Final[tuple[KeyGroup, ...]] = (
    KeyGroup("?", "this list", (Binding("question_mark", "toggle_page", ("help",)),), "? keys", always=True),
    KeyGroup("↑↓ kj", "select a fader", _both("up,k", "down,j", "select", (-1,), (1,)), "↑↓←→ move"),
    KeyGroup("←→ hl", "move it by 0.5 dB", _both("left,h", "right,l", "move", (-0.5,), (0.5,))),
    KeyGroup("⇧←→ HL", "move it by 3 dB", _both("shift+left,H", "shift+right,L", "move", (-3.0,), (3.0,))),
    KeyGroup("0 z", "it, all to 0 dB", (Binding("0", "zero"), Binding("z", "zero_all")), "0z zero"),
    KeyGroup("u U", "undo, redo", _both("u", "U", "press", ("undo",), ("redo",)), "uU undo"),
    KeyGroup("1-9", "recall a snapshot", tuple(Binding(str(n), "digit", (n,)) for n in range(1, 10)), "1-9 recall"),
    KeyGroup(
        "s o",
        "+1-9: store, morph to",
        _both("s", "o", "await_digit", ("snapshot/store",), ("morph/to",)),
        "so store",
    ),
    KeyGroup("␣", "play, pause", (Binding("space", "switch", ("transport/play",)),), "␣ play"),
    KeyGroup(
        "b d m",
        "A/B; delta; loudness",
        (
            *_both("b", "d", "switch", ("bypass",), ("delta",)),
            Binding("m", "switch", ("match_loudness",)),
        ),
        "bd A/B Δ",
    ),
    KeyGroup("p P", "next, previous preset", _both("p", "P", "preset", (1,), (-1,)), "pP preset"),
    KeyGroup(", .", "5 s back, forward", _both("comma", "full_stop", "seek", (-5.0,), (5.0,)), ",. seek"),
    KeyGroup(
        "n N",
        "next, previous track",
        _both("n", "N", "press", ("transport/next",), ("transport/previous",)),
        "nN track",
    ),
    KeyGroup(
        "[ ] \\",
        "loop start, end, on",
        (
            *_both("left_square_bracket", "right_square_bracket", "loop", ("loop_start",), ("loop_end",)),
            Binding("backslash", "switch", ("transport/loop",)),
        ),
        "[]\\ loop",
    ),
    KeyGroup("< >", "crossfade 1 and 2", _both("less_than_sign", "greater_than_sign", "shift", *_CROSSFADE)),
    KeyGroup("x v", "+1-9: set, go to cue", _both("x", "v", "await_digit", ("cue/set",), ("cue/go",)), "xv cue"),
    KeyGroup(
        "t ⏎",
        "set list; go there",
        (Binding("t", "toggle_page", ("tracks",)), Binding("enter", "choose")),
        "t tracks",
    ),
    KeyGroup(
        "a r f",
        "save; name; by track",
        (
            *_both("a", "r", "ask_text", ("preset/save", "save the faders as preset"), ("snapshot/name", "name")),
            Binding("f", "toggle_track_preset"),
        ),
    ),
    KeyGroup(
        "e ⌫",
        "emotions; let one go",
        (Binding("e", "toggle_targets"), Binding("backspace", "let_go")),
        "e emotions",
    ),
    KeyGroup(
        "- +",
        "master by 1 dB",
        _both("minus,underscore", "plus,equals_sign", "shift", ("master", -1.0), ("master", 1.0)),
        "-+ master",
    ),
    KeyGroup("w W", "wet by 10 %", _both("w", "W", "shift", ("wet", -0.1), ("wet", 0.1)), "wW wet"),
    KeyGroup(
        "g c i",
        "map, colours, address",
        (Binding("g", "toggle_map"), Binding("c", "next_palette"), Binding("i", "toggle_page", ("address",))),
        "g map",
    ),
    KeyGroup("q", "quit, after a question", (Binding("q", "ask_to_quit"),), "q quit", always=True),
    KeyGroup("^Q ^C", "quit", (Binding("ctrl+q,ctrl+c", "quit"),)),
)
"""All keys, in the order of the help."""
HELP_WIDTH: Final = max(len(group.shown) for group in KEYMAP) + max(len(group.does) for group in KEYMAP) + 3
"""Cells that a column of the help needs."""


def footer(width: int, palette: Palette) -> Text:
    """The line at the bottom: the hints that there is room for; those for the help and the way out always."""
    ends = [_hint(group, palette) for group in KEYMAP if group.always]
    row = Text(" ")
    room = width - len(row) - sum(len(hint) for hint in ends) + 2
    for group in KEYMAP:
        hint = _hint(group, palette)
        if group.hint and not group.always and len(hint) <= room:
            row.append_text(hint)
            room -= len(hint)
    for hint in ends:
        row.append_text(hint)
    row.rstrip()
    row.truncate(width)
    return row


def help_rows(width: int, height: int, palette: Palette) -> list[Text]:
    """All keys and what they do, in as few columns as the height allows.

    Parameters
    ----------
    width, height : int
        Columns and lines that are there.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        At most `height` lines; texts are cut where the width does not do.
    """
    shown_width = max(len(group.shown) for group in KEYMAP)
    columns = max(-(-len(KEYMAP) // max(height, 1)), 1)
    lines = [Text() for _ in range(-(-len(KEYMAP) // columns))]
    for index, group in enumerate(KEYMAP):
        cell = Text.assemble(" ", (f"{group.shown:<{shown_width}}", palette.accent), f" {group.does}")
        cell.truncate(width // columns, overflow="ellipsis", pad=True)
        lines[index % len(lines)].append_text(cell)
    for line in lines:
        line.rstrip()
    return lines


def _hint(group: KeyGroup, palette: Palette) -> Text:
    keys, _, does = group.hint.partition(" ")
    return Text.assemble((keys, palette.accent), f" {does}  ")
