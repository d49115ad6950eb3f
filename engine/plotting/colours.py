"""All colours: of figures, of the page of an explanation and of the terminal view. Change them here.

The pair is Okabe & Ito's blue and vermilion, which people with any of the common colour deficiencies can tell apart.
In figures of predictions blue raises and vermilion lowers; in figures and maps of gains vermilion boosts and blue
cuts. Plain values, without matplotlib: `style.py` makes colour maps of them, `control/tui/panels/palette.py` chooses
the terminal's by what the terminal can show.
"""

from typing import Final

RAISES: Final = "#0072B2"
LOWERS: Final = "#D55E00"
"""What raises a prediction and what lowers it."""
BOOST: Final = LOWERS
CUT: Final = RAISES
"""Gains above and below 0 dB."""
SERIES: Final = (RAISES, "#009E73", "#CC79A7", "#E69F00")
"""Series of one figure, in their order."""
FIT: Final = LOWERS
"""A line fitted to points, or a second kind of points."""

INK: Final = "#222222"
PAPER: Final = "white"
GREY: Final = "#8a8a8a"
"""Notes, axes through zero, references."""
GRID: Final = "#e4e4e4"
REFERENCE_LINE: Final = "#bbbbbb"
BAR: Final = "#e0e0e0"
"""Bars behind marks: ranges, intervals, what is usual."""
BAR_LINE: Final = "#555555"
BAND: Final = "#d4d4d4"
"""The band of what chance gives."""
TRACK: Final = "#d9d9d9"
"""The slot that a drawn fader moves in."""
BEFORE: Final = "#c9c9c9"
AFTER: Final = "#3b3b3b"
BORDER_ALL: Final = "#00000030"
BORDER_CHOSEN: Final = "#222222b0"
"""Borders of all segments and of the chosen ones, with their opacity."""

QUIET_GREY: Final = "#9a9a9a"
"""The middle of a grey spectrogram."""
LIGHTEST: Final = "#ffffff"
DARKEST: Final = "#101010"
"""Ends of the map of one hue: quiet to loud."""
SIGNED_STOPS: Final = (LOWERS, "#fbfbfb", RAISES)
"""Map of correlations, -1 to 1."""
HEAT_STOPS: Final = ("#fbfbfb", "#E69F00", "#7a3b00")
"""Map of amounts, 0 up."""
GAIN_STOPS: Final = ("#00436b", CUT, "#f4f4f4", BOOST, "#7f3700")
"""Map of gains, cut to boost."""

PAGE_LIGHT: Final = {
    "ink": "#1d1f22", "soft": "#62676d", "ground": "#f5f4f1", "card": "#fff", "line": "#e2e0db",
    "raises": RAISES, "lowers": LOWERS, "warn": "#fdf1e4",
}  # fmt: skip
PAGE_DARK: Final = {
    "ink": "#e9e7e2", "soft": "#a3a7ac", "ground": "#16181b", "card": "#1f2226", "line": "#34383e",
    "raises": "#5db7ea", "lowers": "#ff9452", "warn": "#382717",
}  # fmt: skip
"""Of the HTML page, by the variables of its style, on light and on dark screens."""

# color(166) #d75f00 and color(32) #0087d7 have a contrast of 3.8 to 5.4 against white as well as against black
TERMINAL_256: Final = {"raised": "color(166)", "lowered": "color(32)", "accent": "bold color(32)"}
TERMINAL_16_DARK: Final = {"raised": "yellow", "lowered": "bright_blue", "accent": "bold bright_cyan"}
TERMINAL_16_LIGHT: Final = {"raised": "red", "lowered": "blue", "accent": "bold blue"}
"""Of the terminal view, in rich's notation, by colours and background; a warning is bold `raised`."""
TERMINAL_BOOST_RGB: Final = (255, 120, 0)
TERMINAL_CUT_RGB: Final = (0, 130, 255)
"""Full boost and cut in the gain map of a terminal with 24-bit colours."""


def page_variables() -> str:
    """The colours of the page as CSS variables, light and dark."""
    light, dark = (" ".join(f"--{name}: {value};" for name, value in c.items()) for c in (PAGE_LIGHT, PAGE_DARK))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
