"""The Python interface as it is called by mistake: InputError in one line that names the argument, nothing silent."""

import math

import moodfader
import numpy as np
import pytest

RATE = 22050


@pytest.fixture(scope="module")
def samples(noise):
    return noise(2.0)


@pytest.fixture(scope="module")
def analysis(analysis_file):
    return moodfader.load_analysis(analysis_file)


def refused(call, *words: str) -> str:
    with pytest.raises(moodfader.InputError) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line
    return line


@pytest.mark.parametrize(
    "rate", ["44100", math.nan, math.inf, -math.inf, [22050], 0, -1, 22050.5, 10**30, 1e300, True, b"22050"]
)
def test_a_sample_rate_that_is_none_is_named(samples, rate):
    refused(lambda: moodfader.predict(samples, rate), "sample rate")


@pytest.mark.parametrize("rate", [22050.0, np.int32(22050), np.float64(22050)])
def test_a_sample_rate_of_any_type_of_number_serves(samples, rate):
    assert moodfader.track_from_array(samples, rate).sample_rate == 22050


def test_samples_and_rate_the_wrong_way_round_are_told(samples):
    refused(lambda: moodfader.predict(22050, samples), "samples come first")
    refused(lambda: moodfader.predict((22050, samples)), "predict(audio, 44100)")  # as SciPy reads a file
    refused(lambda: moodfader.predict((samples, 22050)), "predict(audio, 44100)")  # as soundfile does
    refused(lambda: moodfader.predict(np.stack([samples[:, 0]] * 2), RATE), "transpose")


@pytest.mark.parametrize("audio", [None, b"song.wav", 3, {}, {1.0}, object(), (v for v in "ab")])
def test_what_is_no_audio_is_not_called_an_array(audio):
    refused(lambda: moodfader.predict(audio), type(audio).__name__, "neither a path")


def test_integers_are_refused_with_what_makes_them_samples(samples):
    whole = (samples * 32767).astype(np.int16)
    refused(lambda: moodfader.predict(whole, RATE), "divide by 32768")
    refused(
        lambda: moodfader.predict((whole // 256 + 128).astype(np.uint8), RATE), "subtract 128, then divide by 128"
    )
    assert "divide" not in refused(lambda: moodfader.predict([1, 2, 3], RATE), "int64")


def test_a_tensor_with_a_gradient_is_refused(samples):
    import torch

    refused(lambda: moodfader.predict(torch.from_numpy(samples).requires_grad_(), RATE), "array")


def test_what_is_too_large_for_float32_is_told_without_a_warning(samples, recwarn):
    refused(lambda: moodfader.predict(samples.astype(float) * 1e300, RATE), "no numbers")
    assert not recwarn.list


def test_a_model_an_analysis_and_settings_of_another_type_are_named(samples, analysis, tmp_path):
    out = tmp_path / "o.wav"
    refused(lambda: moodfader.predict(samples, RATE, model="m.safetensors"), "model 'm.safetensors'", "load_model")
    refused(lambda: moodfader.predict(samples, RATE, device=None), "device")
    refused(lambda: moodfader.analyze(samples, RATE, settings={"seed": 1}), "settings", "AnalysisSettings")
    for wrong in ("a.npz", None, 3):
        refused(
            lambda wrong=wrong: moodfader.render(samples, wrong, out, RATE, faders={}), "analysis", "load_analysis"
        )
        refused(lambda wrong=wrong: moodfader.FaderProcessor(wrong, RATE, 1), "analysis", "load_analysis")
    refused(lambda: moodfader.explain(samples, RATE, analysis="a.npz"), "analysis", "load_analysis")
    assert not out.exists()


@pytest.mark.parametrize(("name", "value"), [("seed", 1.5), ("seed", None), ("seed", True), ("passes", "64")])
def test_settings_of_an_analysis_are_whole_numbers(name, value):
    refused(lambda: moodfader.AnalysisSettings(**{name: value}), name, "whole number")


@pytest.mark.parametrize("faders", [None, 6, [0] * 7, "dolce"])
def test_faders_of_another_type_are_refused(samples, analysis, tmp_path, faders):
    refused(lambda: moodfader.render(samples, analysis, tmp_path / "o.wav", RATE, faders=faders), "faders")
    processor = moodfader.FaderProcessor(analysis, RATE, 1)
    refused(lambda: processor.process(samples, faders), "faders")


def test_faders_that_are_no_numbers_are_refused():
    refused(lambda: moodfader.Faders(modality="3"), "fader modality")
    refused(lambda: moodfader.Faders(modality=None), "fader modality")
    refused(lambda: moodfader.Faders.from_mapping({1: 2}), "no feature is called '1'")


def test_a_processor_takes_faders_as_a_mapping(samples, analysis):
    def steered(faders):
        processor = moodfader.FaderProcessor(analysis, RATE, 1)
        return np.concatenate([processor.process(samples, faders), processor.flush()])

    np.testing.assert_array_equal(steered({"modality": 6}), steered(moodfader.Faders(modality=6)))


@pytest.mark.parametrize("ceiling", [math.nan, math.inf, 5, -100, "0", None])
def test_a_ceiling_that_would_let_everything_through_is_refused(samples, analysis, tmp_path, ceiling):
    refused(lambda: moodfader.FaderProcessor(analysis, RATE, 1, ceiling_dbtp=ceiling), "ceiling")
    refused(
        lambda: moodfader.render(samples, analysis, tmp_path / "o.wav", RATE, faders={}, ceiling_dbtp=ceiling),
        "ceiling",
    )


@pytest.mark.parametrize("position", [1.5, math.nan, -1, "0", 10**25])
def test_a_position_that_is_none_is_refused_at_once(analysis, position):
    refused(lambda: moodfader.FaderProcessor(analysis, RATE, 1, position), "position")
    refused(lambda: moodfader.FaderProcessor(analysis, RATE, 1).seek(position), "position")


@pytest.mark.parametrize("channels", [1.5, "1", 0, 9, math.nan])
def test_a_number_of_channels_that_is_none_is_refused(analysis, channels):
    refused(lambda: moodfader.FaderProcessor(analysis, RATE, channels), "channels")


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e39])
def test_a_block_with_a_sample_that_is_no_number_is_refused_and_leaves_the_stream_as_it_was(samples, analysis, bad):
    faders = moodfader.Faders(modality=6)
    good = moodfader.FaderProcessor(analysis, RATE, 1)
    expected = np.concatenate([good.process(samples[:9000], faders), good.process(samples[9000:], faders)])
    processor = moodfader.FaderProcessor(analysis, RATE, 1)
    first = processor.process(samples[:9000], faders)
    broken = samples[:500].astype(float)
    broken[100] = bad
    refused(lambda: processor.process(broken, faders), "no numbers")
    assert processor.position == 9000
    np.testing.assert_array_equal(np.concatenate([first, processor.process(samples[9000:], faders)]), expected)


