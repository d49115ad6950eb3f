"""A layout for TouchOSC (a `.tosc` file: XML of the dialect `lexml`, compressed by zlib).

Each control has its own address and range in its OSC message, and a script asks every five seconds to be told of
changes, so nothing has to be set up but the connection.
Format: hexler.net/touchosc/manual (controls, messages), as files of its editor (1.5) have it.
"""

import uuid
import zlib
from typing import Final
from xml.etree import ElementTree as Tree

from ..osc.dispatcher import SUBSCRIBE
from ..parameters.table import ROOT
from .surface_plan import GAP, Control, surface_plan

_VERSION: Final = "6"
_CONNECTIONS: Final = "1" * 10
_LABEL: Final = 24
_COLOURS: Final = {
    "fader": (0.17, 0.56, 0.81),
    "meter": (0.55, 0.44, 0.75),
    "toggle": (0.89, 0.63, 0.11),
    "button": (0.45, 0.48, 0.52),
}
RECEIVE_PORT: Final = 12000
"""The port on which the layout asks to be told of changes; the same as in TouchOSC's connection."""
_SCRIPT: Final = f"""local asked = -5000
function update()
  local now = getMillis()
  if now - asked >= 5000 then
    asked = now
    sendOSC({{ '{SUBSCRIBE}', {{ {{ tag = 'f', value = 30 }}, {{ tag = 'i', value = {RECEIVE_PORT} }} }} }})
  end
end
"""
_NAMESPACE: Final = uuid.UUID("5a0d3c5e-0f0b-4b8e-9d5c-6d6f6f646661")


def touchosc(presets: tuple[str, ...] = ()) -> bytes:
    """The layout as a file: faders, emotions, switches and buttons with their names."""
    plan = surface_plan(presets)
    width = max(control.left + control.width for control in plan) + GAP
    height = max(control.top + control.height for control in plan) + GAP
    document = Tree.Element("lexml", version=_VERSION)
    root = _node(document, "GROUP", "Moodfader", (0, 0, width, height), (0.1, 0.1, 0.11), includes=True)
    properties = root.find("properties")
    assert properties is not None
    _property(properties, "s", "script", _SCRIPT)
    values = Tree.SubElement(root, "values")
    _value(values, "touch", "false")
    children = Tree.SubElement(root, "children")
    for control in plan:
        _add(children, control)
    return zlib.compress(b'<?xml version="1.0" encoding="UTF-8"?>' + Tree.tostring(document, encoding="utf-8"))


def _add(children: Tree.Element, control: Control) -> None:
    """A control and, below or upon it, a label with its name."""
    left, top = control.left + GAP // 2, control.top + GAP // 2
    tall = control.kind in ("fader", "meter")
    frame = (left, top, control.width, control.height - _LABEL if tall else control.height)
    node = _node(children, "FADER" if tall else "BUTTON", control.id, frame, _COLOURS[control.kind])
    properties = node.find("properties")
    assert properties is not None
    _property(properties, "b", "interactive", "0" if control.kind == "meter" else "1")
    low, high = control.span
    default = control.parameter.default
    fraction = (default - low) / (high - low) if tall and isinstance(default, int | float) else 0.0
    if tall:
        _property(properties, "b", "centered", "1" if 0 < fraction < 1 else "0")
    else:
        _property(properties, "i", "buttonType", "2" if control.kind == "toggle" else "0")
    values = Tree.SubElement(node, "values")
    _value(values, "x", f"{fraction if tall else float(bool(default)):g}")
    _value(values, "touch", "false")
    _message(Tree.SubElement(node, "messages"), control)
    label_top = top + frame[3] if tall else top + (control.height - _LABEL) // 2
    label = _node(children, "LABEL", f"{control.id} name", (left, label_top, control.width, _LABEL), (0, 0, 0))
    properties = label.find("properties")
    assert properties is not None
    for kind, key, value in (("b", "background", "0"), ("b", "interactive", "0"), ("b", "outline", "0")):
        _property(properties, kind, key, value)
    _property(properties, "i", "textSize", "12")
    values = Tree.SubElement(label, "values")
    _value(values, "text", control.name)
    _value(values, "touch", "false")


def _message(messages: Tree.Element, control: Control) -> None:
    """The OSC message of a control: its address, and its value from low to high, or what a button sends."""
    message = Tree.SubElement(messages, "osc")
    sends, receives = control.kind != "meter", control.kind != "button"
    flags = {"enabled": True, "send": sends, "receive": receives, "feedback": False, "noDuplicates": False}
    for name, on in flags.items():
        Tree.SubElement(message, name).text = str(int(on))
    Tree.SubElement(message, "connections").text = _CONNECTIONS
    trigger = Tree.SubElement(Tree.SubElement(message, "triggers"), "trigger")
    Tree.SubElement(trigger, "var").text = "x"
    Tree.SubElement(trigger, "condition").text = "RISE" if control.kind == "button" else "ANY"
    _partial(Tree.SubElement(message, "path"), "CONSTANT", "STRING", control.parameter.address)
    arguments = Tree.SubElement(message, "arguments")
    if control.kind != "button":
        low, high = control.span
        conversion = "INTEGER" if control.kind == "toggle" else "FLOAT"
        _partial(arguments, "VALUE", conversion, "x", low=low, high=high)
    elif control.value is not None:
        conversion = {str: "STRING", int: "INTEGER"}.get(type(control.value), "FLOAT")
        _partial(arguments, "CONSTANT", conversion, str(control.value))


def _partial(
    parent: Tree.Element, kind: str, conversion: str, value: str, *, low: float = 0.0, high: float = 1.0
) -> None:
    partial = Tree.SubElement(parent, "partial")
    content = {
        "type": kind,
        "conversion": conversion,
        "value": value,
        "scaleMin": f"{low:g}",
        "scaleMax": f"{high:g}",
    }
    for name, text in content.items():
        Tree.SubElement(partial, name).text = text


def _node(
    parent: Tree.Element,
    kind: str,
    name: str,
    frame: tuple[int, int, int, int],
    colour: tuple[float, float, float],
    *,
    includes: bool = False,
) -> Tree.Element:
    node = Tree.SubElement(parent, "node", ID=str(uuid.uuid5(_NAMESPACE, f"{ROOT}/{kind}/{name}")), type=kind)
    if includes:
        Tree.SubElement(node, "includes")
    properties = Tree.SubElement(node, "properties")
    _property(properties, "s", "name", name)
    _composite(properties, "r", "frame", dict(zip("xywh", frame, strict=True)))
    _composite(properties, "c", "color", dict(zip("rgba", (*colour, 1), strict=True)))
    return node


def _property(properties: Tree.Element, kind: str, key: str, value: str) -> None:
    one = Tree.SubElement(properties, "property", type=kind)
    Tree.SubElement(one, "key").text = key
    Tree.SubElement(one, "value").text = value


def _composite(properties: Tree.Element, kind: str, key: str, parts: dict[str, float]) -> None:
    one = Tree.SubElement(properties, "property", type=kind)
    Tree.SubElement(one, "key").text = key
    value = Tree.SubElement(one, "value")
    for name, part in parts.items():
        Tree.SubElement(value, name).text = f"{part:g}"


def _value(values: Tree.Element, key: str, default: str) -> None:
    one = Tree.SubElement(values, "value")
    content = {"key": key, "locked": "0", "lockedDefaultCurrent": "0", "default": default, "defaultPull": "0"}
    for name, text in content.items():
        Tree.SubElement(one, name).text = text
