"""A session file for Open Stage Control (version 1: a tree of widgets as JSON)."""

import html
from typing import Any, Final

from ..osc.dispatcher import SUBSCRIBE, UNSUBSCRIBE
from .surface_plan import GAP, Control, surface_plan

_WIDTH, _HEIGHT = 100, 60
_FOLLOW: Final = f"""if (value) {{
  send('{SUBSCRIBE}', 20)
  setInterval(function () {{ send('{SUBSCRIBE}', 20) }}, 5000)
}} else {{
  clearInterval()
  send('{UNSUBSCRIBE}')
}}"""


def open_stage_control(presets: tuple[str, ...] = ()) -> dict[str, Any]:
    """The session: faders, emotions, switches, buttons; its button `follow` keeps it up to date.

    Faders have no labels there: their names go into `html`, and `origin` is where their bars begin.
    """
    plan = surface_plan(presets)
    widgets = [_widget(control) for control in plan]
    last = [control for control in plan if control.kind == "toggle"][-1]
    follow = {"type": "button", "id": "follow", "label": "follow", "mode": "toggle", "bypass": True}
    place = {"left": last.left + _WIDTH + GAP, "top": last.top, "width": _WIDTH, "height": _HEIGHT}
    widgets.append(follow | place | {"onValue": _FOLLOW})
    content = {"type": "root", "id": "root", "widgets": widgets, "tabs": []}
    return {"createdWith": "Open Stage Control", "version": "1.26.0", "type": "session", "content": content}


def _widget(control: Control) -> dict[str, Any]:
    place = {name: getattr(control, name) for name in ("left", "top", "width", "height")}
    more: dict[str, Any]
    common = {"id": control.id, "address": control.parameter.address, "comments": control.parameter.description}
    default = control.parameter.default
    if control.kind in ("fader", "meter"):
        low, high = control.span
        value = float(default) if isinstance(default, int | float) else 0.0
        more = {"type": "fader", "html": html.escape(control.name), "range": {"min": low, "max": high}}
        more |= {"default": value, "origin": value, "design": "round" if control.kind == "fader" else "compact"}
        return common | more | place | {"doubleTap": control.kind == "fader", "interaction": control.kind == "fader"}
    if control.kind == "toggle":
        more = {"type": "button", "label": control.name, "mode": "toggle", "on": 1, "off": 0}
        return common | more | place | {"default": int(bool(default))}
    more = {
        "type": "button",
        "label": control.name,
        "mode": "tap",
        "on": 1 if control.value is None else control.value,
    }
    return common | more | place
