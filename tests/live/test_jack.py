"""Playing over a real JACK server (dummy driver): what is recorded there, and what happens when it dies."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers import jack_server as jack
from helpers import performance_compare
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.engine.analysis.cache import analyze
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.events import ControlEvent
from moodfader.engine.performance.performance import render_events

pytestmark = pytest.mark.skipif(bool(jack.missing()), reason=jack.missing())
RATE = 44100


@pytest.fixture
def server(monkeypatch):
    try:
        server = jack.Server(rate=RATE, block=512)
    except RuntimeError as error:
        pytest.skip(str(error))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    rng = np.random.default_rng(3)
    seconds = np.arange(12 * RATE) / RATE
    sound = 0.2 * np.sin(2 * np.pi * 220 * seconds) + 0.05 * rng.standard_normal(len(seconds))
    soundfile.write(path, np.stack([sound, 0.8 * sound[::-1]], axis=1), RATE, subtype="FLOAT")
    return path


def play_on(session, seconds):
    """Wait until the position is so much further, however long the machine takes."""
    begun = session.get(f"{ROOT}/transport/position")
    until(lambda: session.get(f"{ROOT}/transport/position") > begun + seconds)


@pytest.mark.parametrize("backend", ["jack", "pyo"])
def test_the_recording_at_jacks_outputs_is_the_render_of_the_automation(
    backend, server, file, random_model, tmp_path
):
    """Sample for sample. Where this machine made drop-outs, they are told, and are all that differs."""
    analysis = analyze(load_track(file), model=random_model, settings=AnalysisSettings(passes=64, coupled=True))
    kept = tmp_path / "kept.jsonl"
    options = PlayerOptions(backend=backend, model=random_model.path, analysis={"passes": 64, "coupled": True})
    session = Session.play([file], options, record=AutomationWriter(kept))
    try:
        until(lambda: session.get(f"{ROOT}/emotion/happy") is not None)
        recorder = server.recorder(tmp_path / "tape")
        assert recorder.stdout.readline().strip() == "connected"
        session.set(f"{ROOT}/transport/play", True)
        session.set(f"{ROOT}/midlevel/modality", 9.0)
        play_on(session, 1.3)
        session.set(f"{ROOT}/transport/seek", 5.0)
        for decibels in range(-12, 13):
            session.set(f"{ROOT}/midlevel/articulation", decibels)
            time.sleep(0.02)
        session.set(f"{ROOT}/transport/pause", 1)
        time.sleep(0.2)
        session.set(f"{ROOT}/transport/play", True)
        session.set(f"{ROOT}/match_loudness", True)
        session.set(f"{ROOT}/wet", 0.4)
        play_on(session, 1.3)
        session.set(f"{ROOT}/master", -6.0)
        play_on(session, 1.3)
        session.set(f"{ROOT}/transport/pause", 1)
        until(lambda: not session.meters.playing)
        time.sleep(0.5)  # (what was rendered before is heard, and what is lost of it counted)
        last = session.meters
        until(lambda: session.meters is not last)
        dropouts, late = session.get(f"{ROOT}/meter/dropouts"), session.get(f"{ROOT}/meter/late")
    finally:
        session.close()
    recorder.terminate()
    recorder.wait(60)
    history = read_automation(kept)
    assert ControlEvent(history.changes[0].at, f"{ROOT}/track/ready", 0) == history.changes[0]
    known = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=RATE)
    found = performance_compare.compare(
        history, [file], [known], jack.Tape(tmp_path / "tape"), probe=f"{ROOT}/master"
    )
    assert found.compared > 3 * RATE
    assert not [what for _, what in found.breaks if "differently" in what]
    assert bool(found.breaks) <= bool(dropouts or late)
    assert found.onsets[-6.0] > 0


def test_an_independent_recorder_hears_the_same(server, file, tmp_path):
    """jack_rec, which keeps 32-bit whole numbers: the render rounded in the same way.

    It may itself be late on a busy machine, which JACK does not tell: one recording of three must be whole.
    """
    for number in range(3):
        heard, expected = recorded_and_expected(server, file, tmp_path / f"take{number}")
        if np.array_equal(heard, expected):
            break
    np.testing.assert_array_equal(heard, expected)


def recorded_and_expected(server, file, folder):
    """What jack_rec heard of the first seconds, and the render of the automation, from the first sound on."""
    folder.mkdir()
    kept = folder / "kept.jsonl"
    session = Session.play([file], PlayerOptions(backend="jack"), record=AutomationWriter(kept))
    try:
        recorder = server.record(folder / "heard.wav", 3)
        session.set(f"{ROOT}/master", -6.0)
        session.set(f"{ROOT}/transport/play", True)
        recorder.wait(60)
        disturbed = session.get(f"{ROOT}/meter/dropouts") or session.get(f"{ROOT}/meter/late")
    finally:
        session.close()
    if disturbed:
        pytest.skip("drop-outs: this machine is too busy just now to compare whole recordings")
    history = read_automation(kept)
    sound = SampleBuffer.from_file(file, sample_rate=RATE, channels=2)
    sound.load()
    expected = np.concatenate(list(render_events([sound], [None], history.changes, samples=history.samples)))
    soundfile.write(folder / "expected.wav", expected, RATE, subtype="PCM_32")
    heard, expected = (
        soundfile.read(path, dtype="int32")[0] for path in (folder / "heard.wav", folder / "expected.wav")
    )
    begin, came = (int(np.flatnonzero(sound.any(axis=1))[0]) for sound in (expected, heard))
    count = min(len(heard) - came, len(expected) - begin)
    assert count > RATE
    return heard[came : came + count], expected[begin : begin + count]


@pytest.mark.slow
def test_a_short_run_under_load_is_measured(file):
    """What `make bench-live` does for half an hour; how good the figures are is not asked of a busy machine."""
    bench = Path(__file__).parents[1] / "benchmarks" / "bench_live.py"
    command = [sys.executable, str(bench), "--minutes", "0.1", "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    names, _, values = done.stdout.splitlines()[-3:]
    row = dict(zip(*([cell.strip() for cell in line.strip("|").split("|")] for line in (names, values)), strict=True))
    assert row["block"] == "512"
    assert int(row["probes"].split(" of ")[0]) >= 5
    assert 10 < float(row["median ms"]) < 1000
    assert int(row["discontinuities"]) <= int(row["drop-outs"]) + int(row["JACK late"])


def test_when_jack_dies_the_recording_is_whole_and_when_it_is_back_the_music_goes_on(server, file, tmp_path):
    kept, said = tmp_path / "kept.jsonl", []
    session = Session.play([file], PlayerOptions(backend="jack"), record=AutomationWriter(kept), note=said.append)
    try:
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/transport/position") > 0.5)
        server.kill()
        until(lambda: any("gone" in line for line in said))
        assert read_automation(kept).changes[0].address == f"{ROOT}/transport/play"
        stood = session.get(f"{ROOT}/transport/position")
        server.start()
        until(lambda: any("back" in line for line in said))
        until(lambda: session.get(f"{ROOT}/transport/position") > stood + 0.5)
    finally:
        session.close()
    assert read_automation(kept).samples > 0


def test_a_server_that_is_back_at_another_rate_is_waited_for_until_it_has_its_rate_again(server, file):
    said = []
    session = Session.play([file], PlayerOptions(backend="jack"), note=said.append)
    try:
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/transport/position") > 0.5)
        for rate, words in (
            (48000, f"back at 48000 Hz: the show goes on when it is set to {RATE} Hz"),
            (RATE, "is back"),
        ):
            server.kill()
            server.arguments[server.arguments.index("-d") + 3] = str(rate)
            server.start()
            until(lambda words=words: any(line.endswith(words) or words in line for line in said))
        until(lambda: session.get(f"{ROOT}/state/output") == "running")
        play_on(session, 0.5)
    finally:
        session.close()


LISTENER = """
import jack, time
client = jack.Client("listener", no_start_server=True)
for number in (1, 2):
    client.inports.register(f"in_{number}")
