"""The one owner of state: checked values in, frozen values out, and a recording of what took effect."""

import select
import threading

import numpy as np
import pytest
import soundfile
from helpers.offline_player import OfflinePlayer
from moodfader.control.cli import run
from moodfader.control.parameters.table import PARAMETERS, ROOT
from moodfader.control.session.session import Session
from moodfader.control.session.values.change_signal import ChangeSignal
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.processes.messages import PlayerMeters
from moodfader.models.common.constants import MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError

RATE = 22050
FADER = f"{ROOT}/midlevel/modality"


def samples(seconds=3.0):
    return (0.2 * np.random.default_rng(1).uniform(-1, 1, (round(seconds * RATE), 2))).astype(np.float32)


@pytest.fixture
def offline(tmp_path):
    """A session that plays as fast as it is asked to, its player, and where it records."""
    record = tmp_path / "kept.jsonl"
    session = Session(record=AutomationWriter(record))
    known = SegmentMask(np.zeros((100, N_BANDS), np.int32), np.ones((1, 7), np.float32), sample_rate=RATE)
    player = OfflinePlayer([SampleBuffer.from_array(samples(), sample_rate=RATE)], [known], session.handle_message)
    session.attach(player, tracks=["a.wav"])
    yield session, player, record
    session.close()


def test_it_begins_with_the_defaults_of_the_table():
    assert Session().state() == {control.address: control.default for control in PARAMETERS}


def test_listeners_are_told_of_changes_that_they_can_read():
    session, told = Session(), []
    stop = session.watch(lambda changed: told.append({address: session.get(address) for address in changed}))
    session.set(FADER, 3.0)
    assert told[0][FADER] == 3.0
    count = len(told)
    session.set(f"{ROOT}/wet", 1.0)  # (as it is)
    assert len(told) == count
    stop()
    session.set(FADER, 4.0)
    assert len(told) == count


def test_a_signal_wakes_who_waits_for_a_change_until_it_is_cleared():
    def is_set():
        return bool(select.select([signal.socket], [], [], 0)[0])

    session = Session()
    signal = ChangeSignal(session)
    assert not is_set()
    for value in range(12):
        session.set(FADER, value)
    assert is_set()
    signal.clear()
    assert not is_set()
    for _ in range(100_000):  # (more than it holds, and nobody reads)
        signal.set()
    assert is_set()
    signal.clear()
    assert not is_set()
    signal.close()
    session.set(FADER, 0.5)
    assert session._state.values._observers == ()


