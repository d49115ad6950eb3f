"""Threads of a show outlast what goes wrong in them: it is said in a line, and the rest of the show goes on."""

import threading

import numpy as np
import pytest
import soundfile
from helpers.open_files import no_more_files
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.control.show.track_settings import TrackSettings
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.live.track_loader import TrackLoader
from moodfader.engine.processes.ipc import MessageSender
from moodfader.engine.processes.lasting_loop import run_rounds
from moodfader.engine.processes.messages import AnalysisProgress, EventsApplied, Notice

RATE = 22050
FADER = f"{ROOT}/midlevel/modality"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("songs"), np.random.default_rng(4)
    paths = [folder / "one.wav", folder / "two.wav"]
    for path in paths:
        soundfile.write(path, 0.2 * rng.uniform(-1, 1, (40 * RATE, 2)), RATE)
    return paths


def values_of(told, address):
    events = [event for message in told if isinstance(message, EventsApplied) for event in message.events]
    return [event.value for event in events if event.address == address]


def test_a_round_that_raises_is_told_once_and_the_next_follows():
    closing, told, rounds = threading.Event(), [], []

    def work():
        rounds.append(len(rounds))
        if len(rounds) == 5:
            closing.set()
        if len(rounds) in (1, 2, 4):
            raise ValueError("a\nlong story")

    run_rounds(work, closing, who="OSC", tell=told.append)
    assert rounds == [0, 1, 2, 3, 4]
    assert told == ["OSC: a fault of Moodfader (ValueError: a long story); the show goes on"]


def test_what_fails_while_all_is_put_away_is_not_told():
    closing, told = threading.Event(), []

    def work():
        closing.set()
        raise AssertionError

    run_rounds(work, closing, who="OSC", tell=told.append)
    assert told == []


def test_who_is_told_of_a_fault_may_be_what_has_failed():
    rounds = iter([ValueError, False])

    def work():
        if outcome := next(rounds):
            raise outcome
        return outcome

    def tell(text):
        raise BrokenPipeError

    run_rounds(work, threading.Event(), who="OSC", tell=tell)
    assert next(rounds, None) is None


def test_a_listener_that_raises_does_not_end_the_thread_that_receives(files):
    told = []

    def follow(message):
        told.append(message)
        if values_of([message], FADER) == [3.0]:
            raise RuntimeError("something in the program")

    player = Player(files[:1], follow, PlayerOptions(backend="null"))
    try:
        player.set(FADER, 3.0)
        until(lambda: values_of(told, FADER) == [3.0])
        player.set(FADER, 6.0)
        until(lambda: values_of(told, FADER) == [3.0, 6.0])
        until(lambda: [one for one in told if isinstance(one, Notice) and "something in the program" in one.text])
    finally:
        player.close()


def test_presets_that_cannot_be_listed_do_not_keep_tracks_from_being_analysed(files, random_model):
    told = []

    def presets():
        raise PermissionError(13, "Permission denied")

    player = Player(files[:1], told.append, PlayerOptions(backend="null", model=random_model.path, presets=presets))
    try:
        until(lambda: any(isinstance(one, AnalysisProgress) for one in told))
        assert [one.text for one in told if isinstance(one, Notice) and "presets" in one.text] == [
            "presets: Permission denied; the show goes on"
        ]
    finally:
        player.close()


def test_a_preset_that_cannot_be_opened_when_its_track_begins_does_not_stop_the_meters(files):
    said = []
    session = Session(note=said.append)
    settings = [TrackSettings(), TrackSettings(preset="dolce")]
    session.start_player(files, PlayerOptions(backend="null"), settings=settings)
    try:
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/transport/position") > 0.2)
        with no_more_files():
            session.set(f"{ROOT}/transport/track", 1)
            until(lambda: any("Too many open files" in line for line in said))
        stood = session.get(f"{ROOT}/transport/position")
        until(lambda: session.get(f"{ROOT}/transport/position") > stood + 0.2)
    finally:
        session.close()


def test_a_mask_that_cannot_be_used_does_not_keep_the_next_track_from_being_loaded(files, analysis_file):
    sounds = [SampleBuffer.from_file(file) for file in files]
    told, loaded = [], []

    def take(number, mask):
        if number == 0:
            raise MemoryError
        loaded.append(number)

    loader = TrackLoader(sounds, take, told.append)
    try:
        until(lambda: sounds[1].length is not None)
        loader.request_mask(0, str(analysis_file))
        until(lambda: told)
        loader.request_mask(1, str(analysis_file))
        until(lambda: loaded == [1])
    finally:
        loader.stop()
    assert told == [Notice("loading of tracks: a fault of Moodfader (MemoryError); the show goes on", is_error=True)]


def test_a_track_whose_decoder_fails_is_told_and_the_next_is_loaded(files, monkeypatch):
    sounds = [SampleBuffer.from_file(file) for file in files]
    decode = SampleBuffer._fitted

    def fail(sound, block):
        if sound is sounds[0]:
            raise MemoryError
        return decode(sound, block)

    monkeypatch.setattr(SampleBuffer, "_fitted", fail)
    told = []
    loader = TrackLoader(sounds, lambda number, mask: None, told.append)
    try:
        until(lambda: sounds[1].length)
    finally:
        loader.stop()
    (notice,) = told
    assert "one.wav: cannot be decoded to its end (MemoryError)" in notice.text
    assert sounds[0].length == 0


def test_a_message_that_cannot_be_sent_does_not_keep_the_next_ones_back():
    from multiprocessing import Pipe

    ours, theirs = Pipe()
    outbox = MessageSender(theirs)
    outbox.send(threading.Lock())
    outbox.send("next")
    received = [ours.recv() for _ in range(2) if ours.poll(60)]
    outbox.close()
    assert "next" in received
    (notice,) = [one for one in received if isinstance(one, Notice)]
    assert "cannot pickle" in notice.text
