"""Layouts for controllers and the reference page, made from the table of addresses."""

from typing import Any, Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name
from ..session.parameters import PARAMETERS, ROOT, Parameter, find_parameter
from .dispatcher import NORM, SUBSCRIBE, UNSUBSCRIBE

_WIDTH, _HEIGHT, _GAP = 100, 300, 10
_FOLLOW: Final = f"""if (value) {{
  send('{SUBSCRIBE}', 20)
  setInterval(function () {{ send('{SUBSCRIBE}', 20) }}, 5000)
}} else {{
  clearInterval()
  send('{UNSUBSCRIBE}')
}}"""


def address_reference() -> str:
    """Every address with its type, range, unit and meaning, a line each: what a layout of one's own is made from."""
    rows = [("address", "type", "range", "unit", "meaning")]
    rows += [
        (control.address, _type(control), _range(control), control.unit, control.description)
        for control in PARAMETERS
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4])) for row in rows
    ]
    return "\n".join((*(line.rstrip() for line in lines), "", *_NOTES))


_NOTES: Final = (
    "A message with one value sets, one without asks. Types in brackets can only be asked for.",
    f"<address>{NORM} takes and gives the same on 0..1, where there is a range from below to above.",
    f"{SUBSCRIBE} [messages a second] tells the state at once and then what changes, for 10 seconds: repeat it.",
    f"{UNSUBSCRIBE} ends that. Patterns (? * [a-z] {{this,that}}) name several addresses.",
    f"What cannot be done is answered by {ROOT}/error and the reason. True and false are answered as 1 and 0.",
)


def open_stage_control() -> dict[str, Any]:
    """A session for Open Stage Control: faders, emotions, switches. Pressing `follow` keeps it up to date."""
    widgets = [
        _widget("fader", control, left=column, top=0, doubleTap=True, **_span(control))
        for column, control in enumerate(find_parameter(f"{ROOT}/{name}") for name in (*_faders(), "wet", "master"))
    ]
    top = _HEIGHT + _GAP
    for column, name in enumerate(EMOTIONS):
        control = find_parameter(f"{ROOT}/emotion/{name}")
        widgets.append(
            _widget("fader", control, left=column, top=top, height=200, interaction=False, range={"min": 0, "max": 1})
        )
    top += 200 + _GAP
    switches = ("transport/play", "transport/loop", "bypass", "delta", "match_loudness")
    for column, name in enumerate(switches):
        control = find_parameter(f"{ROOT}/{name}")
        widgets.append(_widget("button", control, left=column, top=top, height=60, mode="toggle", on=1, off=0))
    follow = {"type": "button", "id": "follow", "label": "follow", "mode": "toggle", "bypass": True}
    widgets.append(follow | _place(len(switches), top, 60) | {"onValue": _FOLLOW})
    content = {"type": "root", "id": "root", "label": "Moodfader", "widgets": widgets, "tabs": []}
    return {"createdWith": "Open Stage Parameter", "version": "1.26.0", "type": "session", "content": content}


def _faders() -> tuple[str, ...]:
    return tuple(f"midlevel/{name}" for name in MIDLEVEL)


def _widget(
    kind: str,
    control: Parameter,
    *,
    left: int,
    top: int,
    height: int = _HEIGHT,
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    name = control.address.removeprefix(ROOT + "/")
    default = control.default if isinstance(control.default, int | float) else ""
    values = {"type": kind, "id": name, "address": control.address, "label": display_name(name.rsplit("/")[-1])}
    return (
        values
        | {"default": int(default) if isinstance(default, bool) else default}
        | _place(left, top, height)
        | more
    )


def _place(column: int, top: int, height: int) -> dict[str, Any]:
    return {"left": column * (_WIDTH + _GAP), "top": top, "width": _WIDTH, "height": height}


def _span(control: Parameter) -> dict[str, Any]:
    return {"range": {"min": control.low, "max": control.high}}


def _type(control: Parameter) -> str:
    return control.kind if control.writable else f"({control.kind})"


def _range(control: Parameter) -> str:
    if control.kind == "bool":
        return "0, 1"
    if control.low is None and control.high is None:
        return ""
    low = "" if control.low is None else f"{control.low:g}"
    return f"{low} .. " if control.high is None else f"{low} .. {control.high:g}"
