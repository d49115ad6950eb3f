"""The server over real sockets: with an independent client, under floods, with clients that never leave."""

import contextlib
import gc
import random
import resource
import shutil
import socket
import subprocess
import threading
import time
import tracemalloc

import pytest
from helpers.osc_fuzz import mutated
from helpers.waiting import PATIENCE_S, until
from moodfader.control.osc.packets import encode_message, parse_datagram
from moodfader.control.osc.server import OscServer
from moodfader.control.osc.subscriptions import MAX_CLIENTS
from moodfader.models.common.errors import InputError

FADER = "/moodfader/midlevel/modality"
needs_liblo = pytest.mark.skipif(
    not (shutil.which("oscsend") and shutil.which("oscdump")), reason="liblo-tools are not installed"
)


@pytest.fixture
def server(session):
    server = OscServer(session, port=0)
    yield server
    server.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "osc"]


@pytest.fixture
def client(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.connect(("127.0.0.1", server.port))
        client.settimeout(PATIENCE_S)
        yield client


def told(client, complete):
    """Receive messages until the values by their addresses are complete; those values."""
    client.settimeout(PATIENCE_S)
    values = {}
    while not complete(values):
        values |= {message.address: message.arguments[0] for message in parse_datagram(client.recv(65536))}
    return values


def test_set_and_ask(server, session, client):
    client.send(encode_message(FADER, 3.5))
    client.send(encode_message(FADER))
    ((message),) = parse_datagram(client.recv(65536))
    assert (message.address, message.arguments) == (FADER, (3.5,))
    assert session.log == [(FADER, 3.5, f"osc 127.0.0.1:{client.getsockname()[1]}")]


def test_malformed_datagrams_are_answered_with_a_reason(server, client):
    client.send(b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc")
    (message,) = parse_datagram(client.recv(65536))
    assert message.address == "/moodfader/error"
    assert "-4 bytes" in message.arguments[0]


def test_a_subscriber_hears_the_state_then_changes_and_meters(server, session, client):
    client.send(encode_message("/moodfader/subscribe", 50.0))
    known = {address for address, value in session.state().items() if value is not None}
    state = told(client, lambda values: len(values) >= len(known))
    assert state.keys() == known
    assert server.clients() == (f"127.0.0.1:{client.getsockname()[1]}",)
    session.set("/moodfader/bypass", True)
    session.publish({"/moodfader/meter/dropouts": 3, "/moodfader/emotion/sad": 0.25})
    news = told(client, lambda values: len(values) >= 3)
    assert news == {"/moodfader/bypass": 1, "/moodfader/meter/dropouts": 3, "/moodfader/emotion/sad": 0.25}
    client.send(encode_message("/moodfader/unsubscribe"))
    until(lambda: server.clients() == ())
    session.set("/moodfader/bypass", False)
    client.send(encode_message(FADER))
    assert told(client, lambda values: FADER in values).keys() == {FADER}, "nothing else is told any more"


def test_the_rate_is_the_clients_own(server, session, client):
    begun = time.monotonic()
    client.send(encode_message("/moodfader/subscribe", 10.0))
    known = [value for value in session.state().values() if value is not None]
    told(client, lambda values: len(values) >= len(known))
    for step in range(1, 6):
        for part in range(10):  # (of which one is told)
            session.publish({"/moodfader/meter/load": step + part / 10})
        told(client, lambda values, step=step: values.get("/moodfader/meter/load", 0) >= step)
    assert time.monotonic() - begun > 0.45, "ten a second, and no more, however slow the machine is"


def test_a_port_that_is_taken_is_one_line(server, session):
    with pytest.raises(InputError, match=f"127.0.0.1:{server.port}.*in use"):
        OscServer(session, port=server.port)
    with pytest.raises(InputError, match=r"nowhere\.invalid"):
        OscServer(session, host="nowhere.invalid", port=0)
    with pytest.raises(InputError, match=r"1\.2\.3\.4.*no network interface"):
        OscServer(session, host="1.2.3.4", port=0)


def test_other_addresses_of_this_machine(session):
    for host, family in (("0.0.0.0", socket.AF_INET), ("::1", socket.AF_INET6)):
        try:
            server = OscServer(session, host=host, port=0)
        except InputError:
            assert family == socket.AF_INET6  # there are machines without it
            continue
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE_S)
            client.sendto(encode_message(FADER), ("127.0.0.1" if host == "0.0.0.0" else host, server.port))
            assert parse_datagram(client.recv(65536))[0].address == FADER
        server.close()


def test_it_listens_on_this_machine_only(server):
    assert server.host == "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in addresses:
            if not address.startswith("127."):
                outside.sendto(encode_message(FADER), (address, server.port))
                outside.settimeout(0.2)
                with pytest.raises((TimeoutError, ConnectionError)):
                    outside.recv(100)


@needs_liblo
def test_liblo_sends(server, session):
    def send(*words):
        subprocess.run(["oscsend", "localhost", str(server.port), *words], check=True, timeout=120)

    send(FADER, "f", "-2.5")
    send("/moodfader/wet/norm", "d", "0.25")
    send("/moodfader/midlevel/rhythmic_*", "i", "3")
    send("/moodfader/bypass", "T")
    send("/moodfader/preset/load", "s", "dolce")
    send("/moodfader/transport/pause")
    wanted = {
        FADER: -2.5,
        "/moodfader/wet": 0.25,
        "/moodfader/midlevel/rhythmic_complexity": 3.0,
        "/moodfader/midlevel/rhythmic_stability": 3.0,
        "/moodfader/bypass": True,
        "/moodfader/preset/load": "dolce",
        "/moodfader/transport/pause": True,
    }
    until(lambda: {address: value for address, value, _ in session.log} == wanted)


@needs_liblo
def test_liblo_listens(server, session):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        first.sendto(encode_message("/moodfader/subscribe", 50.0), ("127.0.0.1", server.port))  # oscdump cannot ask
        until(server.clients)
        assert told(first, lambda values: len(values) > 20)
    dump = subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: _is_bound(port))
        lines = iter(dump.stdout.readline, "")
        session.set(FADER, -2.5)
        session.publish({"/moodfader/meter/dropouts": 4})
        session.set("/moodfader/bypass", True)
        session.set("/moodfader/wet", 0.25)
        heard = {}
        for line in lines:
            words = line.split()
            heard[words[-3]] = tuple(words[-2:])
            if len(heard) == 4:
                break
        assert heard == {
            FADER: ("f", "-2.500000"),
            "/moodfader/meter/dropouts": ("i", "4"),
            "/moodfader/bypass": ("i", "1"),
            "/moodfader/wet": ("f", "0.250000"),
        }
    finally:
        dump.kill()
        dump.wait()


