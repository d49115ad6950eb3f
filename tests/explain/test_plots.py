"""The figures and sounds of an explanation: right colours in the right places, and sounds that are what they say."""

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure
from moodfader.control.cli import run
from moodfader.control.console.tables import analysis_table
from moodfader.engine import Analysis, Faders, load_track
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.engine.plotting import feature_plot, steering_plot
from moodfader.engine.plotting.emotion_effects_plot import plot_emotion_effects
from moodfader.engine.plotting.style import draw_borders, draw_spectrogram, hue_colormap, spectrogram_db, tint
from moodfader.engine.render.sonify import Sonifier, choose_excerpt, write_sound
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.network.spectrogram import band_frequencies
from rich.console import Console

RATE = 22050


def tones(seconds: float) -> np.ndarray:
    """200 Hz and 3 kHz together, [samples]."""
    times = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 200 * times) + 0.3 * np.sin(2 * np.pi * 3000 * times)).astype(np.float32)


@pytest.fixture
def two_tones(tmp_path):
    path = tmp_path / "tones.wav"
    soundfile.write(path, tones(5.0), RATE, subtype="FLOAT")
    return load_track(path)


def low_and_high(track, frames: int) -> Analysis:
    """Two segments: below 800 Hz (speaks for melodiousness) and above (speaks against it)."""
    labels = np.broadcast_to((band_frequencies() > 800).astype(np.int32), (frames, N_BANDS)).copy()
    weights = np.zeros((2, len(MIDLEVEL)), np.float32)
    weights[:, 0] = 1, -0.5
    return Analysis(
        segments=labels,
        weights=weights,
        standard_errors=weights * 0,
        p_values=weights.astype(float) * 0,
        mask_weights=weights,
        half_agreement=np.ones(len(MIDLEVEL), np.float32),
        response_per_db=np.full(2, 1 / 12, np.float32),
        surrogate_r2=np.full(len(MIDLEVEL), 0.5, np.float32),
        duration_s=track.duration_s,
        track_digest=track.digest,
        model_digest="",
    )


@pytest.fixture
def analysis(two_tones):
    return low_and_high(two_tones, len(track_spectrogram(two_tones)))


def level(sound: np.ndarray, hertz: float) -> float:
    """Amplitude of a tone in a whole number of its periods."""
    times = np.arange(len(sound)) / RATE
    return float(2 * np.abs(np.mean(sound * np.exp(-2j * np.pi * hertz * times))))


def heard(path) -> np.ndarray:
    """The middle three seconds."""
    sound, _ = soundfile.read(path)
    return sound[RATE : 4 * RATE]


def test_alone_leaves_nothing_else(two_tones, analysis, tmp_path):
    listening = Sonifier(two_tones, analysis, (0.0, 5.0))
    sounds = {
        "original": listening.original(),
        "alone": listening.isolated("melodiousness"),
        "enhanced": listening.boosted("melodiousness"),
    }
    for name, samples in sounds.items():
        write_sound(tmp_path / f"{name}.wav", samples, RATE)
    original, alone, enhanced = (heard(tmp_path / f"{name}.wav") for name in sounds)
    np.testing.assert_allclose(original, tones(5.0)[RATE : 4 * RATE], atol=1e-6)
    assert level(alone, 200) == pytest.approx(0.3, rel=1e-3)
    assert level(alone, 3000) < 0.3 * 10 ** (-80 / 20)
    assert 20 * np.log10(level(enhanced, 200) / 0.3) == pytest.approx(6, abs=0.05)
    assert 20 * np.log10(level(enhanced, 3000) / 0.3) == pytest.approx(-3, abs=0.05)


def test_a_stretch_sounds_as_in_the_whole(two_tones, analysis):
    whole, part = (
        Sonifier(two_tones, analysis, stretch).boosted("melodiousness") for stretch in ((0.0, 5.0), (1.5, 3.7))
    )
    begin, end = round(1.5 * RATE), round(3.7 * RATE)
    np.testing.assert_allclose(part, whole[begin:end], atol=2**-22)


