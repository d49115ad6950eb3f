"""A parameter of a session: OSC address, type, range, unit and description; `validate` checks values by them."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from ...models.common.errors import InputError

Value = float | int | bool | str | None
"""What a parameter holds: None while it is not known."""
Kind = Literal["float", "int", "bool", "trigger", "string"]
ROOT: Final = "/moodfader"
LARGEST: Final = 1e7
"""Largest magnitude of a number without bounds of its own, as in a performance's file; products do not overflow."""
OFF: Final = "off"
"""The text that sets an optional parameter to nothing, for clients that cannot send a nil."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a session.

    Attributes
    ----------
    address : str
        Its OSC address.
    kind : Kind
        The type of its value. A trigger has none: it acts.
    low, high : float or None
        Bounds of a number; None: unbounded.
    unit : str
        Unit of the value, empty without.
    default : Value
        What it holds at first.
    description : str
        What it does, in one sentence.
    writable : bool
        Whether it can be set; otherwise it is only read.
    optional : bool
        Whether it can be set to nothing (None; in OSC a nil or the text "off").
    acts : bool
        Whether each time it is set counts by itself (the next track, a slot that is filled): a newer one does not
        stand for those before it.
    """

    address: str
    kind: Kind
    low: float | None
    high: float | None
    unit: str
    default: Value
    description: str
    writable: bool = True
    optional: bool = False
    acts: bool = False

    @property
    def has_norm(self) -> bool:
        """Whether it has the normalised form `<address>/norm`, 0..1 from `low` to `high`."""
        return self.writable and self.kind == "float" and self.low is not None and self.high is not None

    def from_norm(self, fraction: float) -> float:
        """The value for a normalised one. Raises InputError if that is outside 0..1, or there is no such form."""
        if self.low is None or self.high is None or not self.has_norm:
            raise InputError(f"{self.address}: has no range, so it takes no normalised value")
        if not 0 <= fraction <= 1:
            raise InputError(f"{self.address}/norm: {fraction:g} is out of range, it goes from 0 to 1")
        return self.low + (self.high - self.low) * fraction

    def to_norm(self, value: float) -> float:
        """The normalised value, 0..1 from `low` to `high`. Raises InputError if there is no such form."""
        if self.low is None or self.high is None:
            raise InputError(f"{self.address}: has no range, so it has no normalised value")
        return (value - self.low) / (self.high - self.low)

    def validate(self, value: object) -> Value:
        """The value converted to this parameter's type: 1 and 1.0 become True, whole floats int, True 1.0.

        Whether the parameter is writable is not checked here.

        Returns
        -------
        Value
            Of a trigger True, or False for the release of a button (0), which does nothing.

        Raises
        ------
        InputError
            For a value of another type, out of range or not finite.
        """
        if self.kind == "string":
            if not isinstance(value, str) or len(value) > 256 or not value.isprintable():
                raise InputError(f"{self.address}: wants a text of at most 256 printable characters")
            return value
        if self.kind == "trigger" and value is None:
            return True
        if self.optional and (value is None or value == OFF):
            return None
        if isinstance(value, str) or not isinstance(value, int | float):
            raise InputError(f"{self.address}: wants {self.wanted}, not {_shown(value)}")
        if not _finite(value):
            raise InputError(f"{self.address}: wants a finite number")
        if self.kind in ("bool", "trigger"):
            return bool(value)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise InputError(f"{self.address}: {value:g} is out of range, {self.range_text}")
        if abs(value) > LARGEST:
            raise InputError(f"{self.address}: {value:g} is out of range")
        if self.kind == "float":
            return float(value)
        if value != int(value):
            raise InputError(f"{self.address}: {value:g} is not a whole number")
        return int(value)

    @property
    def wanted(self) -> str:
        """The type of value that it takes, in words."""
        return _WANTED[self.kind] + (", nil or off" if self.optional else "")

    @property
    def range_text(self) -> str:
        """The range in words, with the unit."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low is not None and self.high is not None:
            return f"it goes from {self.low:g} to {self.high:g}{unit}"
        return f"it starts at {self.low:g}{unit}" if self.low is not None else "any"


_WANTED: Final = {
    "float": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "trigger": "no value",
    "string": "a text",
}


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _shown(value: object) -> str:
    if value is None:
        return "nil"
    return repr(value) if isinstance(value, str) and len(value) < 40 else f"a {type(value).__name__}"
