"""`moodfader play` with controllers as people have them: OSC programs, MIDI over JACK.

Nothing of the program is imported, so the same file runs against another installation (helpers/program.py).
"""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.midi_cable import PATIENT_SERVER
from helpers.osc_client import bundle, osc, padded
from helpers.playing_program import Play
from helpers.program import PROGRAM
from helpers.waiting import until

FIXTURES = Path(__file__).parents[1] / "fixtures"
FADER = "/moodfader/midlevel/modality"
DISSONANCE = "/moodfader/midlevel/dissonance"
SENDER = """
import sys, mido
mido.set_backend("mido.backends.rtmidi/UNIX_JACK")
with mido.open_output("pads", virtual=True) as out:
    print("ready", flush=True)
    for line in sys.stdin:
        for message in mido.parse_all(bytes.fromhex(line)):
            out.send(message)
"""
MAPPING = f"""
[[control]]
address = "{FADER}"
channel = 1
number = 1
mode = "14bit"
[[control]]
address = "{DISSONANCE}"
channel = 1
number = 9
"""
PADS = """
[[control]]
address = "/moodfader/preset/load"
channel = 10
number = 36
message = "note"
value = "dolce"
[[control]]
address = "/moodfader/bypass"
channel = 1
number = 5
message = "program"
"""
needs_liblo = pytest.mark.skipif(
    not (shutil.which("oscsend") and shutil.which("oscdump")), reason="liblo-tools are not installed"
)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controllers")
    (folder / "presets").mkdir()
    (folder / "presets" / "broken.toml").write_text("gains_db = [")
    sound = 0.1 * np.random.default_rng(0).uniform(-1, 1, 2 * 22050)  # (short: `play` analyses it meanwhile)
    soundfile.write(folder / "song.wav", sound, 22050)
    return folder


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


@pytest.fixture(scope="module")
def jack():
    """A JACK server with a MIDI output "pads", into which hexadecimal bytes can be written."""
    absent = [tool for tool in ("jackd", "jack_lsp") if shutil.which(tool) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)} (Debian: jackd2)")
    pytest.importorskip("rtmidi", reason="python-rtmidi, the other end of the cable, is not installed")
    name = f"mfc{os.getpid()}"
    env = {
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_AUDIO_RESERVATION": "1",
        "MIDO_BACKEND": "mido.backends.rtmidi/UNIX_JACK",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([*PATIENT_SERVER, "-n", name, "-d", "dummy", "-r", "44100", "-p", "512"], **quiet)
    try:
        for _ in range(100):
            if subprocess.run(["jack_lsp"], env=os.environ | env, check=False, capture_output=True).stdout:
                break
            time.sleep(0.1)
        else:
            pytest.skip("jackd does not start")
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER],
            env=os.environ | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert sender.stdout.readline().strip() == "ready"
        yield env, sender
        sender.terminate()
        sender.wait()
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def midi(jack, config):
    env, sender = jack
    (config / "midi.toml").write_text(MAPPING)
    play = Play(config, "--midi", "pads", env=env)
    yield play, lambda *lines: (sender.stdin.write("\n".join(lines) + "\n"), sender.stdin.flush())
    play.stop()


def test_a_14_bit_fader_that_sends_only_the_coarse_byte_moves(midi):
    play, send = midi
    data = (FIXTURES / "midi_14bit_coarse_only.bin").read_bytes().hex()
    send("b00140", "b02100")
    assert play.comes_to(FADER, 0.0)
    send(data)
    assert play.comes_to(FADER, 24 * 46 / 126), (play.get(FADER), play.notes)


def test_the_exact_middle_of_14_bits_is_0_db(midi):
    play, send = midi
    send("b00140", "b02100", "b00150", "b02100")
    play.until(lambda play: play.get(FADER) != 0.0)
    send("b00140", "b02110", "b00140", "b02100")
    play.until(lambda play: play.get(FADER) == 0.0)


def test_a_midi_fader_does_not_jump_after_a_preset(midi):
    play, send = midi
    send("b00940")
    assert play.comes_to(DISSONANCE, 0.0)
    play.send(osc(DISSONANCE, "f", -9.0), osc(FADER, "f", 0.0))
    send("b00960", "b00140", "b02100", "b00150", "b02100")
    play.until(lambda play: play.get(FADER) != 0.0)  # (so the one before has come, too)
    assert play.get(DISSONANCE) == -9.0
    send("b00901")  # crosses it
    assert play.comes_to(DISSONANCE, -12 + 24 / 128)


def test_pads_and_program_changes_steer(jack, config):
    env, sender = jack
    (config / "midi.toml").write_text(PADS)
    play = Play(config, "--midi", "pads", env=env)

    def pressed(message):
        sender.stdin.write(message + "\n")
        sender.stdin.flush()
        return True

    try:
        # What is sent before the server has switched to the new connection is lost: press again, as a person would
        for message, address, value in (
            ("992450\n892400", "/moodfader/preset/load", "dolce"),
            ("c005", "/moodfader/bypass", 1),
        ):
            until(lambda sent=message, wanted=(address, value): pressed(sent) and play.comes_to(*wanted, 5))
    finally:
        play.stop()
        (config / "midi.toml").unlink()


def test_an_encoder_that_accelerates_is_learned_as_one(jack, config):
    env, sender = jack
    command = [*PROGRAM, "midi", "learn", FADER, "--port", "pads"]
    environment = os.environ | env | {"MOODFADER_CONFIG": str(config)}
    (config / "midi.toml").unlink(missing_ok=True)
    steps = [1, 1, 1, 2, 4, 7, 7, 5, 2, 1, 1, 1, -1, -1, -1, -2, -5, -8, -6, -3, -1, -1]

    def learned():
        """What it says; nothing where all was sent before the server had switched to the new connection."""
        learn = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert "move the control" in learn.stderr.readline()  # (it listens)
            sender.stdin.write("".join(f"b014{step % 128:02x}\n" for step in steps))
            sender.stdin.flush()
            return learn.communicate(timeout=120)[0].split()
        finally:
            learn.kill()
            learn.wait()

    assert until(learned) == [FADER, "channel", "1", "number", "20", "twos"]
