"""Standard streams: closed ones, broken pipes, and characters that the terminal's encoding lacks."""

import codecs
import contextlib
import errno
import os
import sys
from typing import Final

from ...models.common.errors import error_chain

NARROWEST: Final = 40
"""Columns of a table at least, whatever a terminal (or COLUMNS) says."""
_STANDARD_ERROR: Final = 2
_PLAIN: Final = {
    "█": "#", "▏": "|", "▌": "|", "▼": "v", "─": "-", "│": "|", "−": "-", "–": "-", "…": "...", "→": "->", "²": "2",
    "≤": "<=", "≥": ">=", "×": "x", "’": "'",
}  # fmt: skip
"""Replacements of characters that the terminal's encoding lacks; any other becomes a question mark."""


def adapt_streams() -> None:
    """Let standard output and error take any text: file names as their bytes, replacements for what they lack.

    Streams that are closed become the null device.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass  # (what is closed must not be the number of a file that we open: libraries write to standard error)
    os.close(descriptor)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    if (columns := os.environ.get("COLUMNS", "")).isdecimal() and int(columns[:9]) < NARROWEST:
        os.environ["COLUMNS"] = str(NARROWEST)  # (rich believes it: help of no column is nothing)
    codecs.register_error("moodfader", _encodable)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="moodfader")


def is_broken_pipe(error: BaseException | None) -> bool:
    """Whether an error is, or was caused by, a broken pipe: nobody reads our output any more."""
    return any(
        isinstance(one, BrokenPipeError) or (isinstance(one, OSError) and one.errno == errno.EPIPE)
        for one in error_chain(error)
    )


def silence_stdout() -> None:
    """Redirect standard output to the null device, so that flushing it cannot fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _encodable(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    if all(0xDC80 <= ord(letter) <= 0xDCFF for letter in letters):
        return bytes(ord(letter) - 0xDC00 for letter in letters), error.end
    text = "".join(_PLAIN.get(letter, "?") for letter in letters)
    return text, error.end
