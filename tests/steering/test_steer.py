"""The command `steer`: what it writes, what it says of it, and what it refuses."""

import json

import numpy as np
import pytest
import soundfile
from moodfader.control.cli import run
from moodfader.engine import load_track
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.steering.handles import HANDLES, handle_fields
from moodfader.models.common.constants import EMOTIONS
from moodfader.models.inference.checkpoint import load_model

KEYS = {
    "file": str,
    "output": str,
    "duration_s": float,
    "asked": dict,
    "kept": list,
    "reachable": bool,
    "reached": dict,
    "judges": (dict, type(None)),
    "midlevel": dict,
    "emotions": dict,
    "gain_rms_db": float,
    "gain_max_db": float,
    "quality": (dict, type(None)),
    "loudness_lufs": dict,
    "true_peak_dbtp": float,
    "seconds": float,
}


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> str:
    """Eight seconds of the track that ships, 44.1 kHz stereo."""
    from importlib.resources import files

    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=8 * 44100)
    path = tmp_path_factory.mktemp("music") / "demo.wav"
    soundfile.write(path, sound, rate)
    return str(path)


def steered(capsys, *arguments) -> dict:
    assert run(["steer", *map(str, arguments), "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def test_target_is_reached_on_the_written_file(music, place, capsys) -> None:
    output = place / "tender.flac"
    said = steered(capsys, music, "--toward", "tender=+0.03", "--keep", "energy", "-o", output, "--judges")
    assert {key: isinstance(said[key], kind) for key, kind in KEYS.items()} == dict.fromkeys(KEYS, True)
    assert set(said) == set(KEYS)
    assert said["asked"] == {"tender": 0.03}
    assert said["kept"] == ["energy"]
    assert said["reachable"]
    assert said["reached"]["tender"] == pytest.approx(0.03, rel=0.1)
    assert said["gain_rms_db"] <= 5.5  # (5.02 with the weights 4dac98e1df36)
    assert said["true_peak_dbtp"] <= -1
    assert list(said["judges"]) == ["network", "measures", "tagger"]
    assert all(set(moved) == set(EMOTIONS) for moved in said["judges"].values())
    # measured again, at the scale of the original
    track, made, model = load_track(music), load_track(output), load_model()
    lowered = min(0.0, made.loudness_lufs - track.loudness_lufs)
    before = predict_track(track, model).emotions
    after = predict_track(made, model, scale=track.network_peak * 10 ** (lowered / 20), like=track).emotions
    assert after["tender"] - before["tender"] == pytest.approx(said["reached"]["tender"], abs=2e-3)
    assert abs(after["energy"] - before["energy"]) < 0.2 * 0.03 + 2e-3
    assert made.samples == track.samples
    assert made.loudness_lufs == pytest.approx(track.loudness_lufs + lowered, abs=0.1)


def test_curve_moves_the_end_and_not_the_beginning(music, place, capsys) -> None:
    curve = place / "cue.csv"
    curve.write_text("time_s,tension\n0,0\n4,0\n6,0.08\n8,0.08\n")
    said = steered(capsys, music, "--curve", curve, "-o", place / "out.wav")
    before, _ = soundfile.read(music, dtype="float32")
    after, _ = soundfile.read(place / "out.wav", dtype="float32")
    gain = 10 ** ((said["loudness_lufs"]["after"] - said["loudness_lufs"]["before"]) / 20)
    early = slice(0, 3 * 44100)
    scale = np.abs(after[early]).max() / np.abs(before[early]).max()
    np.testing.assert_allclose(after[early], scale * before[early], atol=1e-4)
    late = slice(6 * 44100, 8 * 44100)
    assert np.abs(after[late] - scale * before[late]).max() > 0.01
    assert gain < 1.5
    assert 0 < said["asked"]["tension"] < 0.08


def test_same_request_same_file(music, place, capsys) -> None:
    for name in ("a.wav", "b.wav"):
        steered(capsys, music, "--toward", "sad=0.03", "-o", place / name)
    assert (place / "a.wav").read_bytes() == (place / "b.wav").read_bytes()


def test_a_curve_that_goes_on_after_the_track_is_noted(music, place, capsys) -> None:
    curve = place / "cue.csv"
    curve.write_text("time_s,sad\n0,0.03\n3000,0.05\n")
    assert run(["steer", music, "--curve", str(curve), "-o", str(place / "o.wav")]) == 0
    assert "cue.csv: goes on to 3000 s, the track ends at" in capsys.readouterr().err


def test_what_cannot_be_reached_is_said_in_a_line(music, place, capsys) -> None:
    arguments = ["steer", music, "--toward", "happy=0.9", "--max-rms-db", "1", "-o", str(place / "o.wav"), "-q"]
    assert run(arguments) == 0
    assert "happy +0.90 cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--toward", "tendr=0.1"), "did you mean tender"),
        (("--toward", "tender=0.1", "--keep", "tender"), "to be moved and to be kept"),
        (("--toward", "tender"), "not EMOTION=SHIFT"),
        (("--toward", "tender=x"), "not EMOTION=SHIFT"),
        (("--toward", "tender=0.1", "--toward", "tender=0.2"), "named twice"),
        ((), "--toward EMOTION=SHIFT or by --curve"),
        (("--toward", "tender=0.1", "--max-rms-db", "100"), "out of range"),
        (("--toward", "tender=0.1", "--min-quality", "9"), "out of range"),
        (("--toward", "tender=0.1", "--ceiling", "3"), "dBTP"),
        (("--curve", "nowhere.csv"), "no such curve"),
    ],
)
def test_refused_requests(arguments, said, music, place, refused) -> None:
    refused(["steer", music, *arguments, "-o", place / "out.wav"], said, place=place)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,0.1\n2\n", "row 3: 1 cells"),
        ("0,0.1\n2,\n", "row 3: tender is '', not a number"),
        ("0,0.1\n2,nan\n", "row 3: tender is 'nan', not a number"),
        ("nan,0.1\n", "row 2: time_s is 'nan', not a number"),
        ("2,0.1\n1,0.1\n", "row 3: time_s 1 does not follow"),
        ("20,0.1\n", "the track ends at 8.00 s"),
    ],
)
def test_refused_curves(rows, said, music, place, refused) -> None:
    (place / "cue.csv").write_text("time_s,tender\n" + rows)
    refused(["steer", music, "--curve", place / "cue.csv", "-o", place / "out.wav"], said, place=place)