client.activate()
print("ready", flush=True)
time.sleep(600)
"""


def listener(server):
    """Another JACK client, which connects nothing by itself."""
    client = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    server.recorders.append(client)  # (ends with the server)
    assert client.stdout.readline() == "ready\n"
    return client


def connected():
    """The connections of our outputs, by their names."""
    lines = subprocess.run(["jack_lsp", "-c"], capture_output=True, text=True, check=False).stdout.splitlines()
    found, port = {}, ""
    for line in lines:
        if line.startswith(" "):
            found.setdefault(port, set()).add(line.strip())
        else:
            port = line
    return {name: others for name, others in found.items() if name.startswith("moodfader:")}


def test_what_others_have_connected_to_our_outputs_is_connected_again(server, file):
    said = []
    session = Session.play([file], PlayerOptions(backend="jack"), note=said.append)
    try:
        other = listener(server)
        ours = [f"moodfader:output_{number}" for number in (1, 2)]
        for number, name in enumerate(ours, 1):
            subprocess.run(["jack_connect", name, f"listener:in_{number}"], check=True)
        subprocess.run(["jack_disconnect", ours[0], "system:playback_1"], check=True)
        wanted = {ours[0]: {"listener:in_1"}, ours[1]: {"listener:in_2", "system:playback_2"}}
        device = session._state.player._output
        until(lambda: list(map(set, device.connections)) == list(wanted.values()))
        device._process.kill()
        until(lambda: any("back" in line for line in said))
        until(lambda: connected() == wanted, instead=connected)
        said.clear()
        server.kill()
        until(lambda: any("gone" in line for line in said))
        other.kill()
        server.start()
        until(lambda: any("back" in line for line in said))
        assert "listener:in_1" not in connected().get(ours[0], ())
        listener(server)
        until(lambda: connected() == wanted, instead=connected)
    finally:
        session.close()


def test_a_server_that_stands_still_is_waited_for_by_one_process_at_a_time(server, file, monkeypatch):
    """Each of them would hang in JACK's library, and come back to life with the server."""
    monkeypatch.setattr("moodfader.engine.devices.output_device._OPEN_TIMEOUT_S", 1.0)
    said, tries = [], []
    session = Session.play([file], PlayerOptions(backend="jack"), note=said.append)
    children = session._state.player._children
    start = children.start
    try:
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/transport/position") > 0.5)
        children.start = lambda *words: tries.append(words) or start(*words)
        server.process.send_signal(signal.SIGSTOP)
        until(lambda: len(tries) == 4)
        outputs = [one for one in children._processes if one.name == "run_output_process" and one.is_alive()]
        assert len(outputs) <= 1
        monkeypatch.setattr("moodfader.engine.devices.output_device._OPEN_TIMEOUT_S", 60.0)
        server.process.send_signal(signal.SIGCONT)
        until(lambda: any("back" in line for line in said))
        play_on(session, 0.5)
    finally:
        server.process.send_signal(signal.SIGCONT)
        session.close()


def test_without_a_server_the_reason_is_told(file, monkeypatch):
    from moodfader.models.common.errors import InputError

    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    with pytest.raises(InputError, match="no JACK server answers"):
        Session.play([file], PlayerOptions(backend="jack"))
