"""OSCQuery over real HTTP, WebSocket and multicast."""

import contextlib
import http.client
import json
import socket
import threading

import pytest
from moodfader.control.osc.oscquery import handle_request, host_info
from moodfader.control.osc.packets import encode_message, parse_datagram
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.web.server import WebServer
from moodfader.models.common.errors import InputError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


@pytest.fixture
def server(session):
    server = WebServer(session, osc_port=9123, announce=False)
    yield server
    server.close()


def get(server, target, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.query_port, timeout=120)
    connection.request(method, target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body) if body and response.status == 200 else None


def test_the_tree_holds_every_address(server):
    status, tree = get(server, "/")
    assert status == 200
    found = {}

    def walk(node):
        if "TYPE" in node:
            found[node["FULL_PATH"]] = node
        for name, child in node.get("CONTENTS", {}).items():
            assert child["FULL_PATH"].endswith("/" + name)
            walk(child)

    walk(tree)
    assert found.keys() == {control.address for control in PARAMETERS}
    fader = found["/moodfader/midlevel/modality"]
    assert fader["RANGE"] == [{"MIN": -12.0, "MAX": 12.0}]
    assert (fader["TYPE"], fader["ACCESS"], fader["VALUE"], fader["UNIT"]) == ("f", 3, [0.0], ["gain.db"])
    assert found["/moodfader/emotion/sad"]["ACCESS"] == 1
    assert found["/moodfader/transport/pause"]["ACCESS"] == 2
    assert found["/moodfader/bypass"]["TYPE"] == "F"
    assert "dolce" in found["/moodfader/preset/load"]["RANGE"][0]["VALS"]
    assert found["/moodfader/transport/position"]["UNIT"] == ["time.second"]
    assert found["/moodfader/meter/latency_ms"]["UNIT"] == ["time.ms"]


def test_single_nodes_and_attributes(server, session):
    session.set("/moodfader/wet", 0.25)
    assert get(server, "/moodfader/wet?VALUE") == (200, {"VALUE": [0.25]})
    assert get(server, "/moodfader/wet")[1]["FULL_PATH"] == "/moodfader/wet"
    assert get(server, "/moodfader/bypass?RANGE") == (204, None)
    assert get(server, "/moodfader/bypass?NONSENSE") == (400, None)
    assert get(server, "/moodfader/../../etc/passwd") == (404, None)
    assert get(server, "/nowhere?HOST_INFO")[1] == host_info("127.0.0.1", 9123, ws_port=server.query_port)


def test_what_is_not_known_has_no_value(server, session):
    """The proposal's 204: there is such an attribute, but nothing to say."""
    assert "VALUE" not in get(server, "/moodfader/emotion/sad")[1]
    assert get(server, "/moodfader/emotion/sad?VALUE") == (204, None)
    session.publish({"/moodfader/emotion/sad": 0.25})
    assert get(server, "/moodfader/emotion/sad?VALUE") == (200, {"VALUE": [0.25]})


def test_containers_have_attributes(server):
    assert get(server, "/moodfader/transport?FULL_PATH") == (200, {"FULL_PATH": "/moodfader/transport"})
    assert get(server, "/moodfader/transport?ACCESS") == (200, {"ACCESS": 0})
    assert get(server, "/moodfader/transport?DESCRIPTION") == (200, {"DESCRIPTION": "transport"})
    assert get(server, "/moodfader/midlevel?CONTENTS")[1]["CONTENTS"]["modality"]["TYPE"] == "f"
    assert get(server, "/moodfader/transport?VALUE") == (204, None)
    assert get(server, "/moodfader/transport?TYPE") == (204, None)


def test_the_host_says_where_osc_is(server):
    status, info = get(server, "/?HOST_INFO")
    assert status == 200
    assert (info["NAME"], info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == (
        "Moodfader",
        "127.0.0.1",
        9123,
        "UDP",
    )
    assert (info["WS_IP"], info["WS_PORT"]) == ("127.0.0.1", server.query_port)
    assert info["EXTENSIONS"]["LISTEN"]
    assert info["EXTENSIONS"]["PATH_CHANGED"]


def test_one_connection_takes_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.query_port, timeout=120)
    for method, status in (("GET", 200), ("HEAD", 200), ("OPTIONS", 204), ("POST", 405), ("GET", 200)):
        connection.request(method, "/moodfader/wet")
        response = connection.getresponse()
        body = response.read()
        assert (response.version, response.status, bool(body)) == (11, status, method == "GET")
        kept = connection.sock
    assert kept is not None
    connection.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_it_can_only_be_read(server, session, method):
    before = session.state()
    assert get(server, "/moodfader/wet", method)[0] == 405
    assert session.state() == before


@pytest.mark.parametrize("target", ["", "?", "//", "/%00", "/%ff", "/moodfader/wet/x", "http://[", "/" * 5000])
def test_any_target_has_an_answer(target, session):
    status, _ = handle_request(target, session.state(), {})
    assert status in (200, 400, 404)


