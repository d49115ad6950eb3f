"""Nonsense over HTTP and WebSocket: it serves on, memory stays flat, and only valid values come through.

A million of them against a whole show: test_web_soak.py.
"""

import contextlib
import json
import random
import socket
from pathlib import Path

import pytest
from helpers.web_fuzz import frame, request
from helpers.web_page import FADER
from moodfader.control.parameters.table import PARAMETERS
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect


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
                data, is_text = frame(chance)
                client.send(data, text=is_text)
                sent += 1


def fuzz_requests(server, chance, count):
    for _ in range(count):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(
                ("127.0.0.1", chance.choice((server.page_port, server.query_port))), timeout=120
            ) as client,
        ):
            text = request(chance)
            client.sendall(text)
            if not text.endswith(b"\r\n\r\n"):
                client.shutdown(socket.SHUT_WR)  # (the end of it would be waited for)
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