def test_blocks_of_lists_and_tensors_serve(samples, analysis):
    import torch

    processor = moodfader.FaderProcessor(analysis, RATE, 1)
    neutral = moodfader.Faders()
    out = [processor.process(samples[:9000].tolist(), neutral), processor.process(torch.from_numpy(samples), neutral)]
    expected = np.concatenate([samples[:9000], samples])
    np.testing.assert_array_equal(np.concatenate([*out, processor.flush()]), expected)


def test_one_feature_to_explain_may_be_a_name_alone(song, analysis, random_model):
    explained = moodfader.explain(song, analysis=analysis, model=random_model, features="modality")
    assert explained.features == ("modality",)


def test_blocks_and_samples_that_are_masked_or_ragged_are_refused(samples, analysis):
    masked = np.ma.masked_greater(samples, 0.1)
    ragged = [[0.1], [0.2, 0.3]]
    processor = moodfader.FaderProcessor(analysis, RATE, 1)
    for use in (lambda given: moodfader.predict(given, RATE), lambda given: processor.process(given, {})):
        refused(lambda use=use: use(masked), "masked", "filled(0)")
        refused(lambda use=use: use(ragged), "cannot be made an array")
    assert len(processor.process(np.ma.masked_greater(samples, 9.0), {})), "nothing is masked in it"


def test_a_block_far_beyond_full_scale_is_refused_and_does_not_spoil_what_follows(samples, analysis):
    processor = moodfader.FaderProcessor(analysis, RATE, 1)
    refused(lambda: processor.process(np.full((9000, 1), 3e38, np.float32), {"modality": 6}), "full scale is 1")
    assert np.isfinite(processor.process(samples, {"modality": 6})).all()


@pytest.mark.parametrize("path", [5, b"song.wav", "", None, ["song.wav"]])
def test_a_path_that_is_none_is_named(song, analysis, random_model, path):
    refused(lambda: moodfader.render(song, analysis, path, faders={}, model=random_model), "output", "path")
    refused(lambda: moodfader.load_analysis(path), "analysis file", "path")
    if path is not None:
        refused(lambda: moodfader.analyze(song, output=path, model=random_model), "output", "path")
        refused(lambda: moodfader.load_model(path), "model", "path")


def test_other_arguments_of_another_type_are_named(song, analysis, random_model):
    for value in ("a", [1], 1j):
        refused(
            lambda value=value: moodfader.explain(song, analysis=analysis, model=random_model, begin_s=value),
            "begin_s",
        )
    refused(lambda: moodfader.find_preset(5), "preset")
    refused(lambda: moodfader.predict(song, device=["cpu"]), "device")
    refused(lambda: moodfader.AnalysisSettings(estimator=["local"]), "estimator")
