"""`send`, `monitor`, `controls`, `midi`: run as commands, against a real server."""

import json
import subprocess
import sys

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moodfader.control.layouts.open_stage_control import open_stage_control
from moodfader.control.live_commands import midi, osc
from moodfader.control.live_commands.osc import parse_argument
from moodfader.control.midi.mapping_file import MidiBinding, mapping_file, read_mapping, save_mapping
from moodfader.control.osc.client import OscClient
from moodfader.control.osc.packets import Message
from moodfader.control.osc.server import OscServer
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.session.presets import available_presets
from moodfader.models.common.errors import InputError
from typer.testing import CliRunner

ClickException = typer.BadParameter.__mro__[2]  # (typer brings a click of its own)

FADER = "/moodfader/midlevel/modality"
app = typer.Typer()
osc.register(app)
midi.register(app)


@pytest.fixture
def server(session):
    server = OscServer(session, port=0)
    yield server
    server.close()


def run(*words):
    """Standard output of a command; what it raises is raised."""
    result = CliRunner().invoke(app, list(map(str, words)), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("true", True),
        ("False", False),
        ("dolce", "dolce"),
        ("", ""),
    ],
)
def test_words_become_values(text, value):
    assert parse_argument(text) == value
    assert type(parse_argument(text)) is type(value)


def test_send_sets_and_prints_what_holds_then(server, session):
    assert run("send", FADER, "-2.5", "--port", server.port) == f"{FADER} -2.5\n"
    assert session.get(FADER) == -2.5
    assert run("send", "/moodfader/bypass", "true", "--port", server.port) == "/moodfader/bypass 1\n"
    assert run("send", FADER + "/norm", "1", "--port", server.port) == f"{FADER}/norm 1\n"
    assert run("send", "/moodfader/transport/pause", "--port", server.port) == ""
    assert session.log[-1][:2] == ("/moodfader/transport/pause", True)
    assert run("send", "/moodfader/preset/load", "dolce", "--port", server.port) == "/moodfader/preset/load dolce\n"


def test_send_without_a_value_asks(server, session):
    lines = run("send", "/moodfader/midlevel/rhythmic_*", "--json", "--port", server.port).splitlines()
    names = ("rhythmic_complexity", "rhythmic_stability")
    assert [json.loads(line) for line in lines] == [
        {"address": f"/moodfader/midlevel/{name}", "value": 0.0} for name in names
    ]
    assert run("send", "/moodfader/emotion/sad", "--port", server.port) == "/moodfader/emotion/sad unknown\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("/moodfader/midlevel/modalit", "1"), "did you mean"),
        (("/moodfader/nowhere",), "no control"),
        ((FADER, "99"), "out of range"),
        ((FADER, "1", "2"), "one value"),
        ((FADER, "nan"), "finite"),
        (("wet", "1"), "slash"),
        (("/moodfader/preset/load", "nonesuch"), "no preset"),
    ],
)
def test_a_refusal_is_raised_with_its_reason(server, words, reason):
    with pytest.raises(InputError, match=reason):
        run("send", *words, "--port", server.port)


def test_nobody_there_is_said(server):
    port = server.port
    server.close()
    with pytest.raises(InputError, match=r"no answer .is `moodfader play` running"):
        run("send", FADER, "1", "--port", port)
    with pytest.raises(InputError, match="no answer"):
        run("monitor", "--port", port)
    with pytest.raises(InputError, match="no such address"):
        run("send", FADER, "1", "--host", "nowhere.invalid")


def test_monitor_prints_the_state_and_then_the_changes(server, session):
    client = OscClient("127.0.0.1", server.port)
    news = client.subscribe(rate_hz=50)
    state = {message.address for _, message in zip(range(20), news, strict=False)}
    assert FADER in state
    session.set(FADER, 7.5)
    assert any(message == Message(FADER, (7.5,)) for message in news)
    news.close()
    lines = run("monitor", "--seconds", 0.3, "--json", "--port", server.port).splitlines()
    assert {"address": FADER, "value": 7.5} in [json.loads(line) for line in lines]
    with pytest.raises(InputError, match="out of range"):
        run("monitor", "--rate", 1000, "--port", server.port)