def test_the_stretch_with_the_strongest_weights_is_shown(two_tones, analysis):
    frames = 4000
    weak = low_and_high(two_tones, frames)
    labels = np.zeros((frames, N_BANDS), np.int32)
    labels[2000:2500] = 1
    weights = np.zeros((2, len(MIDLEVEL)), np.float32)
    weights[1, 3] = -1
    long = Analysis(**{**vars(weak), "segments": labels, "mask_weights": weights, "duration_s": frames * 704 / 22050})
    begin, end = choose_excerpt(long, ["rhythmic_stability"], None, None)
    assert end - begin == pytest.approx(20)
    assert begin <= 2000 * 704 / 22050
    assert end >= 2500 * 704 / 22050
    assert choose_excerpt(long, list(MIDLEVEL), 10, None) == (10, 30)
    assert choose_excerpt(analysis, list(MIDLEVEL), None, None) == (0, 5)
    for begin, end in ((-1, 3), (3, 2), (0, 6), (2, 2.5), (float("nan"), None)):
        with pytest.raises(InputError, match="--from"):
            choose_excerpt(analysis, list(MIDLEVEL), begin, end)


def test_colour_is_where_the_weights_are():
    loudness = np.full((4, N_BANDS), -20, np.float32)
    strength = np.zeros_like(loudness)
    strength[:, 100:] = 1
    hue = np.broadcast_to(np.array([0.0, 0.4, 0.7], np.float32), (4, N_BANDS, 3))
    blend = tint(loudness, hue, strength)
    np.testing.assert_allclose(blend[:, 100:], hue[:, 100:], atol=1e-6)
    assert np.ptp(blend[:, :100], axis=2).max() < 0.02  # grey
    axes = Figure().subplots()
    draw_spectrogram(axes, blend, 10)
    (image,) = axes.get_images()
    np.testing.assert_allclose(image.get_array(), blend.transpose(1, 0, 2))  # low bands at the bottom
    assert image.origin == "lower"
    places = dict(zip((text.get_text() for text in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert band_frequencies()[round(places["1k"])] == pytest.approx(1000, rel=0.03)


def test_outlines_lie_where_labels_change():
    labels = np.zeros((6, N_BANDS), np.int32)
    labels[2:4, 10:20] = 1
    axes = Figure().subplots()
    draw_borders(axes, labels, 100, colour="k", width=1)
    (patch,) = axes.patches
    ends = patch.get_path().vertices.reshape(-1, 2, 2)
    ends[..., 0] = ends[..., 0] * RATE / 704 - 100
    lines = {tuple(sorted(map(tuple, line.round(3)))) for line in ends.tolist() for line in [np.array(line)]}
    corners = [(1.5, 9.5), (1.5, 19.5), (3.5, 19.5), (3.5, 9.5)]
    assert lines == {tuple(sorted([corners[i], corners[(i + 1) % 4]])) for i in range(4)}


def test_the_strongest_segments_and_their_intervals_are_shown(two_tones, analysis):
    sure = Analysis(**{**vars(analysis), "standard_errors": np.full((2, 7), 0.1, np.float32)})
    spectrogram = track_spectrogram(two_tones)
    axes = feature_plot.plot_feature(sure, spectrogram, "melodiousness", title="t", excerpt_s=(0.0, 5.0))
    left, right, panel = axes
    assert left.get_title(loc="left") == "raise melodiousness: 1 segments"
    assert [text.get_text() for text in left.texts] == ["1"] == [text.get_text() for text in right.texts]
    low, high = (band_frequencies()[round(axes.texts[0].get_position()[1])] for axes in (left, right))
    assert low < 800 < high
    spans = [container[2][0].get_segments()[0][:, 0].tolist() for container in panel.containers]
    np.testing.assert_allclose(spans, [[1 - 0.196, 1 + 0.196], [-0.5 - 0.196, -0.5 + 0.196]], rtol=1e-5)


def test_one_format_alone(two_tones, random_model, tmp_path):
    arguments = [
        "explain",
        str(two_tones.path),
        "--model",
        str(random_model.path),
        "--quiet",
        "--passes",
        "64",
        "--coupled",
    ]
    arguments += ["--feature", "modality", "--from", "1", "--to", "3"]
    assert run([*arguments, "-o", str(tmp_path / "svg"), "--format", "svg"]) == 0
    assert not list((tmp_path / "svg").glob("*.png"))
    assert 'src="modality.svg"' in (tmp_path / "svg" / "index.html").read_text()
    assert run([*arguments, "-o", str(tmp_path / "gif"), "--format", "gif"]) == 2
    assert not (tmp_path / "gif").exists()


def test_decibels_are_below_the_loudest():
    magnitude = np.array([[1.0, 10.0, 1e-5, 0.1]])
    np.testing.assert_allclose(spectrogram_db(np.log10(1 + magnitude)), [[-20, 0, -60, -40]], atol=1e-3)


def test_the_two_colours_differ_in_brightness_alike():
    """Blue and vermilion tell the same level, also without colour: both grow darker with it."""
    for colour in ("#0072B2", "#D55E00"):
        brightness = hue_colormap(colour)(np.linspace(0, 1, 50))[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
        assert (np.diff(brightness) < 0).all()


def test_a_surrogate_worse_than_none_explains_nothing(analysis):
    poor = dataclasses.replace(analysis, surrogate_r2=np.full(len(MIDLEVEL), -0.35, np.float32))
    console = Console(width=100)
    with console.capture() as shown:
        console.print(analysis_table(Path("a.wav"), poor))
    assert "-0.35" not in shown.get()
    assert shown.get().count(" 0.00 ") >= len(MIDLEVEL)


def test_effects_are_values_times_weights():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(8, 7)).astype(np.float32)
    midlevel = dict(zip(MIDLEVEL, rng.random(7), strict=True))
    quantiles = {name: sorted(rng.random(5).tolist()) for name in MIDLEVEL}
    emotions = dict.fromkeys(EMOTIONS, 0.5)
    panels = plot_emotion_effects(midlevel, emotions, weights, title="t", quantiles=quantiles)
    assert [panel.get_title(loc="left").split()[0] for panel in panels] == list(EMOTIONS)
    for panel, row in zip(panels, weights, strict=True):
        markers = panel.collections[-1].get_offsets()
        np.testing.assert_allclose(markers[:, 0], row * list(midlevel.values()), rtol=1e-6)


def test_the_overview_shows_the_gains(two_tones, analysis):
    spectrogram = track_spectrogram(two_tones)
    before = dict.fromkeys(EMOTIONS, 0.4)
    after = {**before, "sad": 0.55}

    class Result:
        emotions = {"before": before, "after": after, "surrogate": after}  # noqa: RUF012

    faders = Faders(melodiousness=6)
    left, middle, right = steering_plot.plot_steering(analysis, spectrogram, faders, Result, title="t")
    assert [text.get_text() for text in left.texts] == ["+6", "0", "0", "0", "0", "0", "0"]
    (image,) = middle.get_images()
    colours = np.asarray(image.get_array())[:, 60]
    low, high = (int(np.abs(band_frequencies() - hertz).argmin()) for hertz in (200, 3000))
    assert colours[low, 0] > colours[low, 2]  # boosted: orange
    assert colours[high, 2] > colours[high, 0]  # cut: blue
    solved = np.full(len(analysis.mask_weights), -9, np.float32)
    _, middle, _ = steering_plot.plot_steering(analysis, spectrogram, faders, Result, title="t", gains_db=solved)
    colours = np.asarray(middle.get_images()[0].get_array())[:, 60]
    assert colours[low, 2] > colours[low, 0]  # as solved: cut
    shown = [text.get_text() for text in right.texts if text.get_text() not in ("before", "after")]
    assert shown == ["0", "0", "0", "0", "0", "0", "+0.15", "0"]


def test_explain_writes_what_it_says(two_tones, random_model, tmp_path, capsys):
    folder = tmp_path / "out"
    arguments = ["explain", str(two_tones.path), "-o", str(folder), "--model", str(random_model.path), "--json"]
    more = ["--feature", "tonal-stability", "--passes", "64", "--coupled"]
    assert run([*arguments, *more]) == 0
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    name = "tonal_stability"
    expected = {"effects.png", "effects.svg", "original.wav", "index.html"}
    expected |= {f"{name}.{kind}" for kind in ("png", "svg")}
    expected |= {f"{name}_curves.{kind}" for kind in ("png", "svg")}
    expected |= {f"{name}_enhanced.wav", f"{name}_alone.wav"}
    assert {path.name for path in folder.iterdir()} == expected
    assert set(line["files"].values()) == {str(folder / name) for name in expected}
    for path in folder.glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    for path in folder.glob("*.svg"):
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert path.stat().st_size < 1_000_000
    for path in folder.glob("*.wav"):
        assert soundfile.info(path).frames == two_tones.samples
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run([*arguments, *more]) == 2  # not overwritten without being told
    assert run([*arguments, *more, "--overwrite"]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
