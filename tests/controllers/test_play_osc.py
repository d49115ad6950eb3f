"""`moodfader play` with OSC programs as people have them, and the page of OSCQuery.

Nothing of the program is imported, so the same file runs against another installation (helpers/program.py).
"""

import http.client
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from helpers.osc_client import bundle, osc, padded
from helpers.playing_program import Play

FIXTURES = Path(__file__).parents[1] / "fixtures"
FADER = "/moodfader/midlevel/modality"
DISSONANCE = "/moodfader/midlevel/dissonance"

needs_liblo = pytest.mark.skipif(
    not (shutil.which("oscsend") and shutil.which("oscdump")), reason="liblo-tools are not installed"
)


@pytest.fixture(scope="module")
def playing(config):
    play = Play(config)
    yield play
    play.stop()


@pytest.fixture
def play(playing):
    playing.send(osc("/moodfader/zero"), osc("/moodfader/bypass", "i", 0))
    playing.answers()
    return playing


def test_a_trigger_of_the_type_that_oscquery_names_acts(play):
    connection = http.client.HTTPConnection("127.0.0.1", play.http, timeout=120)
    connection.request("GET", "/moodfader/zero?TYPE")
    assert b'"I"' in connection.getresponse().read()
    play.send(osc(FADER, "f", 5.0), (FIXTURES / "osc_trigger_as_advertised.bin").read_bytes())
    assert play.get(FADER) == 0.0
    play.send(osc(FADER, "f", 5.0), osc("/moodfader/zero", "N"))
    assert play.get(FADER) == 0.0


def test_a_message_without_type_tags_acts(play):
    play.send((FIXTURES / "osc_without_type_tags.bin").read_bytes())
    assert play.get(DISSONANCE) == 6.0
    play.send(padded("/moodfader/preset/load") + padded("dolce"))
    assert play.get("/moodfader/preset/load") == "dolce"
    play.send(padded(FADER) + b"abcdefgh")
    ((_, reason),) = [one for one in play.answers() if one[0].endswith("error")]
    assert reason.startswith(FADER)


def test_arrays_of_one_and_symbols_act(play):
    play.send(osc(FADER, "[f]", 3.0), osc("/moodfader/preset/load", "S", "dolce"))
    assert play.get("/moodfader/preset/load") == "dolce"
    play.send(osc(FADER, "[f]", 3.0))
    assert play.get(FADER) == 3.0


def test_a_colour_is_refused_by_its_name(play):
    play.send(osc(FADER, "r", 255))
    reasons = dict(play.answers())
    assert "colour" in reasons["/moodfader/error"]


def test_one_message_that_is_not_understood_does_not_stop_the_others_of_its_bundle(play):
    bad = padded("/moodfader/delta") + padded(",x")
    play.send(bundle(osc(FADER, "f", 2.0), bad, osc(DISSONANCE, "f", -2.0)))
    answers = dict(play.answers())
    assert answers["/moodfader/error"].startswith("/moodfader/delta: ")
    assert (play.get(FADER), play.get(DISSONANCE)) == (2.0, -2.0)


def listener():
    """A socket as a program has it that listens on another port than it sends from."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


def test_a_client_that_listens_on_another_port_is_told_there(play):
    with listener() as listens, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sends:
        sends.connect(("127.0.0.1", play.port))
        sends.send(osc("/moodfader/subscribe", "fi", 50.0, listens.getsockname()[1]))
        assert play.told(FADER, listens) == 0.0
        play.send(osc(FADER, "f", 4.0))
        assert play.told(FADER, listens) == 4.0
        sends.send(osc(FADER, "f", 99.0))
        assert play.told(FADER, listens) == 4.0
        sends.send(osc("/moodfader/unsubscribe"))


@needs_liblo
def test_oscdump_hears_what_oscsend_asks_for_it(play):
    with listener() as probe:
        port = probe.getsockname()[1]
    dump = subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        ask = ["oscsend", "localhost", str(play.port), "/moodfader/subscribe", "fi", "50", str(port)]
        heard = threading.Event()

        def read_lines():
            for line in dump.stdout:
                if FADER in line:
                    heard.set()

        threading.Thread(target=read_lines, daemon=True).start()
        for _ in range(120):  # (it may not listen yet)
            subprocess.run(ask, check=True, timeout=60)
            if heard.wait(0.5):
                break
        assert heard.is_set()
    finally:
        dump.kill()
        dump.wait()


def test_all_clients_are_told_on_the_reply_port(config):
    with listener() as listens:
        play = Play(config, "--reply-port", str(listens.getsockname()[1]))
        try:
            play.send(osc(FADER))
            assert play.told(FADER, listens) == 0.0
        finally:
            play.stop()


def test_localhost_can_be_listened_on(config):
    play = Play(config, "--bind", "localhost")
    try:
        assert play.get(FADER) == 0.0
    finally:
        play.stop()  # (ends with the announcement on the network, whose faults were told by then)
    assert not [line for line in play.notes if "Traceback" in line]


def test_a_subscriber_can_have_values_from_0_to_1(play):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", play.port))
        client.send(osc("/moodfader/subscribe/norm", "f", 50.0))
        assert play.told(FADER + "/norm", client) == 0.5
        play.send(osc(FADER, "f", 6.0))
        assert play.told(FADER + "/norm", client) == 0.75
        client.send(osc("/moodfader/unsubscribe"))


def test_a_fader_that_was_moved_too_far_is_sent_back(play):
    play.send(osc(FADER, "f", 3.0), osc(FADER, "f", 40.0))
    answers = dict(play.answers())
    assert answers[FADER] == 3.0
    assert "out of range" in answers["/moodfader/error"]


def test_the_error_of_a_broken_preset_names_no_folder(play, config):
    play.send(osc("/moodfader/preset/load", "s", "broken"))
    reason = dict(play.answers())["/moodfader/error"]
    assert "broken.toml" in reason
    assert str(config) not in reason


def test_a_page_of_a_stranger_reads_nothing(play):
    statuses = {}
    for host in ("rebound.example:80", "127.0.0.1", "localhost", "[::1]:9000"):
        connection = http.client.HTTPConnection("127.0.0.1", play.http, timeout=120)
        connection.request("GET", "/?HOST_INFO", headers={"Host": host})
        statuses[host] = connection.getresponse().status
        connection.close()
    assert statuses == {"rebound.example:80": 403, "127.0.0.1": 200, "localhost": 200, "[::1]:9000": 200}


def test_an_address_of_another_machine_is_not_blamed_on_another_instance(config):
    with pytest.raises(RuntimeError, match="no network interface") as caught:
        Play(config, "--bind", "1.2.3.4")
    assert "another Moodfader" not in str(caught.value)
