"""Where the research data lies, if it is there; a network with weights by chance; sounds, and commands that fail."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from moodfader.control.cli import run
from moodfader.engine import load_track
from moodfader.engine.analysis.analysis import Analysis
from moodfader.engine.analysis.analysis_file import save_analysis
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.models.common.constants import MIDLEVEL, N_BANDS, SAMPLE_RATE
from moodfader.models.inference.checkpoint import Model, load_model, save_model
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import new_network

# A shell that runs tests in the background has this ignored, and programs that are interrupted would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # (of the programs that tests start)
torch.set_num_threads(1)  # on a busy machine two threads are slower than one, and results do not depend on how many

DATA = Path(os.environ.get("MOODFADER_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))


_LONG_FOLDERS = ("stage", "live", "web", "batch", "training", "surfaces")


def pytest_collection_modifyitems(items):
    """Put folders whose tests take longest first, so that no process is left alone with one at the end."""
    order = {name: place for place, name in enumerate(_LONG_FOLDERS)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory):
    """No test reads or writes the user's own cache, state and (see below) configuration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOODFADER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("MOODFADER_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True, scope="module")
def _own_config(_own_folders, tmp_path_factory):
    """Presets that one module's tests save (fuzzed surfaces do) are not another one's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOODFADER_CONFIG", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def soundtracks() -> Path:
    folder = DATA / "soundtracks"
    if not folder.is_dir():
        pytest.skip("the research clips are not here (MOODFADER_DATA names their folder)")
    return folder


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Model:
    """The small network as it is before training: a real network, only an ignorant one."""
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    save_model(new_network(TrainingSettings(seed=5)), path, record={})
    return load_model(path)


@pytest.fixture(scope="session")
def model_file(random_model) -> str:
    return str(random_model.path)


@pytest.fixture
def place(tmp_path) -> Path:
    """An empty folder to write into."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(capsys):
    """Runs a command and sees that it ends with exit code 2 and one line that has all these words in it.

    Nothing is on standard output, and nothing in `place` is new, changed or gone. Notes may stand before the line
    where the command tells what it has read so far.
    """

    def check(arguments, *words, place=None, notes=False) -> None:
        before = {path: path.stat().st_mtime_ns for path in place.rglob("*")} if place else {}
        assert run([str(argument) for argument in arguments]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        lines = shown.err.splitlines()
        assert lines[-1].startswith("moodfader: ")
        assert len(lines) == 1 or notes, shown.err
        assert "Traceback" not in shown.err
        for text in words:
            assert str(text) in lines[-1]
        if place:
            assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before

    return check


@pytest.fixture(scope="session")
def noise():
    """Makes noise with a slow pulse, float32 [samples, channels] at 22,050 Hz."""

    def made(seconds: float, *, channels: int = 1) -> np.ndarray:
        rng = np.random.default_rng(0)
        count = round(seconds * SAMPLE_RATE)
        pulse = 0.2 + 0.1 * np.sin(2 * np.pi * np.arange(count) / SAMPLE_RATE)
        return (pulse[:, None] * rng.uniform(-1, 1, (count, channels))).astype(np.float32)

    return made


@pytest.fixture(scope="session")
def quick_analysis(model_file):
    """Makes an analysis file of squares instead of segments, with weights by chance: valid, and made in no time."""

    def made(path: Path, output: Path) -> Path:
        track = load_track(path)
        frames = len(track_spectrogram(track))
        labels = (np.arange(frames)[:, None] // 30 * 5 + np.arange(N_BANDS) // 30).astype(np.int32)
        weights = np.random.default_rng(1).uniform(-1, 1, (int(labels.max()) + 1, len(MIDLEVEL))).astype(np.float32)
        analysis = Analysis(
            segments=labels,
            weights=weights,
            standard_errors=np.abs(weights) / 10,
            p_values=np.zeros(weights.shape),
            mask_weights=weights,
            half_agreement=np.ones(len(MIDLEVEL), np.float32),
            response_per_db=np.full(len(weights), 1 / 12, np.float32),
            surrogate_r2=np.full(len(MIDLEVEL), 0.9, np.float32),
            duration_s=track.duration_s,
            track_digest=track.digest,
            model_digest=load_model(Path(model_file)).digest,
        )
        save_analysis(analysis, output)
        return output

    return made


@pytest.fixture(scope="session")
def song(tmp_path_factory, noise) -> Path:
    """Two seconds of noise in a file, for commands that fail."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, noise(2.0), SAMPLE_RATE)
    return path


@pytest.fixture(scope="session")
def analysis_file(song, quick_analysis, tmp_path_factory) -> Path:
    """A quick analysis of the song."""
    return quick_analysis(song, tmp_path_factory.mktemp("analysis") / "song.npz")
