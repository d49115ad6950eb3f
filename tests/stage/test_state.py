"""What a performer is told, and what goes on when something ends: states, order of analyses, processes, effects."""

import os
import signal
import time

import pytest
from helpers.program import PROGRAM, run_program
from helpers.show import Show, Typist


def test_faders_that_wait_for_the_analysis_say_so(long_song):
    with Show(long_song, "--paused") as show:
        show.set("midlevel/modality", 6.0)
        show.sees("no analysis yet")
        assert "steered" not in show.read


@pytest.mark.slow
def test_the_track_that_plays_is_analysed_first(tmp_path, pulses):
    seconds = (20.0, 2.6, 2.7)  # (the first is not done before the second is chosen)
    songs = [pulses(tmp_path / f"{number}.wav", length) for number, length in enumerate(seconds)]
    with Show(*songs, "--paused", folder=tmp_path, MOODFADER_CACHE=str(tmp_path / "cache")) as show:
        show.set("transport/track", 1)
        show.until(lambda show: len(show.recorded("track/ready")) == 3)
        assert show.recorded("track/ready") == [1, 2, 0]


def test_an_analysis_in_a_terminal_shows_at_once_that_it_works(tmp_path, pulses):
    song = pulses(tmp_path / "song.wav", 4.0)
    typist = Typist([*PROGRAM, "analyze", song, "-o", tmp_path / "a.npz"], size=(100, 24))
    try:
        typist.sees("0%")  # (the bar is there before the first pass)
        seen = 0
        while typist.process.poll() is None:
            time.sleep(0.2)
            seen = max(seen, len({word for word in typist.read.split() if word.endswith("%")}))
        assert seen > 2
    finally:
        typist.stop()


def test_whichever_process_is_killed_the_show_goes_on(long_song):
    with Show(long_song) as show:
        show.until(lambda show: show.value("transport/position") > 1)
        show.until(lambda show: show.value("measured/happy") is not None)
        for child in show.children():
            stood = show.value("transport/position")
            os.kill(child, signal.SIGKILL)
            time.sleep(1.0)
            now = show.value("transport/position")
            show.until(lambda show, now=now: show.value("transport/position") > now + 0.3)
            assert show.value("transport/position") > stood
        show.set("transport/seek", 2.0)
        show.until(lambda show: 2 < show.value("transport/position") < 10)


@pytest.mark.parametrize("text", ["gains_db = [", "a = " + "[" * 100_000], ids=["cut off", "deep"])
def test_p_skips_a_preset_that_is_broken_and_the_show_goes_on(text, long_song, tmp_path):
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "aaa.toml").write_text(text)
    with Show(long_song, MOODFADER_CONFIG=str(tmp_path)) as show:
        show.until(lambda show: show.value("transport/position") > 0.2)
        show.presses("p")
        show.until(lambda show: show.value("preset/load"))
        assert show.value("preset/load") != "aaa"
        stood = show.value("transport/position")
        show.until(lambda show: show.value("transport/position") > stood + 0.2)


def test_five_quick_seeks_by_key_move_twenty_five_seconds(long_song):
    with Show(long_song, "--paused") as show:
        show.presses(".....")
        show.until(lambda show: show.value("transport/position") == pytest.approx(25.0, abs=0.1))


def test_zero_all_by_key_moves_all_seven_with_the_same_sample(long_song, tmp_path):
    with Show(long_song, "--set", "modality=3", "--set", "dissonance=-3", folder=tmp_path) as show:
        show.until(lambda show: show.value("transport/position") > 0.5)
        show.presses("z")
        show.until(lambda show: show.recorded("midlevel/modality")[-1:] == [0.0])
        show.until(lambda show: show.recorded("midlevel/dissonance")[-1:] == [0.0])
        by_hand = [line for line in show.events() if line.get("source") == "terminal"]
        zeroed = [line for line in by_hand if "midlevel" in line["address"]]
        assert len(zeroed) == 7
        assert len({line["at"] for line in zeroed}) == 1


def test_q_beside_w_and_tab_does_not_end_a_show(long_song):
    with Show(long_song) as show:
        show.sees("quit")  # (the view is there)
        show.presses("q")
        time.sleep(1.5)
        assert show.process.poll() is None, "q has ended it"
        show.presses("w")
        stood = show.value("transport/position")
        show.until(lambda show: show.value("transport/position") > stood + 0.2)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (["--midi", "no such controller"], "MIDI"),
        (["--bind", "1.2.3.4"], "1.2.3.4"),
        (["--record", "no/folder/show.jsonl"], "show.jsonl"),
    ],
)
def test_a_mistake_is_told_before_the_first_sound_and_leaves_no_file(mistake, said, tmp_path, pulses):
    song = pulses(tmp_path / "song.wav", 4.0)
    ended = run_program(
        *("play", song, "--backend", "null", "--osc-port", "0", "--record", tmp_path / "show.jsonl", "--no-terminal"),
        *mistake,
    )
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1, ended.err
    assert said in ended.err
    assert ended.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.slow
def test_the_master_gain_is_no_emotion_and_zero_faders_have_no_effect(tmp_path, pulses):
    """The sound is the same in every second, so what is measured may not depend on the second, nor on the gain."""

    def measured(show):
        show.until(lambda show: show.value("measured/valence") is not None)
        time.sleep(1.5)
        return show.value("measured/valence")

    with Show(pulses(tmp_path / "song.wav", 40.0)) as show:
        show.until(lambda show: show.value("transport/position") > 5)
        loud = measured(show)
        show.set("master", -20.0)
        show.until(lambda show: show.value("transport/position") > 16)  # (ten seconds are measured)
        assert measured(show) == pytest.approx(loud, abs=0.03)
        for name in ("valence", "energy", "tension", "anger", "fear", "happy", "sad", "tender"):
            assert abs(show.value(f"effect/{name}")) < 0.005


def test_a_show_tells_what_is_odd_about_a_track(tmp_path, pulses):
    """A recorder that crashed left a WAV without a length; nothing in it moves some of the features."""
    song = pulses(tmp_path / "song.wav", 2.0)
    data = bytearray(song.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = bytes(4)
    song.write_bytes(data)
    with Show(song, "--paused", size=(160, 50)) as show:
        show.sees("its header states no length")
