"""The address of the page as a QR code for the terminal."""

import io


def qr_code(text: str) -> str:
    """A QR code of half blocks, dark on light, with its quiet zone; several lines."""
    import segno

    drawn = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")
