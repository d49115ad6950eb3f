"""The address of the web page in the terminal view, as a QR code for the camera of a phone."""

from functools import lru_cache

from rich.text import Text

from ...console.qr_code import qr_lines
from ..panels.cells import fit
from ..panels.palette import Palette
from ..panels.view_state import ViewState


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
