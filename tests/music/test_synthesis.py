"""Rendering: the sound of known notes, the same samples for the same seed, and every quality audible in the sound."""

import csv
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch
from moodfader.models.common.constants import MIDLEVEL, SAMPLE_RATE
from moodfader.models.common.errors import InputError
from moodfader.models.composition.compose import compose
from moodfader.models.composition.midi_parts import Part, to_midi
from moodfader.models.datasets.table import read_table
from moodfader.models.inference.checkpoint import default_checkpoint, load_model, pretrained_checkpoint
from moodfader.models.network.spectrogram import LogSpectrogram
from moodfader.models.synthesis import fluidsynth, labelled_music
from moodfader.models.synthesis.labelled_music import (
    CLIP_SECONDS,
    clip_seed,
    draw_qualities,
    draw_soundfont,
    labelled_clip,
    labelled_set,
)
from moodfader.models.synthesis.midi_render import ReverbSettings, find_soundfont, render_midi, require_fluidsynth
from moodfader.models.synthesis.recording_chain import codec_round_trip
from moodfader.models.synthesis.sweep_sets import MusicSource, render_sweeps


def _missing():
    try:
        require_fluidsynth()
        find_soundfont()
    except InputError as error:
        return str(error)
    return ""


rendered = pytest.mark.skipif(bool(_missing()), reason=_missing() or "everything is there")


def one_note(pitch, *, program=73, seconds=3.0):
    part = Part(program, reverb=0)
    part.add(0.2, seconds - 1.0, pitch, 90)
    return to_midi([part], seconds=seconds)


def clips_at_both_ends(feature, count, *, seed, seconds=CLIP_SECONDS):
    """Render pieces twice, with one feature at 0 and at 1 and everything else alike."""
    for index in range(count):
        piece = clip_seed(seed, index)
        qualities = draw_qualities(piece)
        yield [labelled_clip({**qualities, feature: value}, seed=piece, seconds=seconds) for value in (0.0, 1.0)]


