"""The offline render: what is written, what is said about it, and that nothing is left behind when it fails."""

import dataclasses
import json

import mutagen
import numpy as np
import pytest
import soundfile
from moodfader.control.console.tables import level_notes, render_lines
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import expected_emotions
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.render.level_controlled_write import write_with_levels
from moodfader.engine.render.render import render
from moodfader.models.common.constants import MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.signal.soft_limit import soft_limit, unlimited
from scipy.signal import resample_poly

STEERED = Faders(modality=8, articulation=-6)


def song(seconds=4.0, sample_rate=44100, channels=2, level=0.3, seed=0):
    """Chords and noise bursts."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    sound = 0.2 * rng.standard_normal((len(time), channels)) * (np.exp(-(time % 0.5) * 12))[:, None]
    for number, frequency in enumerate((220, 277, 330, 880, 1760)):
        on = np.sin(2 * np.pi * time * (0.3 + 0.1 * number)) > 0
        sound += (on * np.sin(2 * np.pi * frequency * time))[:, None] * rng.uniform(0.3, 1, channels)
    return (level * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    path = tmp_path_factory.mktemp("track") / "song.flac"
    soundfile.write(path, song(), 44100, subtype="PCM_24")
    tags = mutagen.File(path)
    tags["title"] = "Étude"
    tags.save()
    return load_track(path)


@pytest.fixture(scope="module")
def analysis(track, random_model):
    return analyze_track(track, random_model, AnalysisSettings(passes=64, coupled=True))


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def true_peak_db(sound):
    return 20 * np.log10(np.abs(resample_poly(sound.astype(np.float64), 8, 1, axis=0)).max())


def chance_map(track, strength=1.0, segments=60):
    """Labels and mask weights by chance, for renders of sounds that need no analysis."""
    rng = np.random.default_rng(3)
    frames = round(track.duration_s * 31.32) + 1
    labels = (np.arange(frames)[:, None] // 12 * 19 + np.arange(N_BANDS) // 8).astype(np.int32) % segments
    return labels, (strength * rng.uniform(-1, 1, (segments, 7))).astype(np.float32)


def test_everything_that_is_said_is_so(tmp_path, track, analysis, random_model):
    output = tmp_path / "out.flac"
    fractions = []
    rendered = render(track, analysis, output, faders=STEERED, model=random_model, progress=fractions.append)
    written = load_track(output)
    assert (rendered.file, rendered.output) == (str(track.path), str(output))
    assert rendered.duration_s == track.duration_s == written.duration_s
    assert rendered.seconds > 0
    before = predict_track(track, random_model)
    # (what coupled faders make is heard at the track's own scale, lowered by the head-room)
    scale = track.network_peak * 10 ** (-rendered.headroom_db / 20)
    after = predict_track(written, random_model, scale=scale, like=track)
    assert rendered.midlevel == {"before": before.midlevel, "after": after.midlevel}
    assert rendered.emotions["before"] == before.emotions
    assert rendered.emotions["after"] == after.emotions
    shift = expected_emotions(analysis, STEERED.to_array(), random_model)
    expected = soft_limit(unlimited(list(before.emotions.values())) + list(shift.values()))
    assert list(rendered.emotions["surrogate"].values()) == pytest.approx(list(expected))
    assert rendered.loudness_lufs == {"before": track.loudness_lufs, "after": written.loudness_lufs}
    assert rendered.true_peak_dbtp == pytest.approx(true_peak_db(read(output)), abs=0.05)
    assert (rendered.gain_db, rendered.loudness_matched) == (0.0, None)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert set(json.loads(json.dumps(dataclasses.asdict(rendered)))["midlevel"]["after"]) == set(MIDLEVEL)
    assert mutagen.File(output)["title"] == ["Étude"]
    assert soundfile.info(output).subtype == "PCM_24"
    assert list(tmp_path.iterdir()) == [output]


def test_the_file_is_what_the_live_processor_gives(tmp_path, track, analysis, random_model):
    render(
        track, analysis, tmp_path / "out.wav", faders=STEERED, model=random_model, bit_depth="float", together=False
    )
    live = SteeredSound(analysis.mask_labels, analysis.mask_weights, sample_rate=44100, channels=2)
    blocks = [live.process(block, STEERED) for block in track.blocks(block_length=512)]
    np.testing.assert_array_equal(read(tmp_path / "out.wav"), np.concatenate([*blocks, live.flush()]))


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_neutral_faders_write_the_input(tmp_path, sample_rate, channels):
    soundfile.write(tmp_path / "in.wav", song(1.23, sample_rate, channels), sample_rate, subtype="FLOAT")
    track = load_track(tmp_path / "in.wav")
    write_with_levels(track, *chance_map(track), tmp_path / "out.wav", faders=Faders(), bit_depth="float")
    np.testing.assert_array_equal(read(tmp_path / "out.wav"), read(tmp_path / "in.wav"))
    write_with_levels(track, *chance_map(track), tmp_path / "out.flac", faders=Faders())
    np.testing.assert_allclose(read(tmp_path / "out.flac"), read(tmp_path / "in.wav"), atol=2**-24)


def test_neutral_faders_keep_sixteen_bits_as_they_are(tmp_path):
    soundfile.write(tmp_path / "in.wav", song(), 44100, subtype="PCM_16")
    track = load_track(tmp_path / "in.wav")
    write_with_levels(track, *chance_map(track), tmp_path / "out.wav", faders=Faders(), bit_depth="16")
    np.testing.assert_array_equal(read(tmp_path / "out.wav"), read(tmp_path / "in.wav"))


def test_an_untouched_track_above_full_scale_is_brought_down_where_it_would_clip(tmp_path):
    soundfile.write(tmp_path / "hot.wav", song(level=1.7), 44100, subtype="FLOAT")
    track = load_track(tmp_path / "hot.wav")
    written = write_with_levels(track, *chance_map(track), tmp_path / "float.wav", faders=Faders(), bit_depth="float")
    assert written.gain_db == 0
    np.testing.assert_array_equal(read(tmp_path / "float.wav"), read(tmp_path / "hot.wav"))
    written = write_with_levels(track, *chance_map(track), tmp_path / "out.wav", faders=Faders())
    assert written.gain_db == pytest.approx(-20 * np.log10(1.7), abs=0.01)
    np.testing.assert_allclose(read(tmp_path / "out.wav") * 1.7, read(tmp_path / "hot.wav"), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "bit_depth"), [("a.wav", "24"), ("a.wav", "16"), ("a.wav", "float"), ("a.flac", "16"), ("a.ogg", "24")]
)
@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -3.0])
def test_the_ceiling_holds_in_the_written_file(tmp_path, name, bit_depth, ceiling_dbtp):
    soundfile.write(tmp_path / "hot.wav", song(level=1.2), 44100, subtype="FLOAT")
    track = load_track(tmp_path / "hot.wav")
    written = write_with_levels(
        track,
        *chance_map(track),
        tmp_path / name,
        faders=STEERED,
        bit_depth=bit_depth,
        ceiling_dbtp=ceiling_dbtp,
    )
    assert true_peak_db(read(tmp_path / name)) <= ceiling_dbtp
    assert written.true_peak_dbtp <= ceiling_dbtp


@pytest.mark.parametrize("faders", [Faders(modality=12, dissonance=9), Faders(modality=-12, melodiousness=-12)])
@pytest.mark.parametrize("level", [0.05, 0.5])
def test_the_loudness_is_matched_within_a_tenth(tmp_path, faders, level):
    soundfile.write(tmp_path / "in.wav", song(6.0, level=level), 44100, subtype="FLOAT")
    track = load_track(tmp_path / "in.wav")
    written = write_with_levels(
        track, *chance_map(track), tmp_path / "out.wav", faders=faders, match_loudness=True, bit_depth="float"
    )
    assert load_track(tmp_path / "out.wav").loudness_lufs == pytest.approx(track.loudness_lufs, abs=0.1)
    assert written.gain_db != 0
    assert written.true_peak_dbtp <= -1


def test_a_loudness_that_the_ceiling_forbids_is_said_to_be_missed(tmp_path, random_model):
    soundfile.write(tmp_path / "in.wav", song(2.0, level=1.0), 44100, subtype="FLOAT")
    track = load_track(tmp_path / "in.wav")
    analysis = analyze_track(track, random_model, AnalysisSettings(passes=64, coupled=True))
    rendered = render(
        track,
        analysis,
        tmp_path / "out.wav",
        faders=Faders(modality=1),
        model=random_model,
        match_loudness=True,
        ceiling_dbtp=-20,
    )
    assert rendered.loudness_matched is False
    assert rendered.true_peak_dbtp <= -20
    assert rendered.loudness_lufs["after"] < rendered.loudness_lufs["before"] - 1
    assert rendered.gain_db == 0  # (all of a higher one would only be limited away)
    assert "the ceiling does not allow it" in render_lines(rendered)[0]
    raised = dataclasses.replace(rendered, gain_db=1.7, loudness_lufs={"before": -17.1, "after": -18.0})
    (note,) = level_notes(raised, track, ceiling_dbtp=-20, neutral=False)
    assert note.startswith("the output was turned up by 1.7 dB and stays 0.9 LU below the input's loudness")


def test_a_loudness_too_quiet_to_be_measured_is_not_said_to_match(tmp_path, random_model):
    soundfile.write(tmp_path / "in.wav", song(2.0, level=2e-4), 44100, subtype="FLOAT")
    track = load_track(tmp_path / "in.wav")
    analysis = analyze_track(track, random_model, AnalysisSettings(passes=64, coupled=True))
    rendered = render(
        track, analysis, tmp_path / "out.wav", faders=Faders(modality=9), model=random_model, match_loudness=True
    )
    assert track.loudness_lufs == -70
    assert rendered.loudness_matched is False
    assert "below -70 -> below -70 LUFS (not matched: too quiet to be measured)" in render_lines(rendered)[0]


def test_the_same_render_gives_the_same_file(tmp_path, track, analysis, random_model):
    for name in ("a.wav", "b.wav"):
        render(track, analysis, tmp_path / name, faders=STEERED, model=random_model, bit_depth="16")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_what_is_refused(tmp_path, track, analysis, random_model):
    output = tmp_path / "out.wav"
    render_it = {"faders": STEERED, "model": random_model}
    other = dataclasses.replace(analysis, track_digest="0" * 64)
    for fits, path, options, says in (
        (other, output, {}, "of another sound"),
        (analysis, track.path, {"overwrite": True}, "the input itself"),
        (analysis, tmp_path / "out.mp3", {}, "must end in"),
        (analysis, output, {"bit_depth": "12"}, "'12' is not known"),
        (analysis, output, {"ceiling_dbtp": 3.0}, "ceiling 3 dBTP is out of range"),
        (analysis, output, {"ceiling_dbtp": float("nan")}, "out of range"),
        (analysis, output, {"device": "abacus"}, "no device is called 'abacus'"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            render(track, fits, path, **render_it, **options)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_is_replaced_only_when_asked_for(tmp_path, track, analysis, random_model):
    output = tmp_path / "out.wav"
    output.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        render(track, analysis, output, faders=STEERED, model=random_model)
    assert output.read_bytes() == b"precious"
    render(track, analysis, output, faders=STEERED, model=random_model, overwrite=True)
    assert soundfile.info(output).frames == track.samples


@pytest.mark.parametrize("at", [0.2, 0.5, 0.85])
def test_ctrl_c_leaves_the_old_file_and_no_partial_one(tmp_path, track, analysis, random_model, at):
    output = tmp_path / "out.wav"
    output.write_bytes(b"precious")

    def interrupt(fraction):
        if fraction > at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(track, analysis, output, faders=STEERED, model=random_model, overwrite=True, progress=interrupt)
    assert output.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [output]
