"""The address reference that `moodfader controls` prints, made from the table of parameters."""

from typing import Final

from ..osc.dispatcher import SUBSCRIBE, UNSUBSCRIBE
from ..osc.subscriptions import NORM
from ..parameters.table import PARAMETERS, ROOT, Parameter


def address_reference() -> str:
    """A text table of all addresses: type, range, unit and meaning, and below it how messages are understood."""
    rows = [("address", "type", "range", "unit", "meaning")]
    rows += [
        (parameter.address, _type(parameter), _range(parameter), parameter.unit, parameter.description)
        for parameter in PARAMETERS
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])) for row in rows
    ]
    return "\n".join((*(line.rstrip() for line in lines), "", *_NOTES))


_NOTES: Final = (
    "A message with one value sets, one without reads. Types in brackets can only be read.",
    f"<address>{NORM} is the same value on 0..1, for parameters with a lower and an upper bound.",
    "A trigger acts on a message without a value, on I, N, T and any number but 0 (the release of a button).",
    f"{SUBSCRIBE} [rate in Hz [port]] sends the state, then every change, for 10 seconds: repeat it.",
    "The port is the one on which the client listens; without it, the one it sends from (play --reply-port names",
    f"one for all clients). {SUBSCRIBE}{NORM} sends values on 0..1; {UNSUBSCRIBE} [port] ends it.",
    "Patterns (? * [a-z] {this,that}) name several addresses.",
    f"A message that cannot be obeyed is answered by {ROOT}/error with the reason, then by the value held.",
    "True and false are sent as 1 and 0.",
)


def _type(parameter: Parameter) -> str:
    return parameter.kind if parameter.writable else f"({parameter.kind})"


def _range(parameter: Parameter) -> str:
    if parameter.kind == "bool":
        return "0, 1"
    if parameter.low is None and parameter.high is None:
        return ""
    low = "" if parameter.low is None else f"{parameter.low:g}"
    return f"{low} .. " if parameter.high is None else f"{low} .. {parameter.high:g}"
