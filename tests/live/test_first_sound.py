"""The first sound of `play` does not wait for what it does not need: modules, the session, the rest of the file."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
from helpers import jack_server
from helpers.waiting import until
from moodfader.control.cli import run
from moodfader.engine.devices.jack_backend import JackOutput
from moodfader.engine.processes.ring_buffer import RingBuffer

RATE = 44100
START = [sys.executable, "-m", "moodfader.control.start"]
FORBIDDEN = {
    *("torch", "scipy", "pydantic", "rich", "textual", "starlette", "uvicorn", "zeroconf", "platformdirs", "av"),
    *("importlib.metadata", "multiprocessing.shared_memory", "moodfader.control.session.session"),
    *("moodfader.control.osc.server", "moodfader.control.web.server", "moodfader.control.session.presets"),
}
AT_THE_FIRST_SOUND = """
import sys
from moodfader.control.session.early_player import EarlyPlayer
def first_sound(self, longest_s):
    self._thread.join()
    print(*self.controls.items(), *sorted(sys.modules), sep="\\n", flush=True)
    raise SystemExit(0)
EarlyPlayer.wait_for_sound = first_sound
from moodfader.control.start import main
main()
"""


@pytest.fixture
def song(tmp_path):
    """Three seconds that sound from the first sample on."""
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 + 0.05 * np.random.default_rng(0).uniform(-1, 1, (3 * RATE, 2)), RATE, subtype="FLOAT")
    return path


def modules_after(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


def test_what_is_not_needed_is_not_imported_before_it(song):
    arguments = "play", song, "--backend", "null", "--osc-port", "0", "--web", "--web-port", "0", "--quiet"
    said = modules_after(AT_THE_FIRST_SOUND, *arguments, "--set", "dissonance=6")
    assert not FORBIDDEN & said
    assert {"numpy", "soundfile", "moodfader.engine.live.player"} <= said
    assert {"('/moodfader/midlevel/dissonance', 6.0)", "('/moodfader/transport/play', True)"} <= said


@pytest.mark.parametrize(
    ("module", "without"),
    [("engine.live.render_process", FORBIDDEN), ("engine.devices.jack_client", {*FORBIDDEN, "numpy", "soundfile"})],
)
def test_the_processes_of_the_sound_import_little(module, without):
    said = modules_after(f"import sys; import moodfader.{module}; print(*sys.modules, sep='\\n')")
    assert f"moodfader.{module}" in said
    assert not without & said


@pytest.fixture
def told(monkeypatch):
    """What players are told, and "session" where one is made."""
    told = []

    class Player:
        sample_rate, channels, block_length, samples_played = RATE, 2, 512, 1

        def __init__(self, *_, **__):
            pass

        def set(self, address, value):
            told.append((address.removeprefix("/moodfader/"), value))

        def meters(self):
            from moodfader.engine.processes.messages import PlayerMeters

            return PlayerMeters(0, 3.0, 3.0, False, True, 0.0, 0.0, 0, 0, 0, 0.0)

        def close(self, *, fade_s=0.0):
            pass

    class Session(import_session()):
        def __init__(self, **arguments):
            told.append("session")
            super().__init__(**arguments)

    monkeypatch.setattr("moodfader.control.session.early_player.Player", Player)
    monkeypatch.setattr("moodfader.control.live_commands.running_show.Session", Session)
    return told


def import_session():
    from moodfader.control.session.session import Session

    return Session


FADER, PLAY = ("midlevel/modality", -3.0), ("transport/play", True)


def test_it_sounds_before_there_is_a_session_and_is_told_once(song, told):
    assert run(["play", str(song), "--backend", "null", "--no-osc", "--quiet", "--set", "modality=-3"]) == 0
    assert told == [FADER, PLAY, "session"]


@pytest.mark.parametrize("how", ["record", "paused", "set list"])
def test_what_needs_the_session_waits_for_it(how, song, told, tmp_path):
    arguments = ["play", str(song), "--backend", "null", "--no-osc", "--quiet", "--set", "modality=-3"]
    if how == "record":
        arguments += ["--record", str(tmp_path / "kept.jsonl")]
    elif how == "paused":
        arguments += ["--paused"]
    else:
        lines = ['format = "moodfader set list"', "version = 1", "[[track]]", 'file = "song.wav"', 'preset = "dolce"']
        (tmp_path / "list.toml").write_text("\n".join(lines))
        arguments[1] = str(tmp_path / "list.toml")
    assert run(arguments) == 0
    assert told[0] == "session"
    assert FADER in told
    assert (PLAY in told) is (how != "paused")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "sadness=3"], "sadness"),
        (["--set", "modality=40"], "40"),
        (["--bind", "1.2.3.4"], "1.2.3.4"),
        (["--web", "--web-port", "70000"], "70000"),
        (["--backend", "tape"], "tape"),
    ],
)
def test_a_mistake_is_one_line_before_any_sound(arguments, said, song, told, capsys):
    assert run(["play", str(song), "--backend", "null", "--osc-port", "0", *arguments]) == 2
    assert told == []
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert said in error


def test_a_file_that_is_damaged_after_its_first_seconds_sounds_until_there(tmp_path):
    path = tmp_path / "damaged.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(1).uniform(-1, 1, (20 * RATE, 2)), RATE)
    content = bytearray(path.read_bytes())
    begin = len(content) // 2
    content[begin : begin + 300_000] = bytes(300_000)
    path.write_bytes(content)
    command = [*START, "play", str(path), "--backend", "null", "--no-osc", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    notes, positions = [], []
    readers = [
        threading.Thread(target=lambda: notes.extend(process.stderr), daemon=True),
        threading.Thread(
            target=lambda: positions.extend(json.loads(line)["position_s"] for line in process.stdout), daemon=True
        ),
    ]
    for reader in readers:
        reader.start()
    try:
        until(lambda: any(position > 0 for position in positions))
        until(lambda: any("damaged.flac" in line for line in notes))
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(120)
    assert process.returncode == 0


class Port:
    """An output port of a client that is none of a server's."""

    def __init__(self, client, name):
        self.client, self.name, self.heard = client, name, np.zeros(client.blocksize, np.float32)

    def get_array(self):
        return self.heard

    def connect(self, speaker):
        self.client.connections.append((self.name, speaker))

    def unregister(self):
        self.client.outports.remove(self)


