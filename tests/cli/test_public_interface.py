"""The package's interface for Python: arrays as well as files, a block processor, results that can be read."""

import dataclasses
import json
import subprocess
import sys

import moodfader
import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure

RATE = 44100
FADERS = {"dissonance": 6.0, "melodiousness": -6.0}


@pytest.fixture(scope="module")
def sound():
    """Four seconds of chords, float32 [samples, 2]."""
    times = np.arange(4 * RATE) / RATE
    chords = sum(np.sin(2 * np.pi * f * times * (1 + 0.02 * np.floor(times))) for f in (196, 247, 294, 440, 1175))
    pulse = 0.5 + 0.5 * np.exp(-6 * (times % 0.5))
    return (0.08 * (chords * pulse)[:, None] * [1.0, 0.8]).astype(np.float32)


@pytest.fixture(scope="module")
def file(sound, tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    return path


@pytest.fixture(scope="module")
def analysis(sound, random_model):
    settings = moodfader.AnalysisSettings(passes=64)
    return moodfader.analyze(sound, RATE, model=random_model, settings=settings)


@pytest.fixture(scope="module")
def steerable(analysis):
    """The same with weights for every segment (the network of the tests is untrained, and few are significant)."""
    weights = np.random.default_rng(0).uniform(-1, 1, analysis.mask_weights.shape).astype(np.float32)
    return dataclasses.replace(analysis, mask_weights=weights, selected=weights[:: analysis.subsegments_each, :7])


def test_the_version_is_there_at_once_and_without_torch():
    code = "import sys, moodfader; print(moodfader.__version__, 'torch' in sys.modules or 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [moodfader.__version__, "False"]


def test_every_public_name_can_be_imported_and_is_listed():
    listed = dir(moodfader)
    assert listed == sorted(moodfader.__all__)
    for name in listed:
        assert getattr(moodfader, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'predikt'"):
        moodfader.predikt  # noqa: B018


def test_an_array_is_predicted_as_its_file_is(sound, file, random_model):
    of_array = moodfader.predict(sound, RATE, model=random_model)
    assert of_array == moodfader.predict(file, model=random_model)
    assert of_array == moodfader.predict(str(file), model=random_model)
    assert of_array == moodfader.predict(moodfader.load_track(file), model=random_model)
    assert set(of_array.midlevel) == set(moodfader.MIDLEVEL)
    assert set(of_array.emotions) == set(moodfader.EMOTIONS)
    assert of_array.duration_s == 4.0
    in_double = moodfader.predict(sound.astype(np.float64), RATE, model=random_model)
    assert in_double == of_array


def test_one_channel_may_lie_flat(sound, random_model):
    flat = moodfader.predict(sound[:, 0], RATE, model=random_model)
    assert flat == moodfader.predict(sound[:, :1], RATE, model=random_model)


def test_an_array_has_the_analysis_of_its_file(analysis, file, random_model):
    of_file = moodfader.analyze(file, model=random_model, settings=analysis.settings)
    assert of_file.path == analysis.path  # found in the cache, by the sound
    np.testing.assert_array_equal(of_file.weights, analysis.weights)


@pytest.mark.parametrize(
    ("change", "rate", "words"),
    [
        (lambda x: (x * 32767).astype(np.int16), RATE, "divide by 32768"),
        (lambda x: x.T, RATE, "transpose"),
        (lambda x: x[None], RATE, "its shape is"),
        (lambda x: x[:0], RATE, "no samples"),
        (lambda x: x[: RATE // 2], RATE, "at least one second"),
        (lambda x: x * 0, RATE, "silent"),
        (lambda x: np.where(np.arange(len(x))[:, None] == RATE, np.nan, x), RATE, "first at 1.000 s"),
        (lambda x: x, 44.1, "kHz"),
        (lambda x: x, None, "sample rate is missing"),
    ],
)
def test_an_array_that_cannot_be_used_is_told_why(sound, random_model, change, rate, words):
    with pytest.raises(moodfader.InputError, match=words):
        moodfader.predict(change(sound), rate, model=random_model)


def test_a_rate_beside_a_file_is_refused(file):
    with pytest.raises(moodfader.InputError, match="only an array needs one"):
        moodfader.predict(file, RATE)


def test_blocks_give_what_render_writes(steerable, sound, file, random_model, tmp_path):
    """Any block size, the same samples; and those are the file's."""
    output = tmp_path / "out.wav"
    moodfader.render(sound, steerable, output, RATE, faders=FADERS, model=random_model, bit_depth="float")
    written, _ = soundfile.read(output, dtype="float32")
    faders = moodfader.Faders(**FADERS)
    results = []
    for length in (333, 4096, len(sound)):
        processor = moodfader.FaderProcessor(steerable, RATE, 2)
        made = [processor.process(sound[i : i + length], faders) for i in range(0, len(sound), length)]
        held_back = len(sound) - sum(map(len, made))
        assert 0 < held_back <= processor.latency
        results.append(np.concatenate([*made, processor.flush()]))
    for result in results:
        np.testing.assert_array_equal(result, results[0])
    np.testing.assert_allclose(results[0], written, atol=1e-6)
    assert np.abs(results[0] - sound).max() > 0.01


def test_faders_at_zero_pass_the_samples_on(steerable, sound):
    processor = moodfader.FaderProcessor(steerable, RATE, 2)
    output = np.concatenate([processor.process(sound, moodfader.Faders()), processor.flush()])
    np.testing.assert_array_equal(output, sound)


@pytest.mark.parametrize("position", [1, 511, 512, 50_001])
def test_a_seek_sounds_as_if_it_had_run_there(steerable, sound, position):
    faders = moodfader.Faders(**FADERS)
    whole = moodfader.FaderProcessor(steerable, RATE, 2)
    expected = np.concatenate([whole.process(sound, faders), whole.flush()])
    moved = moodfader.FaderProcessor(steerable, RATE, 2)
    moved.process(sound[:20_000], moodfader.Faders(modality=12))
    moved.seek(position)
    assert moved.position == position
    output = np.concatenate([moved.process(sound[position:], faders), moved.flush()])
    assert len(output) == len(sound) - position
    np.testing.assert_allclose(output[4096:], expected[position + 4096 :], atol=1e-5)
    begun = moodfader.FaderProcessor(steerable, RATE, 2, position)
    np.testing.assert_array_equal(np.concatenate([begun.process(sound[position:], faders), begun.flush()]), output)


@pytest.mark.parametrize("block", [np.zeros(8), np.zeros((8, 1)), np.zeros((8, 2), np.int16)])
def test_a_block_of_another_shape_or_type_is_refused(analysis, block):
    with pytest.raises(moodfader.InputError, match=r"float \[samples, 2\] is needed"):
        moodfader.FaderProcessor(analysis, RATE, 2).process(block, moodfader.Faders())


def test_results_are_read_at_a_glance_and_become_json(steerable, sound, random_model, tmp_path):
    prediction = moodfader.predict(sound, RATE, model=random_model)
    rendered = moodfader.render(sound, steerable, tmp_path / "o.wav", RATE, faders=FADERS, model=random_model)
    explanation = moodfader.explain(sound, RATE, analysis=steerable, model=random_model, features=["modality"])
    for result, words in (
        (prediction, "melodiousness: 0."),
        (steerable, f"{len(steerable.weights)} segments in 4.0 s"),
        (rendered, "tension "),
        (explanation, "0.0 to 4.0 s, modality"),
    ):
        assert words in repr(result)
        assert len(repr(result)) < 600
        assert json.loads(json.dumps(result.to_dict()))


def test_an_explanation_gives_sounds_and_axes(steerable, sound, random_model):
    explanation = moodfader.explain(sound, RATE, analysis=steerable, model=random_model, begin_s=1, end_s=3)
    assert explanation.original().shape == (2 * RATE, 2)
    np.testing.assert_allclose(explanation.original(), sound[RATE : 3 * RATE], atol=1e-6)
    assert explanation.boosted("modality").shape == explanation.isolated("modality").shape == (2 * RATE, 2)
    figure = Figure()
    axes = explanation.plot("tonal-stability", figure)
    assert [a.get_figure() for a in axes] == [figure] * 3
    assert len(explanation.plot_emotion_effects(Figure())) == len(moodfader.EMOTIONS)
    with pytest.raises(moodfader.InputError, match="no feature 'modallity'"):
        explanation.plot("modallity")
    with pytest.raises(moodfader.InputError, match="another sound"):
        moodfader.explain(sound[:-1], RATE, analysis=steerable, model=random_model)


def test_an_analysis_plots_into_axes_that_are_given(steerable, sound):
    axes = Figure().subplots()
    assert steerable.plot("modality", axes) is axes
    (image,) = axes.get_images()
    weights = steerable.selected_weights[:, 6][steerable.segments].T
    red, _, blue = np.moveaxis(np.asarray(image.get_array()), -1, 0)
    assert (blue > red)[weights > 0.1].all()
    assert (red > blue)[weights < -0.1].all()
    track = moodfader.track_from_array(sound, RATE)
    assert steerable.plot("modality", Figure().subplots(), track=track).get_images()
    with pytest.raises(moodfader.InputError, match="another sound"):
        steerable.plot("modality", Figure().subplots(), track=moodfader.track_from_array(sound[1:], RATE))


def test_a_preset_gives_faders():
    assert moodfader.find_preset("agitato").faders.dissonance > 0
    assert "agitato" in moodfader.available_presets()
