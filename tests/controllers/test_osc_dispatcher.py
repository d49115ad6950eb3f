"""The dispatcher, without a socket: what messages set, what is answered, what is refused, and floods."""

import math
import struct

import pytest
from helpers.osc_dispatch import FADER, HERE, THERE, ask
from moodfader.control.osc.arguments import IMPULSE, OtherArgument
from moodfader.control.osc.dispatcher import (
    ERROR,
    MAX_ANSWERS,
    MAX_ERRORS_PER_S,
    MAX_QUERIES,
    MAX_RETURNS_PER_S,
    Dispatcher,
)
from moodfader.control.osc.packets import Message
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.parameters.waiting_changes import MAX_ACTS
from moodfader.control.session.presets import user_preset_dir
from moodfader.models.common.constants import MIDLEVEL


@pytest.mark.parametrize(("value", "wanted"), [(3, 3.0), (-4.5, -4.5), (True, 1.0), (False, 0.0)])
def test_a_fader_takes_whatever_number_a_controller_has(dispatcher, session, value, wanted):
    assert ask(dispatcher, FADER, value) == []
    assert session.get(FADER) == wanted


@pytest.mark.parametrize(("fraction", "wanted"), [(0, -12.0), (0.5, 0.0), (True, 12.0), (0.75, 6.0)])
def test_a_normalised_fader(dispatcher, session, fraction, wanted):
    assert ask(dispatcher, FADER + "/norm", fraction) == []
    assert session.get(FADER) == wanted
    assert ask(dispatcher, FADER + "/norm") == [(HERE, FADER + "/norm", (pytest.approx(float(fraction)),))]


def test_a_wildcard_sets_all_that_it_matches(dispatcher, session):
    ask(dispatcher, "/moodfader/midlevel/rhythmic_*", 2.0)
    ask(dispatcher, "/moodfader/midlevel/{modality,dissonance}/norm", 1.0)
    values = {name: session.get(f"/moodfader/midlevel/{name}") for name in MIDLEVEL}
    moved = {"rhythmic_complexity": 2.0, "rhythmic_stability": 2.0, "modality": 12.0, "dissonance": 12.0}
    assert values == dict.fromkeys(MIDLEVEL, 0.0) | moved


