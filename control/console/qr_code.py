"""An address as a QR code for a terminal."""

from typing import Final

_BORDER: Final = 2
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_lines(text: str, *, inverted: bool = False) -> tuple[str, ...]:
    """A QR code of half blocks, two rows of modules a line, with its quiet zone.

    Parameters
    ----------
    text : str
        What it says.
    inverted : bool
        Whether blocks are light modules, for terminals that write light on dark; otherwise they are the dark ones,
        to be shown in black on white.

    Returns
    -------
    tuple of str
        Lines of equal length.
    """
    import segno

    modules = segno.make(text, error="m", micro=False).matrix_iter(border=_BORDER)
    rows = [[bool(module) for module in row] for row in modules]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple(
        "".join(_HALVES[upper != inverted, lower != inverted] for upper, lower in zip(above, below, strict=True))
        for above, below in pairs
    )
