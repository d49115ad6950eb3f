"""`moodfader play` and `midi learn` with MIDI controllers over JACK.

Nothing of the program is imported, so the same file runs against another installation (helpers/program.py).
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.midi_cable import PATIENT_SERVER
from helpers.osc_client import osc
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
