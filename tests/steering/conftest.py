"""Six seconds of the track that ships, and their analysis, which takes longest: made once for all tests here."""

from importlib.resources import files

import pytest
import soundfile
from moodfader.engine import load_track
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.models.inference.checkpoint import load_model


@pytest.fixture(scope="session")
def model():
    return load_model()


@pytest.fixture(scope="session")
def track(tmp_path_factory):
    """Six seconds of the track that ships, softer, so that the limiter is idle."""
    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=6 * 44100)
    path = tmp_path_factory.mktemp("music") / "demo.wav"
    soundfile.write(path, 0.4 * sound, rate, subtype="FLOAT")
    return load_track(path)


@pytest.fixture(scope="session")
def analysis(track, model):
    return analyze_track(track, model, AnalysisSettings())
