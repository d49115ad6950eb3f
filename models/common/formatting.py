"""Text formatting of names, numbers and durations for tables, screens, figures and pages."""

import math
import re
from collections.abc import Mapping
from typing import Any


def display_name(name: str) -> str:
    """Return a feature or emotion name as people write it: spaces in place of underscores."""
    return name.replace("_", " ")


POLES = {"modality": ("minor", "major")}
"""What high and low mean for a feature whose name does not say it."""


def printable(text: str) -> str:
    r"""Text with escapes in place of characters that steer a terminal, which names of files may have; lines stay.

    Examples
    --------
    >>> printable("a\x1b[31mb.wav")
    'a\\x1b[31mb.wav'
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tab and line feed, and those that turn the direction of writing."""


def name_with_pole(name: str) -> str:
    """A feature's name with what a high value means where the name leaves that open: `modality (minor)`."""
    return f"{display_name(name)} ({POLES[name][0]})" if name in POLES else display_name(name)


def format_signed(value: float, form: str) -> str:
    """Format a number with its sign, a minus sign in place of the hyphen, and zero as 0.

    Parameters
    ----------
    value
        The number.
    form
        Format specification without the sign, as ".2f".

    Returns
    -------
    str

    Examples
    --------
    >>> format_signed(0.5, ".1f"), format_signed(-0.04, ".1f")
    ('+0.5', '0')
    """
    text = format(value, "+" + form)
    return text.replace("-", "\u2212") if float(text) else "0"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds as minutes and seconds, rounded down.

    Examples
    --------
    >>> format_duration(245.9)
    '4:05'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def format_r(value: float, digits: int = 2) -> str:
    """Format a correlation without a leading zero, with a minus sign in place of the hyphen.

    Parameters
    ----------
    value
        The correlation, -1..1.
    digits
        Digits after the point.

    Returns
    -------
    str

    Examples
    --------
    >>> format_r(0.826)
    '.83'
    """
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0") else text
    return ("\u2212" if round(value, digits) < 0 else "") + text


def rounded_values(value: Any) -> Any:  # noqa: ANN401
    """Round the numbers of nested dicts and lists to six decimals; what is not finite becomes None.

    Six decimals are more than any of these numbers mean; the peak of silence, for one, is not finite.

    Examples
    --------
    >>> rounded_values({"peak": float("-inf"), "shifts": [0.12345678]})
    {'peak': None, 'shifts': [0.123457]}
    """
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: rounded_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded_values(item) for item in value]
    return value
