"""On a graphics card everything comes out as on the processor, to what rounding leaves, and twice the same."""

import numpy as np
import pytest
import soundfile
import torch
from moodfader.control.cli import run
from moodfader.engine.analysis.analysis_file import load_analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.models.common.constants import EMOTIONS, N_BANDS
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets
from moodfader.models.datasets.table import Clip
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.network.architectures import ARCHITECTURES
from moodfader.models.training.batches import TrainingSource
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
FADERS = Faders(modality=8, articulation=-6)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Six seconds of chords and noise bursts."""
    rng = np.random.default_rng(0)
    time = np.arange(6 * 44100) / 44100
    sound = 0.2 * rng.standard_normal(len(time)) * np.exp(-(time % 0.5) * 12)
    for number, frequency in enumerate((220, 277, 330, 880, 1760)):
        sound += (np.sin(2 * np.pi * time * (0.3 + 0.1 * number)) > 0) * np.sin(2 * np.pi * frequency * time)
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, (0.3 * sound / np.abs(sound).max()).astype(np.float32), 44100, subtype="FLOAT")
    return path


@pytest.fixture(scope="module")
def track(song):
    return load_track(song)


@pytest.fixture(scope="module")
def models():
    """The network that ships, on both."""
    return load_model(), load_model(device="cuda")


def test_it_predicts_the_same(track, models):
    on_cpu, on_cuda = (predict_track(track, model) for model in models)
    assert on_cuda.midlevel == pytest.approx(on_cpu.midlevel, abs=1e-4)
    assert on_cuda.emotions == pytest.approx(on_cpu.emotions, abs=1e-4)


@pytest.mark.parametrize("estimator", ["gradient", "local", "lime"])
def test_it_finds_the_same_segments_and_twice_the_same_weights(track, models, estimator):
    settings = AnalysisSettings(estimator=estimator, passes=0 if estimator == "gradient" else 600)
    on_cpu, on_cuda, again = (analyze_track(track, model, settings) for model in (*models, models[1]))
    np.testing.assert_array_equal(on_cuda.segments, on_cpu.segments)
    np.testing.assert_array_equal(on_cuda.weights, again.weights)
    spread = on_cpu.weights.std(0)
    assert np.all(np.abs(on_cuda.weights - on_cpu.weights).max(0) < 0.02 * spread)
    # a segment at the edge of being chosen may fall to either side
    assert np.mean((on_cuda.selected_weights > 0) != (on_cpu.selected_weights > 0)) < 0.01


@pytest.mark.parametrize("block_length", [512, 4096])
def test_it_sounds_the_same(track, block_length):
    rng = np.random.default_rng(3)
    frames = round(track.duration_s * 31.32) + 1
    labels = ((np.arange(frames)[:, None] // 12 * 19 + np.arange(N_BANDS) // 8) % 60).astype(np.int32)
    weights = rng.uniform(-1, 1, (60, 7)).astype(np.float32)
    heard = []
    for device in ("cpu", "cuda"):
        sound = SteeredSound(labels, weights, sample_rate=44100, channels=1, device=device)
        blocks = [sound.process(block, FADERS) for block in track.blocks(block_length=block_length)]
        heard.append(np.concatenate([*blocks, sound.flush()]))
    assert 20 * np.log10(np.abs(heard[1] - heard[0]).max()) < -100


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_learns_the_same_and_goes_on_where_it_was(architecture, tmp_path):
    rng = np.random.default_rng(0)
    clips, pictures = [], []
    for _ in range(12):
        level, rough = rng.uniform(0.1, 0.9, 2)
        pictures.append((level * (1 - rough * rng.random((320, N_BANDS)))).astype(np.float16))
        ratings = dict.fromkeys(EMOTIONS, 0.4) | {"energy": rough, "known_modality": level}
        clips.append(Clip(path=None, group="g", ratings=ratings))
    sources = [TrainingSource("made", ClipDataset(pictures, build_targets(clips)), 8)]

    def taught(device, **how):
        settings = TrainingSettings(
            architecture=architecture, threads=1, epochs=2, steps_per_epoch=3, dropout=0.0, device=device
        )
        losses = []
        how = {"progress": lambda epoch, loss: losses.append(loss)} | how
        return train(sources, settings, **how).state_dict(), losses

    class StoppedError(Exception):
        pass

    def stop(epoch, loss):
        if epoch == 1:
            raise StoppedError

    whole, losses = taught("cuda")
    assert losses[0] == pytest.approx(taught("cpu")[1][0], rel=0.01)
    with pytest.raises(StoppedError):
        taught("cuda", state=tmp_path / "run.state", progress=stop)
    resumed, _ = taught("cuda", state=tmp_path / "run.state")
    for name, tensor in whole.items():
        assert tensor.device.type == "cpu"
        assert torch.equal(tensor, resumed[name]), name


def test_the_commands_take_it(song, place, capsys):
    assert run(["predict", str(song), "--device", "cuda", "--json"]) == 0
    assert run(["analyze", str(song), "--device", "cuda", "-o", str(place / "a.npz")]) == 0
    assert len(load_analysis(place / "a.npz", track=load_track(song), model=load_model()).weights)
    made = ["render", str(song), "-o", str(place / "out.flac"), "--set", "modality=8"]
    assert run([*made, "--device", "cuda"]) == 0
    on_cuda = soundfile.read(place / "out.flac", dtype="float32")[0]
    assert run([*made, "--device", "cpu", "--overwrite"]) == 0
    on_cpu = soundfile.read(place / "out.flac", dtype="float32")[0]
    assert len(on_cuda) == len(on_cpu)
    assert 10 * np.log10(np.mean((on_cuda - on_cpu) ** 2) / np.mean(on_cpu**2)) < -40
