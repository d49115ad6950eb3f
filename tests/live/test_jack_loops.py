"""Loops over a real JACK server, set by OSC while it plays and the machine is busy: exact in the recording."""

import contextlib
import socket
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from helpers import jack_server as jack
from moodfader.control.osc.packets import encode_message
from moodfader.control.osc.server import OscServer
from moodfader.control.session.parameters import ROOT
from moodfader.control.session.session import Session
from moodfader.engine.live.player import PlayerOptions

pytestmark = pytest.mark.skipif(bool(jack.missing()), reason=jack.missing())
RATE = 44100
HOP = 512


@pytest.fixture
def server(monkeypatch):
    try:
        server = jack.Server(rate=RATE, block=512, synchronous=True)
    except RuntimeError as error:
        pytest.skip(str(error))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Noise that is loud and quiet in turn: every place is known by its samples."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, (30 * RATE, 2)).astype(np.float32)
    soundfile.write(path, noise, RATE, subtype="FLOAT")
    return path


@contextlib.contextmanager
def busy():
    """Another program that wants a processor all the time."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(100000))"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def runs_of(sound, track):
    """Stretches of the sound that are the track's own samples, as (first sample, place in the track, length)."""
    keys, wanted = (np.ascontiguousarray(samples).view(np.uint64)[:, 0] for samples in (track, sound))
    order = np.argsort(keys)
    found = order[np.searchsorted(keys, wanted, sorter=order).clip(0, len(keys) - 1)]
    places = np.where(keys[found] == wanted, found, -1)
    edges = np.flatnonzero(np.diff(places) != 1) + 1
    bounds = [0, *edges.tolist(), len(places)]
    runs = [(a, int(places[a]), b - a) for a, b in pairwise(bounds)]
    return [run for run in runs if run[1] >= 0 and run[2] > 1]


@pytest.mark.parametrize("seconds", [0.5, 2.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_a_loop_set_by_osc_while_playing_under_load_has_its_period_to_the_sample(seconds, server, song, tmp_path):
    session = Session.play([song], PlayerOptions(backend="jack"))
    osc = OscServer(session, port=0)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(name, value):
        client.sendto(encode_message(f"{ROOT}/transport/{name}", value), ("127.0.0.1", osc.port))

    def position():
        return session.get(f"{ROOT}/transport/position")

    try:
        with busy():
            recorder = server.recorder(tmp_path / "tape")
            assert recorder.stdout.readline().strip() == "connected"
            send("play", 1)
            until(lambda: position() > 2)
            send("loop_start", position())
            begun = position()
            until(lambda: position() > begun + seconds)
            send("loop_end", position())  # as it is heard: what renders is past it
            send("loop", 1)
            until(lambda: session.get(f"{ROOT}/transport/loop"))
            time.sleep(2.6 * seconds + 0.3)
            edges = [round(session.get(f"{ROOT}/transport/{name}") * RATE) for name in ("loop_start", "loop_end")]
    finally:
        osc.close()
        session.close()
        client.close()
    recorder.terminate()
    recorder.wait(20)
    sound = jack.Tape(tmp_path / "tape").samples
    start, end = edges
    track = soundfile.read(song, dtype="float32")[0]
    runs = runs_of(sound, track)
    jump = next(n for n, (_, place, length) in enumerate(runs) if place + length > end - HOP)
    assert runs[jump][1] + runs[jump][2] < end + RATE // 2  # it was left at once
    wraps = 0
    for (at, place, length), (next_at, next_place, _) in pairwise(runs[jump:]):
        between = sound[at + length : next_at]
        if not between.any(axis=1).all():
            continue  # a drop-out, which the meters count
        assert len(between) <= HOP
        expected = start + (place + length + len(between) - start) % (end - start)
        assert next_place == expected
        wraps += next_place < place + length
    assert wraps >= 2
    assert all(start <= place and place + length <= end for _, place, length in runs[jump + 1 :])
