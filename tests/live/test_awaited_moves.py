"""What is shown of moves and loops is what the player does, also where it does something else by itself meanwhile."""

import numpy as np
import pytest
import soundfile
from helpers.offline_show import RATE, OfflineShow, noise
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.live.control_queue import ControlQueue, WaitingCommands
from moodfader.engine.live.track_loader import TrackLoader
from moodfader.engine.performance.events import LOOP, PLAY, SEEK, SKIP, TRACK, ControlEvent
from moodfader.engine.performance.performance import SetRenderer, render_events
from moodfader.engine.processes.messages import AppliedEvent
from moodfader.models.common.errors import InputError


def test_a_loop_that_is_left_and_set_anew_at_once_is_shown_as_it_is(tmp_path):
    stage = OfflineShow(tmp_path)
    stage.set("transport/play")
    stage.play(1.0)
    for at in (0.0, 10.0):  # (the second time by a seek that ends the first loop)
        stage.set("transport/seek", at + 1)
        stage.set("transport/loop_start", at)
        stage.set("transport/loop_end", at + 4)
        stage.set("transport/loop")
        stage.play(0.2)
        assert stage.get("transport/loop") is True
        stage.play(8.0)
        assert at <= stage.get("transport/position") < at + 4
    stage.player.set(f"{ROOT}/transport/seek", 20.0)  # (ends the loop: told after it has been switched on again)
    stage.set("transport/loop", False)
    stage.set("transport/loop")
    stage.play(0.2)
    assert stage.get("transport/loop") is stage.player._renderer.transport.loop is True


def test_a_track_that_cannot_be_played_is_not_shown_as_the_one_that_plays(tmp_path):
    stage = OfflineShow(tmp_path, noise(5), noise(0), noise(5, seed=2))
    stage.set("transport/track", 2)
    stage.set("transport/play")
    stage.play(0.5)
    stage.set("transport/loop_start", 3.0)
    stage.set("transport/previous")  # (it has no samples: the one after it plays, which is the same again)
    stage.play(0.5)
    assert stage.get("transport/track") == stage.session.meters.track == 2
    assert stage.get("transport/loop_start") == 3.0


def test_a_loop_that_is_asked_for_together_with_a_longer_or_shorter_track_is_that_tracks(tmp_path):
    stage = OfflineShow(tmp_path, noise(3), noise(20, seed=2))
    stage.set("transport/play")
    stage.play(0.5)
    stage.set("transport/track", 1)
    stage.set("transport/loop_start", 10.0)
    stage.set("transport/loop_end", 12.0)
    stage.set("transport/loop")
    stage.play(5.0)
    assert [stage.get(f"transport/loop{name}") for name in ("_start", "_end", "")] == [10.0, 12.0, True]
    assert 10 <= stage.get("transport/position") < 12
    stage.set("transport/track", 0)
    stage.set("transport/loop_start", 1.0)
    stage.set("transport/loop_end", 12.0)  # (behind the end, which is not known at this moment)
    stage.play(0.2)
    assert [stage.get(f"transport/loop_{name}") for name in ("start", "end")] == [1.0, 0.0]
    with pytest.raises(InputError, match="would last"):
        stage.set("transport/loop_start", 2.98)


