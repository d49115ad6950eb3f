"""What the terminal view looks like: pictures made of text, compared as a whole.

Below each picture stands the same with a letter for the style of each cell: o and b the colours of raised and lowered
values, c of keys (where that is another), # of the map, B bold, d dim, R reversed. MOODFADER_UPDATE_SNAPSHOTS=1
writes them anew.
"""

import os
from pathlib import Path

import pytest
from helpers.terminal_stage import CLIENTS, NOTES, TITLE, TITLES, URL, analyse, perform, shown
from moodfader.control.tui.panels.palette import DARK_16, LIGHT_16, MANY_COLOURS, NO_COLOUR

FOLDER = Path(__file__).parent / "snapshots"
PICTURES = {
    "60x16": ((60, 16), "steered", MANY_COLOURS, ()),
    "80x24": ((80, 24), "steered", MANY_COLOURS, ()),
    "110x34": ((110, 34), "steered", MANY_COLOURS, ()),
    "200x50": ((200, 50), "settling", MANY_COLOURS, ()),
    "60x16_16_colours_light": ((60, 16), "output gone", LIGHT_16, ()),
    "80x24_16_colours_dark": ((80, 24), "original", DARK_16, ()),
    "110x34_no_colours": ((110, 34), "no analysis", NO_COLOUR, ()),
    "200x50_no_colours": ((200, 50), "steered", NO_COLOUR, ()),
    "60x16_keys": ((60, 16), "steered", MANY_COLOURS, ("question_mark",)),
    "80x24_map": ((80, 24), "delta", NO_COLOUR, ("g",)),
    "80x24_set_list": ((80, 24), "steered", MANY_COLOURS, ("t", "down")),
    "80x24_address": ((80, 24), "steered", MANY_COLOURS, ("i",)),
    "80x24_name": ((80, 24), "steered", MANY_COLOURS, ("r", *"Bridge")),
    "80x24_quit_while_recording": ((80, 24), "settling", MANY_COLOURS, ("ctrl+q",)),
}
LETTERS = {
    "color(166)": "o",
    "yellow": "o",
    "red": "o",
    "color(32)": "b",
    "bright_blue": "b",
    "blue": "b",
    "bright_cyan": "c",
}


def letter(style):
    """One letter for a style."""
    if style is None:
        return " "
    if style.color is not None and not style.color.is_default:
        return LETTERS.get(style.color.name, "#")
    for letter, has in (("R", style.reverse), ("B", style.bold), ("d", style.dim)):
        if has:
            return letter
    return " "


@pytest.mark.parametrize("name", PICTURES)
def test_the_view_looks_as_it_did(session, tmp_path, name):
    size, scene, palette, keys = PICTURES[name]
    if scene != "no analysis":
        analyse(session, tmp_path)
    perform(session, scene)
    options = {
        "titles": TITLES,
        "url": URL,
        "track": lambda: TITLE,
        "clients": lambda: CLIENTS,
        "notes": lambda: NOTES,
    }
    _, strips = shown(session, *keys, size=size, palette=palette, **options)
    text = ["".join(segment.text for segment in strip).rstrip() for strip in strips]
    styles = ["".join(letter(segment.style) * segment.cell_length for segment in strip).rstrip() for strip in strips]
    picture = "\n".join([*text, "-" * size[0], *styles]) + "\n"
    path = FOLDER / f"{name}.txt"
    if os.environ.get("MOODFADER_UPDATE_SNAPSHOTS"):
        path.write_text(picture, encoding="utf-8")
    assert picture == path.read_text(encoding="utf-8"), f"{path.name} is not what is shown now"