def test_emotions_that_are_kept_and_have_a_curve_are_refused(music, place, refused) -> None:
    (place / "cue.csv").write_text("time_s,tender\n0,0.1\n")
    arguments = ["steer", music, "--curve", place / "cue.csv", "--keep", "Tender", "-o", place / "out.wav"]
    refused(arguments, "to be moved and to be kept", place=place)


def test_refused_tracks(place, refused) -> None:
    soundfile.write(place / "short.wav", np.full(8000, 0.1), 44100)
    soundfile.write(place / "silent.wav", np.zeros(88200), 44100)
    refused(["steer", place / "short.wav", "--toward", "sad=0.1", "-o", place / "o.wav"], "one second", place=place)
    refused(["steer", place / "silent.wav", "--toward", "sad=0.1", "-o", place / "o.wav"], "silent", place=place)


def test_a_second_of_sound_is_enough(place, capsys) -> None:
    rng = np.random.default_rng(0)
    soundfile.write(place / "in.wav", 0.2 * rng.standard_normal(22050), 22050)
    said = steered(capsys, place / "in.wav", "--toward", "tension=-0.02", "-o", place / "out.wav")
    assert said["duration_s"] == pytest.approx(1.0)
    assert (place / "out.wav").exists()


def test_handles_are_broad_and_bounded() -> None:
    picture = np.random.default_rng(0).uniform(0, 1, (300, 149)).astype(np.float32)
    fields = handle_fields(picture)
    assert fields.shape == (len(HANDLES), 300, 149)
    assert np.abs(fields).max() <= 1.0 + 1e-6
    np.testing.assert_allclose(fields[:9].sum(0), 1.0, atol=1e-6)  # the bands are a whole
