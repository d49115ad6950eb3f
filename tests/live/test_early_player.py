"""The player starts while the rest of the program is still being imported."""

import threading

import pytest
from moodfader.control.session import early_player
from moodfader.control.session.early_player import EarlyPlayer
from moodfader.control.start import likely_backend
from moodfader.engine.processes.messages import Notice
from moodfader.models.common.errors import InputError


class Children:
    """Stands for the processes of a player; `ended` is set when they are told to end."""

    def __init__(self):
        self.ended = threading.Event()

    def join(self, patience_s):
        self.ended.set()


def test_messages_are_kept_in_order_until_somebody_takes_them(monkeypatch):
    class Talking:
        def __init__(self, files, event, options, *, children):
            self.event = event
            for number in range(3):
                event(Notice(str(number)))

        def close(self):
            pass

    monkeypatch.setattr(early_player, "Player", Talking)
    heard = []
    player = EarlyPlayer([], None, Children()).take(heard.append)
    player.event(Notice("3"))
    assert [message.text for message in heard] == ["0", "1", "2", "3"]


def test_an_error_of_the_start_is_raised_where_the_player_is_taken(monkeypatch):
    def fails(*_, **__):
        raise InputError("no such device")

    monkeypatch.setattr(early_player, "Player", fails)
    early = EarlyPlayer([], None, Children())
    with pytest.raises(InputError, match="no such device"):
        early.take(lambda message: None)
    early.close()


def test_closing_ends_what_a_start_waits_for(monkeypatch):
    children = Children()

    def waits(*_, **__):
        children.ended.wait()
        raise InputError("the sound card's process ended while it opened the device")

    monkeypatch.setattr(early_player, "Player", waits)
    EarlyPlayer([], None, children).close()
    assert children.ended.is_set()


@pytest.mark.parametrize(
    ("arguments", "backend"),
    [([], "jack"), (["--backend=null"], "null"), (["--backend", "auto"], "jack"), (["--backend"], "")],
)
def test_the_likely_back_end(arguments, backend):
    assert likely_backend(["play", "a.wav", *arguments]) == backend