@pytest.mark.parametrize(
    ("address", "value", "complaint"),
    [
        (FADER, 12.5, "out of range"),
        (FADER, float("nan"), "finite"),
        (FADER, "loud", "wants a number"),
        (f"{ROOT}/midlevel/modalty", 1, "did you mean"),
        (f"{ROOT}/meter/load", 0.5, "only be watched"),
        (f"{ROOT}/emotion/happy", 0.5, "only be watched"),
        (f"{ROOT}/preset/load", "../../etc/passwd", "no preset"),
        (f"{ROOT}/wet", None, "wants a number"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(address, value, complaint):
    session = Session()
    before = session.changes_since(0)
    with pytest.raises(InputError, match=complaint):
        session.set(address, value)
    assert session.changes_since(0) == before


def test_changes_since_a_version_are_the_newest_values_of_what_changed():
    session = Session()
    version, everything = session.changes_since(0)
    assert everything == session.state()
    session.set(FADER, 3)
    session.set(FADER, 4.5)
    session.set(f"{ROOT}/bypass", 1)
    newer, changes = session.changes_since(version)
    assert changes == {FADER: 4.5, f"{ROOT}/bypass": True, f"{ROOT}/state/undo": 1}
    assert session.changes_since(newer) == (newer, {})
    session.set(FADER, 4.5)  # nothing new
    assert session.changes_since(newer) == (newer, {})


def test_a_preset_sets_all_seven():
    session = Session()
    session.set(f"{ROOT}/midlevel/dissonance", 5)
    from moodfader.control.session.presets import available_presets, find_preset

    name = next(iter(available_presets()))
    session.set(f"{ROOT}/preset/load", name)
    gains_db = find_preset(name).gains_db
    assert [session.get(f"{ROOT}/midlevel/{feature}") for feature in MIDLEVEL] == [
        gains_db.get(feature, 0.0) for feature in MIDLEVEL
    ]


def test_many_threads_lose_no_change():
    session = Session()

    def work(number):
        for value in range(200):
            session.set(f"{ROOT}/midlevel/{MIDLEVEL[number]}", (value % 25) - 12)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [session.get(f"{ROOT}/midlevel/{name}") for name in MIDLEVEL] == [199 % 25 - 12] * 4 + [0.0] * 3


def test_pause_is_the_other_side_of_play(offline):
    session, player, _ = offline
    session.set(f"{ROOT}/transport/play", True)
    player.render(10000)
    session.set(f"{ROOT}/transport/pause", 0)  # the release of a button
    assert session.get(f"{ROOT}/transport/play") is True
    session.set(f"{ROOT}/transport/pause", 1)
    assert session.get(f"{ROOT}/transport/play") is False
    player.render(5000)
    assert not player.render(1000).any()
    assert session.changes_since(0)[1][f"{ROOT}/transport/play"] is False


def test_tracks_are_gone_to_by_number_and_by_buttons():
    session = Session()
    gone = []

    class Silent:
        sample_rate, channels, block_length, samples_played = RATE, 2, 512, 0

        def set(self, address, value):
            gone.append((address, value))

        def meters(self):
            return PlayerMeters(0, 0.0, 1.0, False, False, 0.0, 0.0, 0, 0, 0, 0.0)

        def close(self):
            pass

    session.attach(Silent(), tracks=["a.wav", "b.wav", "c.wav"])
    assert session.get(f"{ROOT}/transport/tracks") == 3
    for address, value in (("next", True), ("next", 1), ("next", 0), ("next", 1), ("previous", 1), ("track", 0)):
        session.set(f"{ROOT}/transport/{address}", value)
    session.set(f"{ROOT}/transport/previous", True)
    track = f"{ROOT}/transport/track"
    assert gone == [(track, number) for number in (1, 2, 2, 1, 0, 0)]
    with pytest.raises(InputError, match="they go from 0 to 2"):
        session.set(track, 3)
    session.set(FADER, 5)
    session.set(f"{ROOT}/zero", True)
    assert session.get(FADER) == 0


def test_it_follows_the_player_to_the_end_and_records_what_took_effect(offline):
    session, player, record = offline
    session.set(f"{ROOT}/transport/play", True, source="osc 127.0.0.1:9")
    player.render(20000)
    session.set(FADER, 6)
    session.set(FADER, 7)
    player.render(20000)
    session.refresh()
    assert session.get(f"{ROOT}/transport/position") == pytest.approx(40000 / RATE, abs=0.05)
    player.render(40000)
    session.refresh()
    assert session.get(f"{ROOT}/transport/play") is False
    session.close()
    history = read_automation(record)
    assert history.samples == 80000
    wanted = [(f"{ROOT}/track/ready", 0), (f"{ROOT}/transport/play", True), (FADER, 6.0), (FADER, 7.0)]
    assert [(change.address, change.value) for change in history.changes] == wanted
    assert all(change.at % 256 == 0 for change in history.changes)
    assert '"source": "osc 127.0.0.1:9"' in record.read_text()


# the command


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--backend", "alsa"], "no back end is called 'alsa'"),
        (["--block", "7"], "--block 7"),
        (["--rate", "44"], "in kHz?"),
        (["--ceiling", "3"], "--ceiling 3"),
        (["--channels", "99"], "--channels 99"),
        (["--set", "modality=13"], "out of range"),
    ],
)
def test_play_tells_what_is_wrong_before_it_opens_anything(arguments, complaint, capsys, tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, samples(), RATE)
    assert run(["play", str(path), "--backend", "null", "--no-osc", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_play_ends_with_the_track_and_its_recording_renders(tmp_path, capsys, random_model):
    path, kept, output = tmp_path / "song.wav", tmp_path / "kept.jsonl", tmp_path / "again.wav"
    soundfile.write(path, samples(1.5), RATE, subtype="FLOAT")
    played = ["play", str(path), "--backend", "null", "--no-osc", "--json", "--record", str(kept)]
    assert run([*played, "--model", str(random_model.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert '"position_s"' in lines[0]
    assert run([*played, "--model", str(random_model.path)]) == 2  # a recording is not overwritten
    capsys.readouterr()
    rendered = ["render", str(path), "--automation", str(kept), "-o", str(output), "--bit-depth", "float"]
    assert run([*rendered, "--model", str(random_model.path)]) == 0
    sound, _ = soundfile.read(output, dtype="float32")
    begin = int(np.flatnonzero(sound.any(axis=1))[0])
    np.testing.assert_array_equal(sound[begin : begin + round(1.5 * RATE)], samples(1.5))
