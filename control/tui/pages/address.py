"""The address of the web page in the terminal view, as a QR code for the camera of a phone."""

from functools import lru_cache
from typing import Final

from rich.text import Text

from ..panels.cells import fit
from ..panels.palette import Palette
from ..panels.view_state import ViewState

_BORDER: Final = 2
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def address_rows(view: ViewState, width: int, height: int, palette: Palette) -> list[Text]:
    """The address of the web page, and its QR code where there is room for it.

    Parameters
    ----------
    view : ViewState
        `url` is the address; empty: no page is served.
    width, height : int
        Cells of each line, and lines.
    palette : Palette
        Colours.

    Returns
    -------
    list of Text
        At most `height` lines.
    """
    if not view.url:
        text = "no web page: play --web serves one, with --bind 0.0.0.0 to phones and tablets, too"
        return [fit(Text(f"  {text}", palette.quiet), width)][:height]
    rows = [fit(Text.assemble("  web page: ", (view.url, "bold")), width)]
    code = _code(view.url)
    if height >= len(code) + 1 and width >= len(code[0]) + 2:
        style = "black on white" if palette.shades or palette.raised else "reverse"
        rows += [fit(Text("  ").append(line, style), width) for line in code]
    else:
        rows.append(fit(Text("  (a larger window shows it as a QR code)", palette.quiet), width))
    return rows[:height]


@lru_cache(maxsize=4)
def _code(url: str) -> tuple[str, ...]:
    return qr_lines(url)


def qr_lines(text: str) -> tuple[str, ...]:
    """A QR code of half blocks, two rows of modules a line, with its quiet zone: to be shown in black on white."""
    import segno

    rows = [list(map(bool, row)) for row in segno.make(text, error="m", micro=False).matrix_iter(border=_BORDER)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple(
        "".join(_HALVES[int(upper), int(lower)] for upper, lower in zip(above, below, strict=True))
        for above, below in pairs
    )
