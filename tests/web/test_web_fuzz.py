"""Nonsense over HTTP and WebSocket: it serves on, memory stays flat, and only valid values come through."""

import contextlib
import json
import os
import random
import socket
from pathlib import Path

import pytest
from moodfader.control.parameters.table import PARAMETERS
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from .conftest import FADER

ADDRESSES = [parameter.address for parameter in PARAMETERS]
FRAMES = [
    {"set": {FADER: 1.5}},
    {"set": {"/moodfader/wet": 0.5, "/moodfader/zero": True}},
    {"hold": [FADER]},
    {"free": [FADER]},
    {"ping": 3},
    {"COMMAND": "LISTEN", "DATA": FADER},
]
LONG = 10**400
VALUES = (None, True, 0, -1, 1e308, -1e-308, LONG, "", "x" * 300, [], [[]], {}, "../../etc/passwd", "\0", "é", "∞")
REQUEST = b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n"
TARGETS = (b"", b"app.js", b"../../etc/passwd", b"wave/0", b"wave/" + b"9" * 20, b"map/0", b"%00", b"ws", b"?" * 50)
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
HEADERS = (b"", b"Origin: http://a.b\r\n", UPGRADE, b"X: " + b"y" * 9000 + b"\r\n", b"Content-Length: -1\r\n")


def frame(chance):
    """A frame that is nearly right, as text or bytes."""
    made = json.loads(json.dumps(chance.choice(FRAMES)))
    kind = chance.randrange(5)
    if kind == 0:
        made = {"set": {chance.choice(ADDRESSES): chance.choice(VALUES) for _ in range(chance.randrange(4))}}
    elif kind == 1:
        made[chance.choice(("set", "hold", "x", ""))] = chance.choice(VALUES)
    text = json.dumps(made)
    if kind == 2:
        at = chance.randrange(len(text) + 1)
        text = (
            text[:at]
            + chance.choice(("{", "}", "\\", "NaN", "[" * 500, "\ud83d\ude00", '"'))
            + text[at + chance.randrange(4) :]
        )
    if kind == 3:
        return chance.randbytes(chance.randrange(300))
    return text


def request(chance):
    """A request that is nearly right."""
    made = bytearray(REQUEST % (chance.choice(TARGETS), chance.choice(HEADERS)))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(made))
        made[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
    return bytes(made)


def fuzz_frames(server, chance, count):
    sent = 0
    ports = (f"{server.page_port}/ws", f"{server.query_port}/")
    while sent < count:
        with (
            contextlib.suppress(WebSocketException, TimeoutError),
            connect(
                f"ws://127.0.0.1:{chance.choice(ports)}", open_timeout=20, max_queue=None, close_timeout=1
            ) as client,
        ):
            for _ in range(chance.randrange(1, 500)):
                client.send(frame(chance))
                sent += 1


def fuzz_requests(server, chance, count):
    for _ in range(count):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(
                ("127.0.0.1", chance.choice((server.page_port, server.query_port))), timeout=5
            ) as client,
        ):
            client.sendall(request(chance))
            if chance.random() < 0.5:
                client.recv(4096)


def check(server, session, frames, requests):
    chance = random.Random(7)
    process = server._process
    fuzz_frames(server, chance, frames // 10)
    fuzz_requests(server, chance, requests // 10)
    before = memory_kib(process.pid)
    fuzz_frames(server, chance, frames)
    fuzz_requests(server, chance, requests)
    assert server._process is process, "it has not ended"
    assert process.is_alive()
    with connect(f"ws://127.0.0.1:{server.page_port}/ws", open_timeout=20) as client:
        client.recv(timeout=120)
        client.send(json.dumps({"set": {FADER: 2.5}}))
        assert session.comes_to(FADER, 2.5, seconds=120)
    for parameter in PARAMETERS:
        value = session.get(parameter.address)
        if value is not None and parameter.kind != "trigger":
            assert parameter.validate(value) == value
    assert memory_kib(process.pid) < before + 12_000


def memory_kib(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        pytest.skip("no /proc to read the memory of a process from")
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_thousand_bad_frames_and_requests(server, session):
    check(server, session, 1_000, 100)


@pytest.mark.slow
@pytest.mark.soak
def test_a_million_bad_frames_and_requests(server, session):
    """MOODFADER_FUZZ is how many there are, if it is set."""
    count = int(os.environ.get("MOODFADER_FUZZ", "1000000"))
    check(server, session, count * 24 // 25, count // 25)
