"""A session without a player that logs what surfaces set; an OSC dispatcher on it; a folder to run `play` in."""

import numpy as np
import pytest
import soundfile
from helpers.logged_session import LoggedSession
from moodfader.control.osc.dispatcher import Dispatcher
from moodfader.control.osc.subscriptions import Subscriptions


@pytest.fixture
def session():
    """The real session; what surfaces set is in its log, in the order in which it came."""
    session = LoggedSession()
    yield session
    session.close()


@pytest.fixture
def clients():
    """The clients that have subscribed at `dispatcher`."""
    return Subscriptions()


@pytest.fixture
def dispatcher(session, clients):
    return Dispatcher(session, clients, own_address=("127.0.0.1", 9000))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A configuration folder with a short song and a broken preset."""
    folder = tmp_path_factory.mktemp("controllers")
    (folder / "presets").mkdir()
    (folder / "presets" / "broken.toml").write_text("gains_db = [")
    sound = 0.1 * np.random.default_rng(0).uniform(-1, 1, 2 * 22050)  # (short: `play` analyses it meanwhile)
    soundfile.write(folder / "song.wav", sound, 22050)
    return folder
