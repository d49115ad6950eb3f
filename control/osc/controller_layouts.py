"""Controller layouts and the address reference, made from the table of parameters."""

from typing import Any, Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name
from ..session.parameters import PARAMETERS, ROOT, Parameter, find_parameter
from .dispatcher import SUBSCRIBE, UNSUBSCRIBE
from .subscriptions import NORM

_WIDTH, _HEIGHT, _GAP = 100, 300, 10
_FOLLOW: Final = f"""if (value) {{
  send('{SUBSCRIBE}', 20)
  setInterval(function () {{ send('{SUBSCRIBE}', 20) }}, 5000)
}} else {{
  clearInterval()
  send('{UNSUBSCRIBE}')
}}"""


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


def open_stage_control() -> dict[str, Any]:
    """A session file for Open Stage Control: faders, emotions, switches; its button `follow` keeps it up to date."""
    widgets = [
        _widget("fader", parameter, left=column, top=0, doubleTap=True, **_span(parameter))
        for column, parameter in enumerate(find_parameter(f"{ROOT}/{name}") for name in (*_faders(), "wet", "master"))
    ]
    top = _HEIGHT + _GAP
    for column, name in enumerate(EMOTIONS):
        parameter = find_parameter(f"{ROOT}/emotion/{name}")
        widgets.append(
            _widget(
                "fader", parameter, left=column, top=top, height=200, interaction=False, range={"min": 0, "max": 1}
            )
        )
    top += 200 + _GAP
    switches = ("transport/play", "transport/loop", "bypass", "delta", "match_loudness")
    for column, name in enumerate(switches):
        parameter = find_parameter(f"{ROOT}/{name}")
        widgets.append(_widget("button", parameter, left=column, top=top, height=60, mode="toggle", on=1, off=0))
    follow = {"type": "button", "id": "follow", "label": "follow", "mode": "toggle", "bypass": True}
    widgets.append(follow | _place(len(switches), top, 60) | {"onValue": _FOLLOW})
    content = {"type": "root", "id": "root", "label": "Moodfader", "widgets": widgets, "tabs": []}
    return {"createdWith": "Open Stage Parameter", "version": "1.26.0", "type": "session", "content": content}


def _faders() -> tuple[str, ...]:
    return tuple(f"midlevel/{name}" for name in MIDLEVEL)


def _widget(
    kind: str,
    parameter: Parameter,
    *,
    left: int,
    top: int,
    height: int = _HEIGHT,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    name = parameter.address.removeprefix(ROOT + "/")
    default = parameter.default if isinstance(parameter.default, int | float) else ""
    values = {"type": kind, "id": name, "address": parameter.address, "label": display_name(name.rsplit("/")[-1])}
    return (
        values
        | {"default": int(default) if isinstance(default, bool) else default}
        | _place(left, top, height)
        | more
    )


def _place(column: int, top: int, height: int) -> dict[str, Any]:
    return {"left": column * (_WIDTH + _GAP), "top": top, "width": _WIDTH, "height": height}


def _span(parameter: Parameter) -> dict[str, Any]:
    return {"range": {"min": parameter.low, "max": parameter.high}}


def _type(parameter: Parameter) -> str:
    return parameter.kind if parameter.writable else f"({parameter.kind})"


def _range(parameter: Parameter) -> str:
    if parameter.kind == "bool":
        return "0, 1"
    if parameter.low is None and parameter.high is None:
        return ""
    low = "" if parameter.low is None else f"{parameter.low:g}"
    return f"{low} .. " if parameter.high is None else f"{low} .. {parameter.high:g}"
