"""Shows as a performer has them: sounds whose every place is known, a JACK server, another program that is busy."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from helpers import jack_server

RATE = 44100


@pytest.fixture
def jack():
    """A JACK server that waits for its clients, so that load makes nothing late."""
    if jack_server.missing():
        pytest.skip(jack_server.missing())
    try:
        server = jack_server.Server(rate=RATE, block=512, synchronous=True)
    except RuntimeError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def long_song(tmp_path_factory):
    """Half a minute: noise on the left, by which every place is known; a low tone on the right, to hear clicks."""
    path = tmp_path_factory.mktemp("songs") / "long.wav"
    count = 30 * RATE
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, count)
    tone = 0.3 * np.sin(2 * np.pi * 110 * np.arange(count) / RATE)
    soundfile.write(path, np.stack([noise, tone], axis=1).astype(np.float32), RATE, subtype="FLOAT")
    return path


@pytest.fixture(scope="session")
def pulses():
    """Write seconds of plucked chords that are the same in every second, 22,050 Hz mono."""

    def write(path, seconds):
        time = np.arange(round(seconds * 22050)) / 22050
        chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220, 277.2, 329.6))
        soundfile.write(path, 0.15 * chord * np.exp(-6 * (time % 0.5)), 22050)
        return path

    return write


@pytest.fixture
def busy():
    """Runs a block beside another program that wants a processor all the time."""

    @contextlib.contextmanager
    def load():
        process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(100000))"])
        try:
            yield
        finally:
            process.kill()
            process.wait()

    return load
