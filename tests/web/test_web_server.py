"""The server of the page by its own protocol: who may come in, who holds a fader, what is limited."""

import contextlib
import http.client
import json
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.logged_session import LoggedSession
from helpers.open_files import no_more_files
from helpers.waiting import until
from helpers.web_page import FADER, OTHER_FADER
from moodfader.control.console.qr_code import qr_lines
from moodfader.control.web.server import WebServer
from moodfader.control.web.track_pictures import map_bytes, waveform_bytes
from moodfader.engine.dsp.segment_mask import SEGMENT_LIMIT_DB, segment_gain_db
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .conftest import DEMO

WET = "/moodfader/wet"


def get(port, path, *, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), body


@contextlib.contextmanager
def client(server, **options):
    """A page's WebSocket, after its greeting."""
    path = f"{server.token}/ws" if server.token else "ws"
    with connect(f"ws://127.0.0.1:{server.page_port}/{path}", open_timeout=120, **options) as socket:
        socket.hello = json.loads(socket.recv(timeout=120))["hello"]
        yield socket


def send(socket, **frame):
    socket.send(json.dumps(frame))


def next_with(socket, word):
    """The next frame's content of that kind."""
    while True:
        frame = json.loads(socket.recv(timeout=120))
        if word in frame:
            return frame[word]


def value_of(socket, address):
    while True:
        values = next_with(socket, "v")
        if address in values:
            return values[address]


def test_the_greeting_has_the_table_and_all_values(server, session):
    with client(server) as socket:
        table = {row["address"]: row for row in socket.hello["table"]}
        assert table[FADER]["low"] == -12
        assert socket.hello["values"].keys() == table.keys() == session.state().keys()
        assert socket.hello["tracks"] == ["demo", "encore"]
        assert "dolce" in socket.hello["presets"]


def test_what_one_sets_all_are_told(server, session):
    with client(server) as one, client(server) as other:
        send(one, set={FADER: 3.5, OTHER_FADER: -2})
        assert value_of(other, FADER) == 3.5
        assert value_of(one, FADER) == 3.5
        assert session.get(OTHER_FADER) == -2.0
        assert all(source.startswith("web 127.0.0.1:") for _, _, source in session.log)


@pytest.mark.parametrize(
    ("address", "value", "reason"),
    [
        (FADER, 99, "out of range"),
        (FADER, "much", "wants a number"),
        (FADER, [1], "wants a number"),
        ("/moodfader/emotion/sad", 0.5, "only be watched"),
        ("/moodfader/midlevel/modalty", 0.5, "did you mean"),
        ("/moodfader/preset/load", "../../etc/passwd", "no preset"),
        ("/moodfader/transport/loop_end", 0.01, "at least 0.05 s"),
    ],
)
def test_what_cannot_be_set_is_answered_with_the_reason(server, session, address, value, reason):
    before = session.state()
    with client(server) as socket:
        send(socket, set={address: value})
        assert reason in next_with(socket, "error")
    assert session.state() == before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"get": 1}', '{"hold": {}}', '{"set": []}', "[" * 9000, '{"ping": "x"}']
)
def test_frames_that_are_none_are_answered(server, text):
    with client(server) as socket:
        socket.send(text)
        assert next_with(socket, "error")
        send(socket, ping=7)
        assert next_with(socket, "pong") == 7


def test_the_last_one_to_take_a_fader_holds_it(server, session):
    with client(server) as one, client(server) as other:
        send(one, hold=[FADER], set={FADER: 1.0})
        assert next_with(other, "held") == {FADER: one.hello["id"]}
        send(other, hold=[FADER])
        assert next_with(one, "held") == {FADER: one.hello["id"]}
        assert next_with(one, "held") == {FADER: other.hello["id"]}
        send(one, set={FADER: 9.0})
        assert value_of(one, FADER) == 1.0  # (what it holds instead)
        send(other, set={FADER: -4.0})
        while (value := value_of(one, FADER)) == 1.0:  # (told once more, maybe)
            pass
        assert value == -4.0
        send(one, free=[FADER])  # (it does not hold it)
        send(one, set={FADER: 8.0})
        send(other, set={FADER: -5.0})
        assert session.comes_to(FADER, -5.0)
        assert [value for address, value, _ in session.log] == [1.0, -4.0, -5.0]
    with client(server) as third:
        assert third.hello["held"] == {}, "who goes lets go"


def test_a_long_message_ends_its_connection_only(server, session):
    with client(server) as one, client(server) as other:
        with contextlib.suppress(ConnectionClosed):
            one.send("x" * 20_000)
        with pytest.raises(ConnectionClosed):
            for _ in one:  # (what was sent before)
                pass
        send(other, set={FADER: 2.0})
        assert session.comes_to(FADER, 2.0)


