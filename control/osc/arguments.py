"""OSC arguments, and what they mean as the value of a parameter."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...models.common.errors import InputError
from ..parameters.table import Parameter, Value

_OTHER_NAMES: Final = {"I": "an impulse", "r": "a colour", "m": "MIDI bytes", "t": "a time tag", "b": "a blob"}


@dataclass(frozen=True)
class OtherArgument:
    """An argument that is not a `Value`: an impulse, colour, blob, time tag or MIDI bytes. Only its type is kept."""

    tag: str

    @property
    def description(self) -> str:
        """What it is, in words."""
        return f"{_OTHER_NAMES[self.tag]} (type {self.tag})"


IMPULSE: Final = OtherArgument("I")
"""OSC's `I` (OSC 1.1: impulse, OSC 1.0: infinitum), the type of triggers in OSCQuery."""
Argument = Value | OtherArgument


def argument_value(parameter: Parameter, argument: Argument) -> Value:
    """The argument as a value for `Parameter.validate`.

    Raises
    ------
    InputError
        If it is of a type that the parameter does not take. An impulse is for triggers.
    """
    if not isinstance(argument, OtherArgument):
        return argument
    if argument == IMPULSE and parameter.kind == "trigger":
        return None
    raise InputError(f"{parameter.address}: wants {parameter.wanted}, not {argument.description}")


def norm_value(parameter: Parameter, argument: Argument) -> float:
    """The value of a parameter from an argument on 0..1. Raises InputError for anything else."""
    fraction = argument_value(parameter, argument)
    if isinstance(fraction, str) or fraction is None or not math.isfinite(fraction):
        raise InputError(f"{parameter.address}/norm: wants a number from 0 to 1")
    return parameter.from_norm(float(fraction))


def untyped_value(address: str, data: bytes, *, text: bool) -> Value:
    """The one argument of a message without type tags, as old clients send it.

    Parameters
    ----------
    address : str
        For the error message.
    data : bytes
        The argument bytes.
    text : bool
        Whether the address takes a text. Otherwise four bytes are a whole number if it is a small one (as a float it
        would be below 1e-38), and a float if not.

    Raises
    ------
    InputError
        If the bytes are not one argument of that kind.
    """
    if text:
        content, _, padding = data.partition(b"\0")
        if len(data) % 4 == 0 and len(padding) < 4 and not any(padding) and len(content) < len(data):
            return content.decode("utf-8", "replace")
    elif len(data) == 4:
        (whole,) = struct.unpack(">i", data)
        return int(whole) if abs(whole) < 1 << 20 else float(struct.unpack(">f", data)[0])
    raise InputError(f"{address}: {len(data)} bytes without type tags: only one value can be read so")


def finite_numbers(address: str, arguments: Sequence[Argument]) -> tuple[float, ...]:
    """The arguments as finite numbers. Raises InputError if one is not."""
    numbers = [float(one) for one in arguments if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(arguments) or not all(map(math.isfinite, numbers)):
        raise InputError(f"{address}: wants numbers: messages a second, and the port to answer to")
    return tuple(numbers)