def test_connections_that_say_nothing_do_not_stop_it(server, capfd):
    assert get(server, "/?HOST_INFO")[0] == 200
    silent = [socket.create_connection(("127.0.0.1", server.query_port)) for _ in range(60)]
    try:
        for one in silent:  # those beyond sixteen are closed at once, the others after some seconds
            one.settimeout(60)
            with contextlib.suppress(ConnectionError):
                assert one.recv(10) == b""
        rude = socket.create_connection(("127.0.0.1", server.query_port))
        rude.sendall(b"\x16\x03nonsense\r\n\r\n")
        rude.close()
        assert get(server, "/?HOST_INFO")[0] == 200
    finally:
        for one in silent:
            one.close()
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def listener(server):
    with connect(f"ws://127.0.0.1:{server.query_port}/", open_timeout=120) as socket_:
        yield socket_


def command(socket_, word, address):
    socket_.send(json.dumps({"COMMAND": word, "DATA": address}))


def received(socket_):
    """The next OSC message: address and argument."""
    (message,) = parse_datagram(socket_.recv(timeout=120))
    return message.address, message.arguments[0]


def test_a_listener_is_told_the_value_at_once_and_every_change(listener, session):
    session.set("/moodfader/wet", 0.25)
    command(listener, "LISTEN", "/moodfader/wet")
    assert received(listener) == ("/moodfader/wet", 0.25)
    session.set("/moodfader/bypass", True)
    session.set("/moodfader/wet", 0.5)
    assert received(listener) == ("/moodfader/wet", 0.5)
    command(listener, "LISTEN", "/moodfader/bypass")
    assert received(listener) == ("/moodfader/bypass", 1)
    command(listener, "IGNORE", "/moodfader/wet")
    command(listener, "LISTEN", "/moodfader/delta")  # (obeyed after the one before)
    assert received(listener) == ("/moodfader/delta", 0)
    session.set("/moodfader/wet", 0.75)
    session.set("/moodfader/delta", True)
    assert received(listener) == ("/moodfader/delta", 1)


def test_osc_over_the_socket_sets_and_asks(listener, session):
    listener.send(encode_message("/moodfader/midlevel/modality/norm", 0.75))
    listener.send(encode_message("/moodfader/midlevel/modality"))
    while received(listener) != ("/moodfader/midlevel/modality", 6.0):  # (the mirror may be a moment behind)
        listener.send(encode_message("/moodfader/midlevel/modality"))
    assert session.log[0][:2] == ("/moodfader/midlevel/modality", 6.0)
    listener.send(encode_message("/moodfader/midlevel/modality", 99.0))
    error, held = parse_datagram(listener.recv(timeout=120))
    assert error.address == "/moodfader/error"
    assert "out of range" in error.arguments[0]
    assert (held.address, held.arguments) == ("/moodfader/midlevel/modality", (6.0,))
    listener.send(encode_message("/moodfader/preset/load", "nothing"))
    assert "no preset" in received(listener)[1]
    assert received(listener) == ("/moodfader/preset/load", "")  # (what is held)
    listener.send(b"#bundle")
    assert received(listener)[0] == "/moodfader/error"


def test_a_listener_is_told_when_a_path_has_changed(listener, session):
    session.publish({"/moodfader/transport/tracks": 7})
    assert json.loads(listener.recv(timeout=120)) == {"COMMAND": "PATH_CHANGED", "DATA": "/moodfader/transport"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"COMMAND":"LISTEN","DATA":"/nowhere"}', '{"COMMAND":"LISTEN","DATA":[1]}']
)
def test_commands_that_are_none_are_answered(listener, text):
    listener.send(text)
    assert received(listener)[0] == "/moodfader/error"
    command(listener, "LISTEN", "/moodfader/wet")
    assert received(listener) == ("/moodfader/wet", 1.0)


def test_pages_of_strangers_may_not_connect(server, session):
    for origin in ("http://stranger.example", "null", "https://127.0.0.1.stranger.example"):
        with pytest.raises(InvalidStatus):
            connect(f"ws://127.0.0.1:{server.query_port}/", origin=origin)
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{server.query_port}/", additional_headers={"Host": "stranger.example"})
    assert session.log == []


def test_a_taken_port_is_one_line(server, session):
    with pytest.raises(InputError, match=r"in use.*Port 0 takes any free one"):
        WebServer(session, osc_port=1, query_port=server.query_port, announce=False)


def test_it_is_found_on_the_network(session):
    from zeroconf import ServiceBrowser, Zeroconf

    server = WebServer(session, osc_port=9123)
    try:
        if not server._announcement.done.wait(10) or not server._announcement.announced:
            pytest.skip("no multicast on the loopback interface")
        found, seen = {}, threading.Event()

        class Listener:
            def add_service(self, zeroconf, kind, name):
                info = zeroconf.get_service_info(kind, name)
                if info is None or info.port not in (server.query_port, 9123):
                    return  # (another one that plays on this machine)
                found[kind] = (info.port, info.parsed_addresses())
                if len(found) == 2:
                    seen.set()

            def update_service(self, *_):
                pass

            remove_service = update_service

        with Zeroconf(interfaces=["127.0.0.1"]) as zeroconf:
            ServiceBrowser(zeroconf, ["_oscjson._tcp.local.", "_osc._udp.local."], Listener())
            if not seen.wait(5):
                pytest.skip("multicast does not come back on the loopback interface")
        assert found["_oscjson._tcp.local."] == (server.query_port, ["127.0.0.1"])
        assert found["_osc._udp.local."] == (9123, ["127.0.0.1"])
    finally:
        server.close()
