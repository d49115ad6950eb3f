"""Layouts read back: each control has an address of the table, its range and a name, and none lies upon another."""

import json
import re
import zlib
from xml.etree import ElementTree as Tree

import pytest
from moodfader.control.layouts.open_stage_control import open_stage_control
from moodfader.control.layouts.reaper import reaper_osc
from moodfader.control.layouts.surface_plan import surface_plan
from moodfader.control.layouts.touchosc import RECEIVE_PORT, touchosc
from moodfader.control.parameters.table import find_parameter
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL

PRESETS = ("dolce", "agitato")
FADERS = {f"/moodfader/midlevel/{name}" for name in MIDLEVEL}
TRIGGERS = ("zero", "transport/next", "transport/previous", "transport/skip", "undo", "redo")
OF_SLOTS = ("snapshot/recall", "snapshot/store", "morph/to", "cue/go")
BUTTONS = {f"/moodfader/{name}" for name in (*TRIGGERS, *OF_SLOTS)}


def test_the_plan_has_what_a_show_needs_and_nothing_lies_upon_another():
    plan = surface_plan(PRESETS)
    addresses = {control.parameter.address for control in plan}
    assert FADERS | BUTTONS | {f"/moodfader/emotion/{name}" for name in EMOTIONS} <= addresses
    assert {control.value for control in plan if control.parameter.address.endswith("preset/load")} == set(PRESETS)
    assert len({control.id for control in plan}) == len(plan)
    for one in plan:
        for other in plan:
            beside = one.left + one.width <= other.left or other.left + other.width <= one.left
            above = one.top + one.height <= other.top or other.top + other.height <= one.top
            assert one is other or beside or above, (one.id, other.id)


def test_open_stage_control_has_names_origins_and_buttons():
    session = json.loads(json.dumps(open_stage_control(PRESETS)))
    assert session["createdWith"] == "Open Stage Control"
    widgets = {widget["id"]: widget for widget in session["content"]["widgets"]}
    fader = widgets["midlevel/modality"]
    assert (fader["type"], fader["html"], fader["origin"]) == ("fader", "modality (minor)", 0.0)
    assert fader["range"] == {"min": -12.0, "max": 12.0}
    assert all(widget["html"] for widget in widgets.values() if widget["type"] == "fader")
    assert all(widget["label"] for widget in widgets.values() if widget["type"] == "button")
    assert widgets["wet"]["origin"] == 1.0
    assert (widgets["preset/load/dolce"]["mode"], widgets["preset/load/dolce"]["on"]) == ("tap", "dolce")
    assert widgets["transport/skip/-10.0"]["on"] == -10.0
    for widget in widgets.values():
        if "address" in widget:
            find_parameter(widget["address"])


def test_touchosc_is_read_back_by_another_reader():
    py2tosc = pytest.importorskip("py2tosc", reason="py2tosc is not installed (extra test)")
    written = touchosc(PRESETS)
    document = py2tosc.loads(written)
    assert [str(issue) for issue in py2tosc.validate(document)] == []
    script = document.root.get("script")
    assert (
        f"'/moodfader/subscribe', {{ {{ tag = 'f', value = 30 }}, {{ tag = 'i', value = {RECEIVE_PORT} }}" in script
    )
    found = {control.name: control for control in document.find_all()}
    fader = found["midlevel/modality"]
    (message,) = fader.messages
    assert [part.value for part in message.path] == ["/moodfader/midlevel/modality"]
    (argument,) = message.arguments
    assert (argument.value, argument.scale_min, argument.scale_max) == ("x", -12, 12)
    assert {value.key: value.default for value in fader.values}["x"] == 0.5
    (load,) = found["preset/load/dolce"].messages
    assert [(part.type, part.value) for part in load.arguments] == [("CONSTANT", "dolce")]
    assert {value.key: value.default for value in found["zero name"].values}["text"] == "zero"


def test_touchosc_is_the_xml_that_it_says():
    root = Tree.fromstring(zlib.decompress(touchosc(PRESETS)))
    assert (root.tag, root[0].get("type")) == ("lexml", "GROUP")
    nodes = root.findall("./node/children/node")
    assert len({node.get("ID") for node in nodes}) == len(nodes)
    sent = {node.findtext("./messages/osc/path/partial/value") for node in nodes if node.get("type") != "LABEL"}
    assert sent >= FADERS | BUTTONS
    for address in sent:
        find_parameter(address)
    assert touchosc(PRESETS) == touchosc(PRESETS)


def test_reaper_names_addresses_that_there_are():
    lines = [line for line in reaper_osc().splitlines() if line and not line.startswith("#")]
    patterns = [line for line in lines if not line.startswith("DEVICE_")]
    assert all(re.fullmatch(r"DEVICE_\w+_COUNT 0", line) for line in lines if line not in patterns)
    assert patterns
    for line in patterns:
        action, kind, address = re.fullmatch(r"([A-Z_]+) ([nfbtrsi])(/\S+)", line).groups()
        parameter = find_parameter(address.removesuffix("/norm"))
        assert action in ("PLAY", "PAUSE", "REPEAT", "MASTER_VOLUME")
        assert parameter.has_norm if address.endswith("/norm") else kind == "t"
