"""The address of the page as a QR code for the terminal."""

import io
from typing import Final

import segno

_BORDER: Final = 2
_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def qr_code(text: str) -> str:
    """A QR code of half blocks, dark on light, with its quiet zone; several lines."""
    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, border=_BORDER, compact=True)
    return drawn.getvalue().rstrip("\n")


def qr_lines(text: str) -> tuple[str, ...]:
    """The same without colours, two rows of modules a line: to be shown in black on white."""
    rows = [list(map(bool, row)) for row in segno.make(text, error="m", micro=False).matrix_iter(border=_BORDER)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple(
        "".join(_HALVES[int(upper), int(lower)] for upper, lower in zip(above, below, strict=True))
        for above, below in pairs
    )