def test_too_many_messages_are_left_out_and_the_newest_acts(server, session):
    with client(server) as socket:
        for step in range(3000):
            send(socket, set={WET: step / 3000})
        assert "too many" in next_with(socket, "error")
        for _ in range(240):  # (one that comes among the many is left out, too)
            send(socket, set={WET: 1.0})
            if session.comes_to(WET, 1.0, seconds=0.25):
                break
        assert session.get(WET) == 1.0


@pytest.mark.parametrize("origin", ["http://stranger.example", "null", "http://127.0.0.1:1", "file://"])
def test_pages_of_strangers_are_refused(server, origin):
    with pytest.raises(InvalidStatus) as refused, client(server, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert get(server.page_port, "/", Origin=origin)[0] == 403


@pytest.mark.parametrize("host", ["stranger.example", "127.0.0.1.stranger.example:80", "localhost.stranger.example"])
def test_names_of_strangers_that_point_here_are_refused(server, host):
    assert get(server.page_port, "/", Host=host)[0] == 403
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{server.page_port}/ws", additional_headers={"Host": host})


def test_the_pages_own_origin_may_come(server):
    with client(server, origin=f"http://127.0.0.1:{server.page_port}") as socket:
        assert socket.hello["id"]


def test_files_of_the_page_and_no_others(server):
    status, headers, body = get(server.page_port, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>Moodfader</title>" in body
    assert "default-src 'none'" in headers["content-security-policy"]
    names = re.findall(rb'(?:href|src)="([^"]+)"', body)
    assert {b"app.js", b"style.css", b"icon.svg"} <= set(names)
    for name in names:
        assert get(server.page_port, f"/{name.decode()}")[0] == 200
    tag = headers["etag"]
    assert get(server.page_port, "/", **{"If-None-Match": tag})[0] == 304
    for path in ("/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "//etc/passwd", "/page/app.js", "/app.py"):
        assert get(server.page_port, path)[0] == 404
    assert get(server.page_port, "/", method="POST")[0] == 405
    status, headers, _ = get(server.page_port, "/", method="OPTIONS")
    assert (status, headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert get(server.page_port, "/", method="HEAD")[2] == b""


def test_the_page_asks_for_nothing_elsewhere():
    """No address of another host in any file of the page."""
    folder = Path(__file__).parents[2] / "control" / "web" / "page"
    for path in folder.iterdir():
        if path.suffix in (".html", ".css", ".js", ".webmanifest"):
            assert not re.search(r"(https?:)?//\w+\.\w", re.sub(r"//\s.*", "", path.read_text())), path.name


def test_the_waveform_is_that_of_the_file(server):
    status, _, body = get(server.page_port, "/wave/0")
    assert status == 200
    (duration,) = struct.unpack_from("<f", body)
    assert duration == pytest.approx(soundfile.info(DEMO).duration, abs=0.01)
    peaks = np.frombuffer(body[4:], np.uint8)
    assert len(peaks) == 2000
    assert peaks.max() == 255
    assert peaks[:1000].mean() > 5 * peaks[-10:].mean(), "the end is silent"
    assert body == waveform_bytes(DEMO)
    for path in ("/wave/1", "/wave/2", "/wave/-1", "/wave/x", "/map/0"):  # (1: there is no such file)
        assert get(server.page_port, path)[0] == 404


def test_the_gain_map_has_the_gains_of_the_analysis(analysis_file):
    from moodfader.engine.analysis.analysis_file import load_mean_masks
    from moodfader.engine.audio.thumbnail import FRAMES, thumbnail_bands

    head, _, rest = map_bytes(analysis_file).partition(b"\n")
    about = json.loads(head)
    cells = about["columns"] * about["rows"]
    labels = np.frombuffer(rest[: cells * about["bytes"]], f"<u{about['bytes']}").reshape(about["columns"], -1)
    weights = np.frombuffer(rest[cells * about["bytes"] :], np.int8).reshape(about["segments"], 7) * about["scale"]
    segments, mean_weights = load_mean_masks(analysis_file)
    faders = np.array([6, 0, -3, 0, 12, 0, -12], np.float32)
    expected = segment_gain_db(mean_weights, faders)[segments]
    found = np.clip(weights @ faders, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB)[labels]
    bands = thumbnail_bands(segments.shape[1])
    assert found == pytest.approx(expected[::FRAMES, bands], abs=0.2)


@pytest.fixture(scope="module")
def open_server(session):
    server = WebServer(session, host="0.0.0.0", page_port=0, tracks=[DEMO])
    yield server
    server.close()


def test_beyond_loopback_nothing_is_read_or_set_without_the_token(open_server, session):
    server = open_server
    assert len(server.token) == 16
    assert server.url.endswith(f":{server.page_port}/{server.token}/")
    assert get(server.page_port, f"/{server.token}/")[0] == 200
    assert get(server.page_port, f"/{server.token}")[1]["location"] == f"/{server.token}/"
    wrong = server.token[:-1] + ("a" if server.token[-1] != "a" else "b")
    for start in ("", wrong, server.token.lower() + "x", f"x/{server.token}", "%00", "%C3%A9"):
        for path in ("", "app.js", "wave/0", "map/0", "ws"):
            status, _, body = get(server.page_port, "/" + "/".join(filter(None, (start, path))))
            assert (status, body) == (404, b"")
    for path in ("ws", f"{wrong}/ws", f"ws?token={server.token}"):
        with pytest.raises(InvalidStatus):
            connect(f"ws://127.0.0.1:{server.page_port}/{path}")
    assert session.log == []
    with client(server) as socket:
        send(socket, set={FADER: 5.0})
        assert session.comes_to(FADER, 5.0)


@pytest.mark.parametrize("header", [b"X: \x07", b"Sec-WebSocket-Version: 1\x1d3", b"X\xbb: y", b"X: \xbb", b"X: y"])
def test_a_handshake_that_cannot_be_read_is_answered(server, header):
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + header
    for port in (server.page_port, server.query_port):
        with socket.create_connection(("127.0.0.1", port), timeout=120) as raw:
            raw.sendall(b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n" + upgrade + b"\r\n\r\n")
            assert raw.recv(4096).startswith(b"HTTP/1.1 4")
            while raw.recv(4096):
                pass  # (it is closed, too)


@pytest.mark.parametrize("first", [b"", b"GET /icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
@pytest.mark.parametrize("rest", [b"", b"GET /icon.svg HT"])
def test_a_connection_on_which_nothing_whole_is_asked_is_closed(server, first, rest):
    with (
        socket.create_connection(("127.0.0.1", server.page_port), timeout=120) as raw,
        contextlib.suppress(ConnectionResetError),
    ):
        if first:
            raw.sendall(first)
            assert raw.recv(65536).startswith(b"HTTP/1.1 200")
        raw.sendall(rest)
        while raw.recv(65536):
            pass  # (the end of it, by a reset or not, comes before the patience of this test ends)


def test_the_qr_code_of_both_views_is_one_drawing():
    dark = qr_lines("http://192.168.1.20:9080/abcdefghijklmnop/")
    light = qr_lines("http://192.168.1.20:9080/abcdefghijklmnop/", inverted=True)
    swapped = str.maketrans(" ▀▄█", "█▄▀ ")
    assert [line.translate(swapped) for line in dark] == list(light)
    assert set(dark[0]) == {" "}, "the quiet zone"


def test_play_prints_the_address_as_one_line(tmp_path):
    command = [sys.executable, "-m", "moodfader.control.cli", "play", str(DEMO), "--backend", "null", "--paused"]
    process = subprocess.Popen(
        [*command, "--no-terminal", "--no-osc", "--web", "--web-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        line = process.stdout.readline()
        (port,) = re.fullmatch(r"web page: http://127\.0\.0\.1:(\d+)/\n", line).groups()
        with connect(f"ws://127.0.0.1:{port}/ws", open_timeout=120) as socket:
            hello = json.loads(socket.recv(timeout=120))["hello"]
            assert hello["tracks"] == ["demo"]
            send(socket, set={FADER: 4.0})
            assert value_of(socket, FADER) == 4.0
    finally:
        process.terminate()
        process.wait(120)
        process.stdout.close()
    assert process.returncode == 0


def test_a_taken_web_port_is_one_line(server, refused):
    refused(["play", DEMO, "--backend", "null", "--web", "--web-port", server.page_port], "web page on", "in use")


def test_a_web_process_that_cannot_be_started_now_is_started_as_soon_as_that_can_be():
    notes, session = [], LoggedSession()
    server = WebServer(session, page_port=0, note=notes.append)
    try:
        with no_more_files():
            server._process.kill()
            until(lambda: any("Too many open files" in note for note in notes))
        with client(server) as page:
            send(page, set={FADER: 3.0})
            until(lambda: session.get(FADER) == 3.0)
    finally:
        server.close()
        session.close()
