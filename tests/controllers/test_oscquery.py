"""OSCQuery over real HTTP and multicast."""

import http.client
import json
import socket
import threading

import pytest
from moodfader.control.osc.oscquery import OscQueryServer, handle_request, host_info
from moodfader.control.session.parameters import PARAMETERS
from moodfader.models.common.errors import InputError


@pytest.fixture
def server(session):
    server = OscQueryServer(session, osc_port=9123, announce=False)
    yield server
    server.close()


def get(server, target, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
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
    assert (fader["TYPE"], fader["ACCESS"], fader["VALUE"], fader["UNIT"]) == ("f", 3, [0.0], ["dB"])
    assert found["/moodfader/emotion/sad"]["ACCESS"] == 1
    assert found["/moodfader/transport/pause"]["ACCESS"] == 2
    assert found["/moodfader/bypass"]["TYPE"] == "F"


def test_single_nodes_and_attributes(server, session):
    session.set("/moodfader/wet", 0.25)
    assert get(server, "/moodfader/wet?VALUE") == (200, {"VALUE": [0.25]})
    assert get(server, "/moodfader/wet")[1]["FULL_PATH"] == "/moodfader/wet"
    assert get(server, "/moodfader/bypass?RANGE") == (204, None)
    assert get(server, "/moodfader/bypass?NONSENSE") == (400, None)
    assert get(server, "/moodfader/../../etc/passwd") == (404, None)
    assert get(server, "/nowhere?HOST_INFO")[1] == host_info("127.0.0.1", 9123)


def test_the_host_says_where_osc_is(server):
    status, info = get(server, "/?HOST_INFO")
    assert status == 200
    assert (info["NAME"], info["OSC_IP"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == (
        "Moodfader",
        "127.0.0.1",
        9123,
        "UDP",
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_it_can_only_be_read(server, session, method):
    before = session.state()
    assert get(server, "/moodfader/wet", method)[0] == 501
    assert session.state() == before


@pytest.mark.parametrize("target", ["", "?", "//", "/%00", "/%ff", "/moodfader/wet/x", "http://[", "/" * 5000])
def test_any_target_has_an_answer(target, session):
    status, _ = handle_request(target, session.state(), {})
    assert status in (200, 400, 404)


def test_connections_that_say_nothing_do_not_stop_it(server, capfd):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
    try:
        for one in silent[8:]:  # those beyond the eight that are listened to are closed at once
            one.settimeout(1)
            assert one.recv(10) == b""
        silent[0].close()
        silent[1].sendall(b"\x16\x03nonsense\r\n\r\n")
        assert threading.active_count() < 30
        statuses = []
        for _ in range(40):
            try:
                statuses.append(get(server, "/?HOST_INFO")[0])
                break
            except (ConnectionError, http.client.HTTPException):
                threading.Event().wait(0.1)
        assert statuses == [200]
    finally:
        for one in silent:
            one.close()
    assert capfd.readouterr() == ("", "")


def test_a_taken_port_is_one_line(server, session):
    with pytest.raises(InputError, match=r"in use.*Port 0 takes any free one"):
        OscQueryServer(session, osc_port=1, port=server.port, announce=False)


def test_it_is_found_on_the_network(session):
    from zeroconf import ServiceBrowser, Zeroconf

    server = OscQueryServer(session, osc_port=9123)
    try:
        if not server._announcement.done.wait(10) or not server._announcement.announced:
            pytest.skip("no multicast on the loopback interface")
        found, seen = {}, threading.Event()

        class Listener:
            def add_service(self, zeroconf, kind, name):
                info = zeroconf.get_service_info(kind, name)
                if info is None or info.port not in (server.port, 9123):
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
        assert found["_oscjson._tcp.local."] == (server.port, ["127.0.0.1"])
        assert found["_osc._udp.local."] == (9123, ["127.0.0.1"])
    finally:
        server.close()
