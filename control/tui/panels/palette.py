"""Colours of the terminal view, chosen so that they can be read on dark and on light backgrounds, or left out.

What a colour says is always said by a sign, a word or a place as well. Raised values are orange and lowered ones
blue, a pair that people with any of the common colour deficiencies can tell apart. Text keeps the terminal's own
foreground.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.color import Color

from ....engine.plotting.colours import (
    TERMINAL_16_DARK,
    TERMINAL_16_LIGHT,
    TERMINAL_256,
    TERMINAL_BOOST_RGB,
    TERMINAL_CUT_RGB,
)


@dataclass(frozen=True)
class Palette:
    """Styles (in rich's notation) by what they stand for.

    Parameters
    ----------
    name : str
        What the notes call it.
    raised, lowered : str
        A value above or below its reference, a boost or a cut.
    accent : str
        Selection, playing position and keys.
    warning : str
        What needs attention.
    quiet : str
        Labels and scales.
    shades : bool
        Whether cells may have any 24-bit colour (the terminal maps them to its 256, if it has no more).
    """

    name: str
    raised: str
    lowered: str
    accent: str
    warning: str
    quiet: str
    shades: bool

    def direction(self, change: float) -> str:
        """Style of a change: `raised`, `lowered`, or none for zero."""
        return self.raised if change > 0 else self.lowered if change < 0 else ""


def _palette(name: str, colours: Mapping[str, str], *, shades: bool = False) -> Palette:
    return Palette(name, **colours, warning="bold " + colours["raised"], quiet="dim", shades=shades)


MANY_COLOURS: Final = _palette("many colours", TERMINAL_256, shades=True)
DARK_16: Final = _palette("16 colours, dark", TERMINAL_16_DARK)
LIGHT_16: Final = _palette("16 colours, light", TERMINAL_16_LIGHT)
NO_COLOUR: Final = Palette("no colours", "", "", "bold", "bold reverse", "", False)
PALETTES: Final = (MANY_COLOURS, DARK_16, LIGHT_16, NO_COLOUR)


def choose_palette(environment: Mapping[str, str], colours: int | None) -> Palette:
    """The palette for a terminal.

    Parameters
    ----------
    environment : mapping
        Environment variables: NO_COLOR (no-color.org), COLORTERM, TERM and COLORFGBG are looked at.
    colours : int or None
        How many colours the terminal's description promises, None if that is not known.

    Returns
    -------
    Palette
    """
    terminal = environment.get("TERM", "")
    if "NO_COLOR" in environment or terminal == "dumb" or terminal.endswith(("-m", "-mono")):
        return NO_COLOUR
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "256color" in terminal:
        return MANY_COLOURS
    if colours is not None and colours < 8:
        return NO_COLOUR
    if (colours or 0) >= 256:
        return MANY_COLOURS
    # "foreground;background" by the numbers of the 16 colours, as rxvt and Konsole set it
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT_16 if background in ("7", "15") else DARK_16


def terminal_palette() -> Palette:
    """The palette for the terminal that this program runs in."""
    return choose_palette(os.environ, _described_colours())


def _described_colours() -> int | None:
    """Number of colours by the terminal's description (terminfo); None where there is none."""
    if sys.platform == "win32":
        return None
    import curses

    try:
        curses.setupterm()
    except curses.error:
        return None
    return max(curses.tigetnum("colors"), 0)


def level_colour(gain_db: float, level: float, *, full_db: float) -> Color:
    """Colour of a cell of the gain map.

    Parameters
    ----------
    gain_db : float
        Gain of the cell in dB.
    level : float
        Level of the music there, 0 to 1.
    full_db : float
        Gain in dB that has the full colour.

    Returns
    -------
    Color
        Grey at 0 dB, orange for a boost, blue for a cut; brighter for a higher level.
    """
    strength = min(abs(gain_db) / full_db, 1.0) ** 0.5
    grey = 40 + 150 * level
    target = TERMINAL_BOOST_RGB if gain_db > 0 else TERMINAL_CUT_RGB
    bright = strength * (0.45 + 0.55 * level)
    red, green, blue = (round(grey * (1 - strength) + part * bright) for part in target)
    return Color.from_rgb(min(red, 255), min(green, 255), min(blue, 255))
