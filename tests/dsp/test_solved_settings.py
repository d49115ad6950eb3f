"""Presets as wholes, live: at a solved setting the gains are the solved ones, and every way there is smooth."""

import numpy as np
import pytest
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask, segment_gain_db
from moodfader.engine.dsp.solved_settings import REACH_DB, SolvedSetting, correction_db
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.events import ANALYSIS_READY, ROOT, SETTING_SOLVED, read_setting, setting_text
from moodfader.engine.performance.performance import SetRenderer
from moodfader.engine.performance.replay import replay
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError

SEGMENTS = 12
PRESET = np.array([6.0, 0.0, -4.5, 0.0, 0.0, 3.0, 0.0])
OTHER = np.array([6.0, 0.0, -4.5, 0.0, 2.0, 3.0, 0.0])


def masks(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (SEGMENTS, 14)).astype(np.float32)


def solved(faders_db: np.ndarray, seed: int) -> SolvedSetting:
    return SolvedSetting(faders_db, np.random.default_rng(seed).normal(0, 2, SEGMENTS).astype(np.float32))


def test_at_a_setting_the_gains_are_the_solved_ones() -> None:
    settings = [solved(PRESET, 1), solved(OTHER, 2)]
    for setting in settings:
        gains = segment_gain_db(masks(), setting.faders_db, settings)
        np.testing.assert_allclose(
            gains, segment_gain_db(masks(), setting.faders_db) + setting.correction_db, atol=1e-5
        )


def test_far_from_all_settings_the_faders_add_up() -> None:
    settings = [solved(PRESET, 1)]
    for faders_db in (np.zeros(7), -PRESET, PRESET + np.eye(7)[1] * REACH_DB):
        assert correction_db(settings, faders_db) is None
        np.testing.assert_array_equal(
            segment_gain_db(masks(), faders_db, settings), segment_gain_db(masks(), faders_db)
        )


@pytest.mark.parametrize("begin", [np.zeros(7), OTHER, np.full(7, 12.0), -PRESET])
def test_ways_to_a_setting_are_smooth(begin: np.ndarray) -> None:
    settings = [solved(PRESET, 1), solved(OTHER, 2)]
    steps = np.linspace(0, 1, 2001)[:, None]
    way = np.stack([segment_gain_db(masks(), place, settings) for place in begin + steps * (PRESET - begin)])
    assert np.abs(np.diff(way, axis=0)).max() < 0.1
    np.testing.assert_allclose(way[-1], segment_gain_db(masks(), PRESET) + settings[0].correction_db, atol=1e-5)


def test_on_the_way_from_zero_there_is_a_share() -> None:
    setting = solved(PRESET, 1)
    for share in (0.25, 0.5, 0.75):
        np.testing.assert_allclose(correction_db([setting], share * PRESET), share * setting.correction_db, rtol=1e-5)


def test_text_of_a_setting_is_exact() -> None:
    faders_db = tuple(np.random.default_rng(3).uniform(-12, 12, 7).tolist())
    assert read_setting(setting_text(3, faders_db)) == (3, faders_db)
    for text in (
        "",
        "0 1 2",
        "0 1 2 3 4 5 6 13",
        "-1 0 0 0 0 0 0 0",
        "a 0 0 0 0 0 0 0",
        "0 nan 0 0 0 0 0 0",
        7,
        None,
    ):
        with pytest.raises(ValueError, match=r".+"):
            read_setting(text)


def test_played_and_replayed_preset_is_what_was_solved(tmp_path) -> None:
    """The same samples as under a mask of the solved gains, and again from the recording; the mask alone sounds
    otherwise.
    """
    rate, length = 22050, 40000
    rng = np.random.default_rng(5)
    labels = rng.integers(0, SEGMENTS, (60, 149)).astype(np.int32)
    sound = rng.normal(0, 0.05, (length, 1)).astype(np.float32)
    mask, setting = SegmentMask(labels, masks(), sample_rate=rate), solved(PRESET, 1)
    text = setting_text(0, PRESET.tolist())

    def play(mask: SegmentMask, faders_db: np.ndarray, *, whole: bool) -> tuple[np.ndarray, list]:
        renderer = SetRenderer([SampleBuffer.from_array(sound, sample_rate=rate)])
        renderer.masks[0] = mask
        renderer.settings[text] = setting
        events = [(ANALYSIS_READY, 0), *([(SETTING_SOLVED, text)] if whole else ())]
        events += [(f"{ROOT}midlevel/{name}", float(db)) for name, db in zip(MIDLEVEL, faders_db, strict=True)]
        events.append((f"{ROOT}transport/play", 1))
        applied = [event for pair in events for event in renderer.command(*pair)]
        blocks = []
        while sum(map(len, blocks)) < 20000:
            blocks.append(renderer.step())
        return np.concatenate(blocks)[:20000, 0], applied

    as_solved = np.zeros((SEGMENTS, 7), np.float32)
    as_solved[:, 0] = (segment_gain_db(masks(), PRESET) + setting.correction_db) / 12
    wanted, _ = play(SegmentMask(labels, as_solved, sample_rate=rate), np.eye(7)[0] * 12, whole=False)
    played, applied = play(mask, PRESET, whole=True)
    summed, _ = play(mask, PRESET, whole=False)
    np.testing.assert_allclose(played[4000:], wanted[4000:], atol=1e-5)
    assert np.abs(summed - wanted)[4000:].max() > 0.01

    path = tmp_path / "played.jsonl"
    with AutomationWriter(path) as writer:
        writer.begin(sample_rate=rate, channels=1, ceiling_dbtp=-1.0, tracks=["sound.wav"])
        for event in applied:
            about = {"digest": "a", "model": "b"} if event.address == ANALYSIS_READY else {}
            writer.write({"at": 0, "address": event.address, "value": event.value, **about})
        writer.write({"at": len(played), "end": True})
    import soundfile

    soundfile.write(tmp_path / "sound.wav", sound, rate, subtype="FLOAT")
    replay(
        read_automation(path),
        tmp_path / "again.wav",
        tracks=(tmp_path / "sound.wav",),
        steering=lambda number, file: (mask, "a", "b"),
        settings=lambda number, file, faders_db: setting,
    )
    again, _ = soundfile.read(tmp_path / "again.wav", dtype="float32")
    np.testing.assert_array_equal(again, played)


@pytest.mark.parametrize("value", ["0 1 2", "1 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 99", 3])
def test_refused_settings_of_a_recording(tmp_path, value) -> None:
    path = tmp_path / "played.jsonl"
    with AutomationWriter(path) as writer:
        writer.begin(sample_rate=44100, channels=1, ceiling_dbtp=-1.0, tracks=["sound.wav"])
        writer.write({"at": 0, "address": SETTING_SOLVED, "value": value})
    with pytest.raises(InputError, match=r"line 2: (there is no track|.* is no solved setting)"):
        read_automation(path)