class Ports(list):
    def register(self, name):
        self.append(Port(self.client, name))
        return self[-1]


class Client:
    """A JACK client whose cycles are called by the test."""

    samplerate, blocksize = RATE, 256

    def __init__(self):
        self.outports, self.connections, self.is_active = Ports(), [], False
        self.outports.client = self

    def __getattr__(self, name):
        assert name.startswith("set_")
        return lambda callback: setattr(self, name.removeprefix("set_"), callback)

    def activate(self):
        self.is_active = True

    def get_ports(self, **_):
        return ["speaker 1", "speaker 2"]

    def cycle(self):
        self.process_callback(self.blocksize)
        return np.stack([port.heard for port in self.outports], axis=1)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_a_client_that_was_prepared_is_silent_and_then_plays_every_sample(channels):
    client = Client()
    output = JackOutput(client)
    output.start(2)
    assert client.is_active
    assert not any(client.cycle().any() for _ in range(3))
    ring = RingBuffer(channels)
    sound = np.random.default_rng(0).uniform(0.1, 1, (8 * 256, channels)).astype(np.float32)
    ring.write(sound)
    output.start(channels)
    assert [port.name for port in client.outports] == [f"output_{number + 1}" for number in range(channels)]
    assert client.connections == [("output_1", "speaker 1"), ("output_2", "speaker 2")]
    output.play(ring)
    assert ring.block_length == 256
    # (with other ports the cycle that runs when they are connected may still go without them)
    waited = 0 if channels == 2 else 1
    assert not any(client.cycle().any() for _ in range(waited))
    heard = np.concatenate([client.cycle() for _ in range(8)])
    np.testing.assert_array_equal(heard, sound)
    ring.close()


@pytest.mark.skipif(bool(jack_server.missing()), reason=jack_server.missing() or "there")
@pytest.mark.parametrize("channels", [2, 1, 4])
def test_over_jack_it_plays_with_as_many_channels_as_it_should(channels, song, tmp_path, monkeypatch):
    server = jack_server.Server(synchronous=True)  # (whoever is late on a loaded machine is waited for)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    if channels == 1:
        soundfile.write(song, soundfile.read(song)[0][:, :1], RATE, subtype="FLOAT")
    tape = tmp_path / "tape"
    recorder = server.recorder(tape) if channels > 1 else None
    try:
        command = [*START, "play", str(song), "--backend", "jack", "--no-osc", "--quiet", "--channels", str(channels)]
        process = subprocess.Popen(command)
        ports = {f"moodfader:output_{number + 1}" for number in range(channels)}
        until(lambda: {port for port in server.ports() or [] if port.startswith("moodfader:")} == ports)
        assert process.wait(120) == 0  # (it ends with the track)
        until(lambda: not any(port.startswith("moodfader:") for port in server.ports()))
    finally:
        if recorder is not None:
            recorder.terminate()
            recorder.wait()
        server.stop()
    if recorder is None:
        return
    # The recorder connects to one port after the other: what it heard of each goes to the last sample of the track.
    original = soundfile.read(song, dtype="float32")[0]
    for channel, heard in enumerate(jack_server.Tape(tape).samples.T):
        first, last = np.flatnonzero(heard)[[0, -1]]
        assert last - first > RATE
        np.testing.assert_array_equal(heard[first : last + 1], original[first - last - 1 :, channel])


@pytest.mark.skipif(bool(jack_server.missing()), reason=jack_server.missing() or "there")
def test_a_command_with_a_mistake_leaves_nothing_at_the_server(tmp_path, monkeypatch):
    server = jack_server.Server()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    try:
        command = [*START, "play", "none.wav"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        until(lambda: not any(port.startswith("moodfader") for port in server.ports()))
    finally:
        server.stop()