@rendered
@pytest.mark.parametrize("sample_rate", [22050, 44100])
@pytest.mark.parametrize(("pitch", "hertz"), [(69, 440.0), (76, 659.26)])
def test_a_note_sounds_at_its_pitch(sample_rate, pitch, hertz):
    samples = render_midi(one_note(pitch), sample_rate=sample_rate, channels=1)
    assert samples.shape == (3 * sample_rate, 1)
    assert samples.dtype == np.float32
    middle = samples[sample_rate // 2 : 2 * sample_rate, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.fft.rfftfreq(len(middle), 1 / sample_rate)[spectrum.argmax()] == pytest.approx(hertz, rel=0.01)
    assert np.abs(samples[: sample_rate // 10]).max() < 0.01 * np.abs(samples).max()


@rendered
def test_mono_is_the_mean_of_stereo():
    midi = one_note(62, program=48)
    stereo, mono = (render_midi(midi, sample_rate=44100, channels=n) for n in (2, 1))
    np.testing.assert_allclose(mono[:, 0], stereo.mean(axis=1), atol=1e-6)
    assert np.abs(stereo[:, 0] - stereo[:, 1]).max() > 1e-4


@rendered
def test_the_same_seed_gives_the_same_samples():
    qualities = draw_qualities(11)
    first = labelled_clip(qualities, seed=11, seconds=3.0)
    np.testing.assert_array_equal(first, labelled_clip(qualities, seed=11, seconds=3.0))
    assert not np.array_equal(first, labelled_clip(qualities, seed=12, seconds=3.0))
    assert 0.19 < np.abs(first).max() <= 0.95
    assert len(first) == 3 * SAMPLE_RATE


@rendered
def test_a_folder_is_made_goes_on_and_is_the_same_elsewhere(tmp_path):
    seen = []
    table = labelled_set(2, seed=4, folder=tmp_path / "one", progress=seen.append, workers=1, seconds=2.0)
    assert seen == [0.5, 1.0]
    first = {path.name: path.read_bytes() for path in table.parent.glob("*.flac")}
    kept, lost = sorted(table.parent.glob("*.flac"))
    time = kept.stat().st_mtime_ns
    lost.unlink()
    labelled_set(3, seed=4, folder=tmp_path / "one", seconds=2.0)
    assert kept.stat().st_mtime_ns == time
    assert lost.read_bytes() == first[lost.name]
    with table.open() as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["file", *MIDLEVEL, "seed", "soundfont", "group"]
    assert [row["file"] for row in rows] == sorted(path.name for path in table.parent.glob("*.flac"))
    for row in rows:
        samples, sample_rate = soundfile.read(table.parent / row["file"])
        assert (len(samples), sample_rate) == (2 * SAMPLE_RATE, SAMPLE_RATE)
        qualities = {name: float(row[name]) for name in MIDLEVEL}
        again = labelled_clip(qualities, seed=int(row["seed"]), seconds=2.0)
        np.testing.assert_allclose(again, samples, atol=2e-4)


@rendered
def test_clips_whose_knobs_meant_something_else_are_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(labelled_music, "GENERATOR_VERSION", labelled_music.GENERATOR_VERSION - 1)
    old = read_table(labelled_set(1, seed=4, folder=tmp_path, seconds=1.0), prefix="known_")
    monkeypatch.undo()
    new = read_table(labelled_set(1, seed=4, folder=tmp_path, seconds=1.0), prefix="known_")
    assert len(old) == len(new) == 1
    assert old[0].path != new[0].path


@rendered
def test_series_are_written_with_what_is_turned(tmp_path):
    kinds = {"rules": MusicSource(), "again": MusicSource(compose, lambda seed: "one work")}
    table = render_sweeps(1, seed=2, folder=tmp_path, kinds=kinds, values=(0.0, 1.0), seconds=1.0)
    clips = read_table(table, prefix="known_")
    assert len(clips) == 2 * 2 * len(MIDLEVEL)
    with table.open() as handle:
        rows = list(csv.DictReader(handle))
    for series in {row["series"] for row in rows}:
        low, high = (row for row in rows if row["series"] == series)
        assert {name for name in MIDLEVEL if low[name] != high[name]} == {low["quality"]}
        assert (low["group"], low["seed"], low["soundfont"]) == (high["group"], high["seed"], high["soundfont"])
    assert len({row["group"] for row in rows}) == 1 + len(MIDLEVEL)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.flac")}
    render_sweeps(1, seed=2, folder=tmp_path, kinds=kinds, values=(0.0, 1.0), seconds=1.0)
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_the_seed_draws_the_sound_font(tmp_path):
    fonts = [tmp_path / "one.sf2", tmp_path / "two.sf2"]
    for font in fonts:
        font.touch()
    drawn = [draw_soundfont(fonts, seed) for seed in range(40)]
    assert drawn == [draw_soundfont(fonts, seed) for seed in range(40)]
    assert 10 <= drawn.count(fonts[0]) <= 30
    with pytest.raises(InputError, match=r"three\.sf2"):
        draw_soundfont([tmp_path / "three.sf2"], 1)


def envelope(samples):
    """Energy in frames of 10 ms."""
    return np.sqrt(np.mean(samples[: len(samples) // 220 * 220].reshape(-1, 220) ** 2, axis=1) + 1e-12)


def gaps(samples):
    """How much the level varies from frame to frame: detached notes leave valleys."""
    levels = envelope(samples)
    return float(levels.std() / levels.mean())


def pulse(samples):
    """The highest peak of the autocorrelation of the onsets between 0.25 and 1.5 s."""
    _, _, spectrum = scipy.signal.stft(samples, SAMPLE_RATE, nperseg=1024, noverlap=1024 - 256)
    flux = np.maximum(np.diff(np.log1p(1e3 * np.abs(spectrum)), axis=1), 0).sum(axis=0)
    flux -= flux.mean()
    lags = np.correlate(flux, flux, "full")[len(flux) - 1 :]
    return float(lags[21:130].max() / lags[0])


def brightness(samples):
    spectrum = np.abs(np.fft.rfft(samples))
    return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum())


@rendered
@pytest.mark.parametrize(
    ("feature", "measure"), [("articulation", gaps), ("rhythmic_stability", pulse), ("dissonance", brightness)]
)
def test_a_quality_is_heard_in_the_sound(feature, measure):
    rises = []
    for low, high in clips_at_both_ends(feature, 6, seed=77, seconds=8.0):
        rises.append(measure(high) / measure(low) - 1)
    assert np.mean(np.array(rises) > 0) >= 5 / 6
    assert np.mean(rises) > 0.1


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MOODFADER_SOUNDFONT", str(tmp_path / "none.sf2"))
    with pytest.raises(InputError, match=r"none\.sf2.*MOODFADER_SOUNDFONT"):
        find_soundfont()
    with pytest.raises(InputError, match="nowhere"):
        find_soundfont("nowhere.sf2")
    monkeypatch.setattr(fluidsynth, "LIBRARIES", ("libnothing.so.9",))
    with pytest.raises(InputError, match="Debian package fluidsynth"):
        require_fluidsynth()
    with pytest.raises(InputError, match="fluidsynth"):
        labelled_set(1, seed=1, folder=tmp_path / "never")
    assert not (tmp_path / "never").exists()


@rendered
def test_a_broken_sound_font_gives_one_line(monkeypatch, tmp_path):
    broken = tmp_path / "broken.sf2"
    broken.write_text("no sound font")
    monkeypatch.setenv("MOODFADER_SOUNDFONT", str(broken))
    for soundfont in (None, broken):
        with pytest.raises(InputError, match=r"broken\.sf2"):
            render_midi(one_note(60), soundfont=soundfont)


@rendered
def test_a_piece_leaves_nothing_in_the_next():
    other = compose(draw_qualities(3), seed=3, seconds=3.0)
    alone = render_midi(one_note(60), room=ReverbSettings(level=0.9, size=0.9))
    render_midi(other)
    np.testing.assert_array_equal(render_midi(one_note(60), room=ReverbSettings(level=0.9, size=0.9)), alone)


@rendered
def test_two_threads_render_what_one_does():
    pieces = [compose(draw_qualities(seed), seed=seed, seconds=2.0) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(render_midi, pieces))
    for piece, samples in zip(pieces, together, strict=True):
        np.testing.assert_array_equal(samples, render_midi(piece))


@rendered
@pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="the fluidsynth program is not on the PATH")
def test_the_program_renders_the_same(tmp_path):
    parts = [Part(program, reverb=60, chorus=30) for program in (0, 48, 73)]
    for index, part in enumerate(parts):
        part.add(0.2 + index, 1.5, 60 + 4 * index, 90)
    midi = to_midi(parts, seconds=4.0)
    midi.save(tmp_path / "score.mid")
    settings = ["-o", "synth.reverb.room-size=0.6", "-o", "synth.reverb.damp=0.3", "-o", "synth.reverb.level=0.6"]
    settings += ["-o", "synth.reverb.width=1", "-o", "synth.chorus.depth=4", "-o", "synth.chorus.level=1"]
    settings += ["-o", f"synth.polyphony={fluidsynth.POLYPHONY}"]
    output = ["-T", "wav", "-O", "float", "-r", "44100", "-F", str(tmp_path / "sound.wav")]
    command = ["fluidsynth", "-ni", "-q", "-g", "0.4", *settings, *output, str(find_soundfont())]
    subprocess.run([*command, str(tmp_path / "score.mid")], check=True)
    theirs, _ = soundfile.read(tmp_path / "sound.wav", always_2d=True)
    ours = render_midi(midi)
    whole = slice(0, len(ours) - 64)  # the program ends with its last block
    assert np.abs(theirs[: len(ours)] - ours)[whole].max() < 1e-4


def test_a_codec_keeps_the_music_and_loses_the_noise():
    rng = np.random.default_rng(0)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    noisy = tone + 0.02 * rng.standard_normal(SAMPLE_RATE)
    for kind in ("MP3", "OGG"):
        back = codec_round_trip(noisy, kind, 0.9)
        assert back.shape == noisy.shape
        assert np.corrcoef(back[2000:-2000], tone[2000:-2000])[0, 1] > 0.99
        lost = np.abs(np.fft.rfft(back - noisy))
        assert lost[8000:].mean() > 0.3 * np.abs(np.fft.rfft(noisy))[8000:].mean()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"sample_rate": 44}, "in kHz"), ({"channels": 6}, "mono"), ({"sample_rate": 192000}, "192000")],
)
def test_wrong_settings_are_named(settings, words):
    with pytest.raises(InputError, match=words):
        render_midi(one_note(60), **settings)


@rendered
@pytest.mark.parametrize(
    "checkpoint",
    [
        pytest.param(default_checkpoint(), id="default"),
        pytest.param(pretrained_checkpoint(), id="known", marks=pytest.mark.slow),
    ],
)
def test_the_models_that_ship_hear_what_is_turned(checkpoint):
    model = load_model(checkpoint)
    hear = LogSpectrogram()
    for feature in MIDLEVEL:
        ends = []
        for clips in clips_at_both_ends(feature, 3, seed=2026):
            with torch.inference_mode():
                midlevel, _ = model.network(hear(torch.from_numpy(np.stack(clips))))
            ends.append((midlevel[1] - midlevel[0])[MIDLEVEL.index(feature)].item())
        assert np.mean(ends) > 0.2, f"{feature} moves by {ends} while it is turned from 0 to 1"