@pytest.mark.parametrize(
    ("address", "arguments", "reason"),
    [
        ("/moodfader/midlevel/modalit", (1.0,), "did you mean /moodfader/midlevel/modality"),
        ("/nothing", (), "no control"),
        (FADER, (12.5,), "out of range"),
        (FADER, (math.nan,), "finite"),
        (FADER, ("loud",), "wants a number, not 'loud'"),
        (FADER, (None,), "wants a number"),
        (FADER, (1.0, 2.0), "one value"),
        (FADER + "/norm", (1.1,), "from 0 to 1"),
        (FADER + "/norm", ("x",), "from 0 to 1"),
        ("/moodfader/bypass/norm", (1,), "no range"),
        ("/moodfader/emotion/sad", (0.5,), "only be watched"),
        ("/moodfader/meter/*", (0.5,), "only be watched"),
        ("/moodfader/preset/load", (1,), "wants a text"),
        ("/moodfader/preset/load", ("../../etc/passwd",), "no preset"),
        (FADER, (IMPULSE,), "wants a number, not an impulse"),
        (FADER, (OtherArgument("r"),), "wants a number, not a colour"),
        ("/moodfader/bypass", (OtherArgument("b"),), "wants true or false, not a blob"),
        ("/moodfader/subscribe", ("often",), "wants numbers"),
        ("/moodfader/subscribe", (10, 0), "port"),
        ("/moodfader/subscribe", (10, 9.5), "port"),
        ("/moodfader/subscribe", (10, 9001, 3), "port"),
        ("/moodfader/subscribe", (10, 70000), "port"),
        ("/moodfader/subscribe", (10, 9000), "name your own"),
        ("/moodfader/subscribe", (0,), "out of range"),
        ("/moodfader/subscribe", (1e9,), "out of range"),
        ("/moodfader/transport/seek", (-1,), "out of range"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(dispatcher, session, address, arguments, reason):
    before = session.state()
    (sender, answered, (text,)), *held = ask(dispatcher, address, *arguments)
    assert (sender, answered) == (HERE, ERROR)
    assert reason in text
    assert session.state() == before
    for sender, answered, (value,) in held:
        assert sender == HERE
        assert value == (0.5 if answered.endswith("/norm") else before[answered])


def test_a_wildcard_over_watched_ones_sets_the_others(dispatcher, session):
    assert ask(dispatcher, "/moodfader/*/l*", 1.0)[0][1] == ERROR  # preset/load wants a text
    assert ask(dispatcher, "/moodfader/transport/{loop,position}", 1) == []
    assert session.get("/moodfader/transport/loop") is True


def test_an_error_is_not_answered(dispatcher):
    """Two servers that take each other for clients would go on for ever."""
    assert ask(dispatcher, ERROR, "no control has that address") == []


def test_a_question_is_answered_to_who_asked(dispatcher, session):
    session.set(FADER, 2.5)
    dispatcher.enqueue(Message(FADER), HERE)
    dispatcher.enqueue(Message("/moodfader/bypass"), THERE)
    assert dispatcher.apply_pending(0.0) == [(HERE, FADER, (2.5,)), (THERE, "/moodfader/bypass", (False,))]
    answers = ask(dispatcher, "/moodfader/midlevel/*")
    assert [address for _, address, _ in answers] == [f"/moodfader/midlevel/{name}" for name in MIDLEVEL]
    assert ask(dispatcher, "/moodfader/measured/sad") == [(HERE, "/moodfader/measured/sad", (None,))]


def test_only_the_newest_value_acts(dispatcher, session):
    for step in range(10_000):
        dispatcher.enqueue(Message(FADER, (step / 1000,)), HERE)
    dispatcher.apply_pending(0.0)
    assert [(address, value) for address, value, _ in session.log] == [(FADER, 9.999)]


def test_the_order_of_the_newest_values_is_kept(dispatcher, session):
    for address in ("pause", "play", "loop", "pause", "seek"):
        dispatcher.enqueue(Message(f"/moodfader/transport/{address}", (1,)), HERE)
    dispatcher.apply_pending(0.0)
    assert [address.rsplit("/")[-1] for address, _, _ in session.log] == ["play", "loop", "pause", "seek"]


def test_what_acts_is_not_left_out_for_a_newer_one_and_stands_between_what_came_before_and_after(dispatcher, session):
    acts = [("snapshot/store", 1), ("snapshot/store", 2), ("undo", None), ("undo", None), ("transport/skip", 5)]
    acts += [("transport/skip", 5), ("snapshot/name", "1: Verse"), ("snapshot/name", "2: Chorus")]
    for value, (name, argument) in enumerate(acts):
        dispatcher.enqueue(Message(FADER, (11.0,)), HERE)
        dispatcher.enqueue(Message(FADER, (float(value),)), HERE)
        dispatcher.enqueue(Message(f"/moodfader/{name}", (argument,)), HERE)
    dispatcher.apply_pending(0.0)
    done = [(address.removeprefix("/moodfader/"), value) for address, value, _ in session.log]
    assert done[::2] == [("midlevel/modality", float(value)) for value in range(len(acts))]
    assert done[1::2] == [(name, True if argument is None else argument) for name, argument in acts]
    assert [session.get(f"/moodfader/snapshot/names/{slot}") for slot in (1, 2)] == ["Verse", "Chorus"]
    stored = session.stored_snapshots
    assert [stored[slot].snapshot.faders_db[MIDLEVEL.index("modality")] for slot in (1, 2)] == [0.0, 1.0]


def test_a_flood_of_acts_is_bounded(dispatcher, session):
    for _ in range(10_000):
        dispatcher.enqueue(Message("/moodfader/snapshot/store", (1,)), HERE)
    dispatcher.apply_pending(0.0)
    assert len(session.log) == MAX_ACTS + 1


def test_a_trigger_is_pressed_and_its_release_does_nothing(dispatcher, session):
    pause = "/moodfader/transport/pause"
    ask(dispatcher, pause)
    ask(dispatcher, pause, 1.0)
    ask(dispatcher, pause, 0.0)
    ask(dispatcher, pause, IMPULSE)
    ask(dispatcher, pause, None)
    assert [entry[:2] for entry in session.log] == [(pause, True)] * 4


def test_who_did_it_is_told_to_the_session(dispatcher, session):
    ask(dispatcher, FADER, 1)
    assert session.log[0][2] == "osc 127.0.0.1:5000"


def test_many_questions_do_not_keep_a_value_waiting(dispatcher, session):
    everything = len(ask(dispatcher, "/moodfader/*/*"))
    for port in range(1000):
        dispatcher.enqueue(Message("/moodfader/*/*"), ("127.0.0.1", port))
    first = dispatcher.apply_pending(0.0)
    assert len(first) < MAX_ANSWERS + everything
    dispatcher.enqueue(Message(FADER, (2.0,)), HERE)
    answers = first + dispatcher.apply_pending(0.0)
    assert session.get(FADER) == 2.0
    while not dispatcher.idle:
        answers += dispatcher.apply_pending(0.0)
    assert len(answers) == MAX_QUERIES * everything


def test_complaints_are_so_many_a_second(dispatcher):
    answers = []
    for step in range(1000):
        answers += ask(dispatcher, f"/moodfader/{step}", now=step / 1000)
    assert len(answers) == MAX_ERRORS_PER_S
    assert len(ask(dispatcher, "/moodfader/x", now=2.0)) == 1


def test_a_fault_of_the_session_is_told_and_does_not_end_the_rest(session, clients, monkeypatch):
    notes = []
    dispatcher = Dispatcher(session, clients, note=notes.append)
    good = session.set

    def faulty(address, value, *, source=""):
        if address == FADER:
            raise RuntimeError("broken")
        good(address, value, source=source)

    monkeypatch.setattr(session, "set", faulty)
    dispatcher.enqueue(Message(FADER, (1.0,)), HERE)
    dispatcher.enqueue(Message("/moodfader/wet", (0.5,)), HERE)
    (_, address, (text,)), held = dispatcher.apply_pending(0.0)
    assert (address, "RuntimeError" in text) == (ERROR, True)
    assert held == (HERE, FADER, (0.0,))
    assert session.get("/moodfader/wet") == 0.5
    assert ["broken" in note for note in notes] == [True]


def test_every_writable_control_takes_its_default(dispatcher, session):
    for control in PARAMETERS:
        crossfader = control.address == "/moodfader/morph/position"  # (which has nothing to go between yet)
        if control.writable and control.default is not None and control.default != "" and not crossfader:
            assert ask(dispatcher, control.address, control.default) == []
    assert session.state()["/moodfader/wet"] == 1.0


def test_a_refused_value_sends_the_held_one_back_to_who_asked(dispatcher, session):
    session.set(FADER, 3.0)
    dispatcher.enqueue(Message(FADER, (99.0,)), HERE)
    dispatcher.enqueue(Message(FADER + "/norm", ("x",)), THERE)
    answers = dispatcher.apply_pending(0.0)
    assert [answer for answer in answers if answer[1] != ERROR] == [
        (HERE, FADER, (3.0,)),
        (THERE, FADER + "/norm", (0.625,)),
    ]
    assert ask(dispatcher, "/moodfader/transport/track", 7)[1:] == [(HERE, "/moodfader/transport/track", (0,))]


def test_two_servers_that_refuse_each_others_values_come_to_an_end(dispatcher):
    sent = 0
    for step in range(2000):  # twenty seconds
        sent += len([one for one in ask(dispatcher, "/moodfader/meter/*", 1.0, now=step / 100) if one[1] != ERROR])
    assert sent <= 20 * MAX_RETURNS_PER_S


def test_a_message_without_type_tags_acts(dispatcher, session):
    for address, data in (
        (FADER, struct.pack(">f", 6.0)),
        ("/moodfader/wet/norm", struct.pack(">f", 0.25)),
        ("/moodfader/bypass", struct.pack(">i", 1)),
        ("/moodfader/preset/load", b"dolce\0\0\0"),
        ("/moodfader/master", struct.pack(">i", -3)),
    ):
        dispatcher.enqueue(Message(address, untyped=data), HERE)
    dispatcher.enqueue(Message("/moodfader/delta", untyped=bytes(12)), HERE)
    ((_, _, (text,)),) = [answer for answer in dispatcher.apply_pending(0.0) if answer[1] == ERROR]
    assert text == "/moodfader/delta: 12 bytes without type tags: only one value can be read so"
    assert dict(entry[:2] for entry in session.log) == {
        FADER: 6.0,
        "/moodfader/wet": 0.25,
        "/moodfader/bypass": True,
        "/moodfader/preset/load": "dolce",
        "/moodfader/master": -3.0,
    }


def test_a_broken_presets_error_names_no_folder(dispatcher, session):
    folder = user_preset_dir()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.toml").write_text("gains_db = [")
    try:
        (_, _, (text,)), _ = ask(dispatcher, "/moodfader/preset/load", "broken")
    finally:
        (folder / "broken.toml").unlink()
    assert text.startswith("broken.toml: not a TOML file")
    assert str(folder) not in text