WORDS = st.text(max_size=20) | st.sampled_from(
    [
        "",
        "nan",
        "-inf",
        "1e999",
        "9" * 400,
        "true",
        "/",
        "/moodfader/wet",
        "/moodfader/*/*",
        "x" * 9000,
        "-1",
        "\udce9",
    ]
)


@given(
    st.sampled_from(["send", "monitor", "midi learn", "midi forget", "midi list", "controls"]),
    st.lists(WORDS, max_size=3),
    st.sampled_from([(), ("--host", ""), ("--host", ".."), ("--host", "a" * 300), ("--port", "1"), ("--port", "0")]),
    st.sampled_from(
        [(), ("--seconds", "nan"), ("--seconds", "-1"), ("--rate", "nan"), ("--rate", "1e300"), ("--json",)]
    ),
    st.sampled_from([(), ("--port", "no such port"), ("--value", "nan"), ("--layout", "x" * 300)]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mistake_on_the_command_line_ends_in_a_traceback(
    monkeypatch, tmp_path, command, words, host, number, more
):
    monkeypatch.chdir(tmp_path)
    arguments = [*command.split(), *host, *number, *more, "--", *words]
    result = CliRunner().invoke(app, arguments, standalone_mode=False)
    allowed = (InputError, ClickException, typer.Exit, SystemExit)
    assert result.exception is None or isinstance(result.exception, allowed), (arguments, result.exception)


def test_monitor_renews_its_lease(server, session):
    client = OscClient("127.0.0.1", server.port)
    for _ in client.subscribe(rate_hz=50, seconds=0.5, renew_s=0.1):
        assert server.clients()
    client = OscClient("127.0.0.1", server.port)
    counted = [message.address for message in client.subscribe(rate_hz=50, seconds=0.5, renew_s=0.1)].count(FADER)
    assert counted >= 3  # the whole state with each


def test_controls_lists_every_address():
    printed = run("controls")
    for control in PARAMETERS:
        assert control.address in printed
        assert control.description in printed
    rows = [json.loads(line) for line in run("controls", "--json").splitlines()]
    assert [row["address"] for row in rows] == [control.address for control in PARAMETERS]


def test_the_layout_has_the_faders_in_their_ranges(tmp_path):
    path = tmp_path / "moodfader.json"
    assert run("controls", "--layout", path).strip() == str(path)
    written = json.loads(path.read_text())
    assert written == open_stage_control(tuple(available_presets()))
    widgets = written["content"]["widgets"]
    assert len({widget["id"] for widget in widgets}) == len(widgets)
    (fader,) = (widget for widget in widgets if widget.get("address") == FADER)
    assert (fader["type"], fader["range"], fader["default"]) == ("fader", {"min": -12.0, "max": 12.0}, 0.0)
    known = {control.address for control in PARAMETERS}
    assert {widget["address"] for widget in widgets if "address" in widget} <= known
    places = {(widget["left"], widget["top"]) for widget in widgets}
    assert len(places) == len(widgets)
    with pytest.raises(InputError, match="exists already"):
        run("controls", "--layout", path)


def test_midi_is_listed_and_forgotten():
    pad = MidiBinding("/moodfader/preset/load", 1, 36, message="note", value="dolce")
    save_mapping(mapping_file(), [MidiBinding(FADER, 2, 7), MidiBinding("/moodfader/wet", 1, 1, "14bit"), pad])
    listed = run("midi", "list")
    assert f"{FADER}  channel 2  number 7  7bit" in listed
    assert "/moodfader/preset/load  note channel 1  number 36  7bit  sets dolce" in listed
    run("midi", "forget", "/moodfader/preset/load")
    run("midi", "forget", FADER)
    assert [binding.address for binding in read_mapping(mapping_file())] == ["/moodfader/wet"]
    with pytest.raises(InputError, match="no MIDI control"):
        run("midi", "forget", FADER)
    with pytest.raises(InputError, match="cannot set"):
        run("midi", "learn", "/moodfader/emotion/sad", "--port", "x")
    mapping_file().unlink()


def test_the_surfaces_start_without_torch():
    modules = "osc.server osc.oscquery osc.client layouts.touchosc midi.ports live_commands.osc tui.app"
    imports = ", ".join(f"moodfader.control.{module}" for module in modules.split())
    code = f"import sys, {imports}; assert 'torch' not in sys.modules, 'torch'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