def _is_bound(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False


def test_a_flood_then_a_message(server, session, client):
    """100,000 messages as fast as they can be sent: memory stays flat, the next one acts."""
    datagrams = [encode_message(f"/moodfader/midlevel/{name}", 1.0) for name in ("modality", "dissonance")]
    datagrams += [encode_message("/moodfader/nowhere"), b"nonsense", encode_message("/moodfader/*/*")]
    for datagram in datagrams * 1000:  # to warm up: caches fill, buffers are made
        client.send(datagram)
    assert_acts(session, client, -3.0)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(20_000):
        for datagram in datagrams:
            with contextlib.suppress(BlockingIOError):
                client.send(datagram, socket.MSG_DONTWAIT)
    assert_acts(session, client, 4.25)
    session.log.clear()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 200_000


def assert_acts(session, client, value):
    """Send one more value until it arrives (a full socket buffer drops it)."""

    def arrives():
        client.send(encode_message(FADER, value))
        return session.get(FADER) == value

    until(arrives, step_s=0.1)


def test_two_hundred_clients_that_never_renew(server, session, client):
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(200)]
    try:
        for other in others:
            other.connect(("127.0.0.1", server.port))
            other.send(encode_message("/moodfader/subscribe", 60.0))
            time.sleep(0.001)
        until(lambda: len(server.clients()) == MAX_CLIENTS)
        assert_acts(session, client, 4.25)
        last = others[-1]
        assert told(last, lambda values: FADER in values)
    finally:
        for other in others:
            other.close()  # the server goes on sending to them: nobody is there
    session.publish({"/moodfader/meter/load": 0.5})
    assert_acts(session, client, -4.25)


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_fuzzed_datagrams_do_not_stop_the_server(session, count):
    """No fault of the program, no thread that ends, no memory that stays; what comes after them acts."""
    faults = []
    server = OscServer(session, port=0, note=faults.append)
    chance = random.Random(8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", server.port))
        for number in range(count):
            with contextlib.suppress(OSError):  # (a client that was told on a port where nobody is)
                client.send(mutated(chance))
            if number % 100 == 99:  # so that none is lost in the backlog
                assert_acts(session, client, number % 7)
    server.close()
    assert faults == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # KiB