def test_what_ends_as_soon_as_it_plays_is_shown_as_ended(tmp_path):
    stage = OfflineShow(tmp_path, noise(1))
    stage.set("transport/play")
    stage.play(1.5)
    assert (stage.get("state/sound"), stage.get("transport/play")) == ("ended", False)
    stage.set("transport/seek", 0.99)
    stage.set("transport/play")
    stage.session.refresh()
    assert stage.get("transport/play") is True
    stage.sound = np.concatenate((stage.sound, stage.player.render(RATE // 2)))  # (no meter is read meanwhile)
    stage.session.refresh()
    assert (stage.get("state/sound"), stage.get("transport/play")) == ("ended", False)


def test_a_renderer_that_goes_on_after_the_end_begins_the_last_track_again():
    renderer = SetRenderer([SampleBuffer.from_array(noise(1), sample_rate=RATE)])
    renderer.resume(0, 0, RATE, playing=False, ended=True)
    renderer.command(PLAY, True)
    renderer.step()
    assert renderer.transport.playing
    assert not renderer.transport.ended


def test_a_track_that_is_not_loaded_yet_is_waited_for_where_the_one_before_it_ends(tmp_path):
    soundfile.write(tmp_path / "next.wav", noise(2), RATE, subtype="FLOAT")
    short, following = noise(0.02, seed=3), SampleBuffer.from_file(tmp_path / "next.wav")
    renderer = SetRenderer([SampleBuffer.from_array(short, sample_rate=RATE), following])
    renderer.command(PLAY, True)
    blocks = []
    while renderer.transport.ready():
        assert len(blocks) < 100, "it goes on without samples"
        blocks.append(renderer.step())
    assert renderer.transport.position >= len(short)
    following.load()
    while renderer.transport.playing:
        assert renderer.transport.ready()
        blocks.append(renderer.step())
    sound = np.concatenate(blocks)
    loaded = SampleBuffer.from_array(noise(2), sample_rate=RATE)
    events = [ControlEvent(0, PLAY, True)]
    sounds = [SampleBuffer.from_array(short, sample_rate=RATE), loaded]
    replayed = np.concatenate(list(render_events(sounds, [None, None], events, samples=len(sound))))
    np.testing.assert_array_equal(sound, replayed)


def applied(address, value, *, derived=False):
    return AppliedEvent(0, address, value, derived)


def test_moves_are_awaited_until_they_have_taken_effect_and_repeated_for_another_renderer():
    queue = ControlQueue()
    queue.put(TRACK, 1)
    queue.put("/moodfader/wet", 0.5)
    queue.put(SKIP, 5.0)
    queue.put(PLAY, True)
    taken = queue.take(0)
    assert queue.awaited() == {TRACK: 1, SKIP: 5.0, PLAY: True}
    queue.note_applied([applied(TRACK, 0), applied(PLAY, True)])  # (another track, asked for before)
    assert queue.awaited() == {TRACK: 1, SKIP: 5.0}
    queue.put(SEEK, 3.0)
    queue.repeat_awaited()
    assert queue.take(0) == ((TRACK, 1), (SEEK, 3.0))
    queue.note_applied([applied(TRACK, 1), applied(SEEK, 3.0)])
    assert not queue.awaited()
    queue.put(SKIP, 1.0)
    queue.note_applied([applied(SEEK, 4.0, derived=True)])  # (of one before)
    assert queue.awaited() == {SKIP: 1.0}
    queue.take(0)
    queue.note_applied([applied(SEEK, 4.0, derived=True)])
    queue.repeat_awaited()
    assert queue.take(0) == ()
    assert dict(taken)["/moodfader/wet"] == 0.5


def test_what_waits_for_samples_holds_up_moves_and_nothing_else():
    fader, fade_out = "/moodfader/midlevel/modality", "/moodfader/fade_out"
    commands, loaded = WaitingCommands(), set()

    def done():
        return list(commands.take(lambda address, value: address not in (SEEK, TRACK) or value in loaded))

    commands.put((fader, 1.0), (TRACK, 7), (fader, 2.0), (SEEK, 3.0), (PLAY, True), (LOOP, True), (fader, 3.0))
    assert done() == [(fader, 1.0), (fader, 2.0), (fader, 3.0)]
    assert commands.first() == (TRACK, 7)
    commands.put((PLAY, False), (fade_out, 0.3))
    assert done() == [(PLAY, False), (fade_out, 0.3)]  # (and it does not start afterwards)
    assert done() == []
    loaded.add(7)
    assert done() == [(TRACK, 7)]
    loaded.add(3.0)
    commands.put((PLAY, True))
    assert done() == [(SEEK, 3.0), (LOOP, True), (PLAY, True)]
    assert commands.first() is None


def test_a_long_track_that_is_being_loaded_does_not_hold_up_the_one_that_is_gone_to(tmp_path):
    for name, seconds in (("long", 60), ("short", 2)):
        soundfile.write(tmp_path / f"{name}.wav", noise(seconds), RATE, subtype="FLOAT")
    sounds = [SampleBuffer.from_file(tmp_path / f"{name}.wav") for name in ("long", "short")]
    long, short = sounds
    was_whole = []

    def wanted():  # (asked with each step of the loading: the second track, as soon as the first one has begun)
        if short.length is not None and not was_whole:
            was_whole.append(long.length is not None)
        return (1, 0) if long.loaded else (0, 0)

    loader = TrackLoader(sounds, lambda number, mask: None, lambda note: None, wanted)
    try:
        until(lambda: None not in (long.length, short.length))
    finally:
        loader.stop()
    assert was_whole == [False]


def test_a_loop_that_ends_by_itself_is_not_held_unless_it_has_been_switched_on_again():
    queue = ControlQueue()
    queue.put(LOOP, True)
    queue.note_applied([applied(LOOP, True), applied(LOOP, False, derived=True)])
    assert queue.held() == ((LOOP, False),)
    queue.put(LOOP, True)
    queue.note_applied([applied(LOOP, False, derived=True)])
    assert queue.held() == ((LOOP, True),)
