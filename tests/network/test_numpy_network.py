"""The forward pass without torch: the same outputs as torch's, for every architecture that it has and any length."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from moodfader.engine.analysis.prediction import predict_blocks, predict_track
from moodfader.engine.audio.track import load_track
from moodfader.engine.explain import methods
from moodfader.engine.explain.segmentation import SEGMENTATIONS
from moodfader.engine.steering.faders.levels import LEVELS_DB
from moodfader.models.common.constants import N_BANDS, SAMPLE_RATE
from moodfader.models.inference.checkpoint import load_model, save_model
from moodfader.models.inference.predictor import TorchPredictor
from moodfader.models.inference.tensor_layout import tensor_layout
from moodfader.models.network.architectures import ARCHITECTURES
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.network.padding import PaddedSpectrogram, circle_of
from moodfader.models.network.spectrogram import LogSpectrogram
from moodfader.models.numpy_network.network import SUPPORTED, NumpyNetwork
from moodfader.models.signal import compiled_scipy
from moodfader.models.signal.log_spectrogram import log_spectrogram, spectrogram_blocks

LENGTHS = (1, 2, 7, 8, 31, 63, 64, 100, 313, 640)
"""Frames of the spectrogram: a single one, less than a stride, multiples of it, more than the receptive field."""


@pytest.fixture(scope="module", params=SUPPORTED)
def model(request, tmp_path_factory):
    """A network of random weights, offsets and running statistics, as a checkpoint."""
    torch.manual_seed(5)
    network = MidlevelNetwork(request.param)
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            torch.nn.init.normal_(tensor, 0.0, 0.1)
        elif name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
    path = tmp_path_factory.mktemp("model") / f"{request.param}.safetensors"
    save_model(network.eval(), path, record={})
    return load_model(path)


@pytest.mark.parametrize("frames", LENGTHS)
def test_local_outputs_are_those_of_torch(model, frames):
    assert isinstance(model.predictor, NumpyNetwork)
    spectrogram = np.random.default_rng(frames).random((2, frames, N_BANDS), dtype=np.float32)
    window = circle_of(spectrogram, model.predictor.geometry)
    expected = TorchPredictor(model.network).local(window)
    found = model.predictor.local(window)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_a_window_that_is_no_circle_is_as_in_torch(model):
    geometry = model.predictor.geometry
    spectrogram = np.random.default_rng(1).random((1, 20 * geometry.stride + geometry.field, N_BANDS), np.float32)
    window = PaddedSpectrogram(spectrogram)
    expected = TorchPredictor(model.network).local(window)
    np.testing.assert_allclose(model.predictor.local(window), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("seconds", [1.0, 1.7, 3.2, 10.0, 61.3])
def test_predictions_are_those_of_torch(model, seconds):
    sound = np.random.default_rng(3).normal(size=round(seconds * SAMPLE_RATE)).astype(np.float32)
    sound *= np.linspace(0.01, 1, len(sound), dtype=np.float32)
    found = predict_blocks([sound], model, scale=3.0)
    by_torch = TorchPredictor(model.network)
    with torch.inference_mode():
        spectrogram = LogSpectrogram()(torch.from_numpy(sound / np.float32(3.0)))
        pooled = model.network.pooled(spectrogram[None])[0].numpy()
    midlevel, emotions = by_torch.read(pooled)
    np.testing.assert_allclose(list(found.midlevel.values()), midlevel, atol=1e-5)
    np.testing.assert_allclose(list(found.emotions.values()), emotions, atol=1e-5)


def test_the_model_that_ships_predicts_as_in_torch(song):
    model, track = load_model(), load_track(song)
    found = predict_track(track, model)
    model.__dict__["predictor"] = TorchPredictor(model.network)
    expected = predict_track(track, model)
    for group in ("midlevel", "emotions"):
        expected_values = list(getattr(expected, group).values())
        np.testing.assert_allclose(list(getattr(found, group).values()), expected_values, atol=1e-5)


def test_another_architecture_is_left_to_torch(tmp_path):
    (other,) = set(ARCHITECTURES) - set(SUPPORTED)
    save_model(MidlevelNetwork(other).eval(), tmp_path / "other.safetensors", record={})
    model = load_model(tmp_path / "other.safetensors")
    assert isinstance(model.predictor, TorchPredictor)
    spectrogram = np.random.default_rng(0).random((1, 160, N_BANDS), np.float32)
    with torch.inference_mode():
        expected = model.network.local(torch.from_numpy(spectrogram)).numpy()
    np.testing.assert_allclose(model.predictor.local(PaddedSpectrogram(spectrogram)), expected, atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_layout_of_a_checkpoint_is_the_networks(architecture):
    types = {torch.float32: "F32", torch.int64: "I64"}
    tensors = MidlevelNetwork(architecture).state_dict()
    expected = {name: (list(tensor.shape), types[tensor.dtype]) for name, tensor in tensors.items()}
    assert tensor_layout(ARCHITECTURES[architecture]) == expected


@pytest.mark.parametrize("samples", [1, 700, 704, 705, 2048, 22_050, 100_001])
def test_the_spectrogram_is_that_of_torch(samples):
    sound = np.random.default_rng(samples).normal(size=samples).astype(np.float32)
    parts = np.array_split(sound, 3)
    found = np.concatenate(list(spectrogram_blocks(iter(parts), scale=2.0, frames_per_block=40)))
    np.testing.assert_allclose(found, LogSpectrogram()(torch.from_numpy(sound / 2)), atol=2e-6)


def test_log_spectrogram_of_silence_is_zero():
    assert not log_spectrogram(np.zeros(4096, np.float32)).any()


def test_the_names_of_methods_are_those_of_the_modules():
    from moodfader.engine.analysis.settings import estimator_module

    assert tuple(SEGMENTATIONS) == methods.SEGMENTATIONS
    assert {name: estimator_module(name).PASSES for name in methods.ESTIMATORS} == methods.PASSES


@pytest.mark.parametrize("public", [False, True])
def test_the_compiled_functions_give_scipys_numbers(monkeypatch, public):
    """Also where a version of SciPy keeps them elsewhere, and its public functions are used."""
    import scipy.fft
    from scipy.signal import sosfilt

    if public:
        monkeypatch.setattr(compiled_scipy, "_transform", lambda: None)
        monkeypatch.setattr(compiled_scipy, "_section_filter", lambda: None)
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        x = rng.normal(size=(5, 2, 1024)).astype(dtype)
        spectra = compiled_scipy.rfft(x)
        np.testing.assert_array_equal(spectra, scipy.fft.rfft(x))
        back = compiled_scipy.irfft(spectra, 1024)
        np.testing.assert_array_equal(back, scipy.fft.irfft(spectra, 1024))
        assert back.dtype == dtype
    sections = np.array([[1.0, -2.0, 1.0, 1.0, -1.9, 0.91], [0.5, 0.1, 0.0, 1.0, 0.3, 0.2]])
    samples = rng.normal(size=(3, 500))
    before = rng.normal(size=(3, 2, 2))
    expected, after = sosfilt(sections, samples, axis=1, zi=before.transpose(1, 0, 2))
    found, state = samples.copy(), before.copy()
    compiled_scipy.filter_sections(sections, found, state)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(state, after.transpose(1, 0, 2))


def test_a_prediction_and_a_render_of_one_fader_import_no_torch(song, tmp_path):
    """By the model that ships, with an analysis from the cache; nor does anything read scipy.signal for it."""
    heavy = "{'torch', 'scipy.signal', 'scipy.fft', 'skimage'}"
    predict = ["predict", str(song), "--device", "cpu", "--json"]
    checked(predict, heavy)
    analysis = tmp_path / "song.npz"
    program = [sys.executable, "-m", "moodfader.control.cli"]
    quick = ["--evaluations", "64", "--coupled", "--quiet"]
    subprocess.run([*program, "analyze", str(song), "-o", str(analysis), *quick], check=True)
    output = str(tmp_path / "out.wav")
    given = ["--analysis", str(analysis), "--set", "modality=5", "--device", "cpu", "--json"]
    checked(["render", str(song), "-o", output, *given], heavy)
    # The same with decoupled faders: only several are solved by the network's gradients.
    with np.load(analysis) as archive:
        arrays = dict(archive)
    description = json.loads(bytes(arrays["description"]))
    description["settings"]["coupled"] = False
    arrays["description"] = np.frombuffer(json.dumps(description).encode(), np.uint8)
    arrays |= {"selected": arrays["mask_weights"], "response": np.zeros((7, len(LEVELS_DB), 7), np.float32)}
    np.savez_compressed(analysis, **arrays)
    checked(["render", str(song), "-o", output, "--overwrite", *given], heavy)


def checked(arguments: list[str], absent: str) -> None:
    """Run a command in a process of its own, and see that it imported none of some packages."""
    code = f"""
import sys
from moodfader.control.cli import run
try:
    run({arguments!r})
except SystemExit as ended:
    assert not ended.code, ended.code
found = {absent} & set(sys.modules)
assert not found, found
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("{")
