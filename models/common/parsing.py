"""JSON and TOML from files that anybody may have written: bounded in size and depth, finite numbers only."""

import json
import math
import re
import struct
import tokenize
import tomllib
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from .errors import InputError

MAX_DEPTH: Final = 16
"""Levels of lists and tables inside each other; no file of ours has more than six."""
BAD_ARCHIVE: Final = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    IndexError,
    SyntaxError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SystemError,  # of strings whose characters are none
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
)
"""What reading a damaged .npz archive raises: NumPy and zipfile check little of it."""


def read_text(path: Path, *, limit: int, otherwise: str | None = None) -> str:
    """Text of a small file.

    Parameters
    ----------
    path
        A UTF-8 file, with or without a byte-order mark.
    limit
        Largest size in bytes; a larger file is refused before it is read.
    otherwise
        Encoding of what is no UTF-8; None: it is refused.

    Raises
    ------
    InputError
        For a file that cannot be read, is too large, or is not UTF-8. FileNotFoundError is passed on.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > limit:
        raise InputError(f"{path}: larger than {limit} bytes (another kind of file?)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if otherwise is not None:
            return content.decode(otherwise, errors="replace")
        raise InputError(f"{path}: not text in UTF-8 (byte {error.start})") from error


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401
    """The value of a JSON text.

    Raises
    ------
    ValueError
        With a short reason, for text that is not JSON, NaN and infinity (JSON has neither; 1e999 counts as infinity),
        whole numbers beyond 64 bits, and nesting deeper than `MAX_DEPTH`.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, column {error.colno}") from error
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check_values(value)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text, with the bounds of `parse_json`.

    Raises
    ------
    ValueError
        With a short reason.
    """
    # tomllib needs memory by the square of the number of parts of a dotted key
    if any(token.count(".") > _MAX_DOTS and ".." not in token for token in _TOKEN.findall(_DOT.sub(".", text))):
        raise ValueError("nested too deeply")
    try:
        values = tomllib.loads(text.removeprefix("\ufeff"), parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(_TOO_LARGE if "digits" in str(error) else str(error)) from error
    _check_values(values)
    return values


_MAX_DOTS: Final = 64
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_TOKEN: Final = re.compile(r"[^\s=\[\]{}#,]+")
_TOO_LARGE: Final = "a whole number beyond 64 bits"


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is not a finite number")
    return value


def _bounded(text: str) -> int:
    if len(text) > 20:
        raise ValueError(_TOO_LARGE)
    return int(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def _check_values(value: object) -> None:
    """See to depth and whole numbers, without the recursion that the depth would break."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, int) and item.bit_length() > 63:
                raise ValueError(_TOO_LARGE)
        if not below:
            return
        level = below
    raise ValueError("nested too deeply")
