"""Subscriptions of OSC clients, without a socket: what they are told, when, on which port, and until when."""

import pytest
from helpers.osc_dispatch import FADER, HERE, THERE, UNDO, ask
from moodfader.control.osc.dispatcher import (
    Dispatcher,
)
from moodfader.control.osc.packets import Message
from moodfader.control.osc.subscriptions import LEASE_S, MAX_CLIENTS, Subscriptions


def test_a_subscriber_gets_the_whole_state_at_once(dispatcher, session, clients):
    answers = ask(dispatcher, "/moodfader/subscribe", 5.0)
    known = {address: value for address, value in session.state().items() if value is not None}
    assert {address: value for _, address, (value,) in answers} == known
    assert clients.names() == ("127.0.0.1:5000",)
    assert clients.due(0.1) == []
    ((sender, lease),) = clients.due(0.2)
    assert sender == HERE
    session.set(FADER, 4.0)
    lease.version, changes = session.changes_since(lease.version)
    assert lease.pending(changes) == {FADER: 4.0, UNDO: 1}
    assert session.changes_since(lease.version)[1] == {}


def test_a_lease_ends_unless_it_is_renewed(dispatcher, clients):
    ask(dispatcher, "/moodfader/subscribe", now=0.0)
    ask(dispatcher, "/moodfader/subscribe", now=0.0, sender=THERE)
    ask(dispatcher, "/moodfader/subscribe", now=LEASE_S - 1)
    clients.due(LEASE_S + 0.1)
    assert clients.names() == ("127.0.0.1:5000",)
    ask(dispatcher, "/moodfader/unsubscribe")
    assert clients.names() == ()
    dispatcher.enqueue(Message("/moodfader/subscribe"), HERE)
    assert ask(dispatcher, "/moodfader/unsubscribe") == []
    assert clients.names() == ()


def test_who_moves_a_fader_is_not_told_about_it(dispatcher, session, clients):
    ask(dispatcher, "/moodfader/subscribe", 10.0)
    ask(dispatcher, "/moodfader/subscribe", 10.0, sender=THERE)
    ask(dispatcher, FADER, 5.0)
    news = {sender: lease.pending(session.changes_since(lease.version)[1]) for sender, lease in clients.due(1.0)}
    assert news == {HERE: {UNDO: 1}, THERE: {FADER: 5.0, UNDO: 1}}


def test_who_asks_for_what_becomes_another_value_is_told_that(dispatcher, session, clients):
    ask(dispatcher, "/moodfader/subscribe", 5.0)
    session.publish({"/moodfader/transport/duration": 30.0})
    end = "/moodfader/transport/loop_end"
    assert session.get(end) == 0.0
    ask(dispatcher, end, 40.0, now=0.1)  # (behind the end: it is the end, 0, as before)
    ((_, subscription),) = clients.due(1.0)
    subscription.version, changes = session.changes_since(subscription.version)
    assert subscription.pending(changes)[end] == 0.0


def test_a_subscriber_that_knew_a_value_is_told_that_there_is_none_any_more(dispatcher, session, clients):
    cue, effect = "/moodfader/cue/points/1", "/moodfader/effect/sad"
    session.publish({cue: 12.5})
    first = ask(dispatcher, "/moodfader/subscribe", 5.0)
    assert (HERE, cue, (12.5,)) in first
    assert effect not in {address for _, address, _ in first}
    session.publish({cue: None, effect: None})
    ((_, subscription),) = clients.due(1.0)
    assert subscription.pending(session.changes_since(0)[1]) == {cue: None}


def test_the_client_that_renewed_longest_ago_makes_room(clients):
    for port in range(200):
        clients.renew(("127.0.0.1", port), 0.0, rate_hz=10, version=0)
    assert clients.names() == tuple(f"127.0.0.1:{port}" for port in range(200 - MAX_CLIENTS, 200))


def test_a_late_turn_is_not_made_up_for(clients):
    clients.renew(HERE, 0.0, rate_hz=10, version=0)
    assert len(clients.due(5.0)) == 1
    clients.note_change()
    assert clients.due(5.05) == []
    assert len(clients.due(5.1)) == 1


def test_a_change_goes_at_once_to_a_client_that_was_sent_nothing_lately_and_nothing_goes_without_one(clients):
    clients.renew(HERE, 0.0, rate_hz=10, version=0)
    assert len(clients.due(0.1)) == 1  # (the state)
    assert clients.next_due() is None
    assert clients.due(1.0) == []
    clients.note_change()
    assert clients.next_due() < 2.03
    assert len(clients.due(2.03)) == 1
    clients.note_change()
    assert clients.due(2.1) == []
    assert clients.next_due() == pytest.approx(2.13)
    assert len(clients.due(2.14)) == 1
    clients.note_change()
    assert clients.next_due() == pytest.approx(2.23)  # (a little late: the rate holds)


def test_a_client_is_told_on_the_port_that_it_names(dispatcher, session, clients):
    listens = ("127.0.0.1", 12000)
    answers = ask(dispatcher, "/moodfader/subscribe", 20, 12000)
    assert {answer[0] for answer in answers} == {listens}
    assert clients.names() == ("127.0.0.1:12000",)
    assert ask(dispatcher, FADER) == [(listens, FADER, (0.0,))]
    assert {answer[0] for answer in ask(dispatcher, FADER, 99)} == {listens}
    ask(dispatcher, FADER, 5.0)
    ((reply, lease),) = clients.due(1.0)
    assert (reply, lease.pending(session.changes_since(lease.version)[1])) == (listens, {UNDO: 1})  # no fader fights
    assert ask(dispatcher, "/moodfader/unsubscribe") == []
    assert clients.names() == ()
    assert ask(dispatcher, FADER)[0][0] == HERE


def test_all_clients_are_told_on_the_reply_port(session):
    dispatcher = Dispatcher(session, Subscriptions(reply_port=9001))
    assert ask(dispatcher, FADER, sender=("10.0.0.7", 50123)) == [(("10.0.0.7", 9001), FADER, (0.0,))]
    assert {answer[0] for answer in ask(dispatcher, "/moodfader/subscribe")} == {("127.0.0.1", 9001)}


def test_a_subscriber_can_have_normalised_values(dispatcher, session, clients):
    answers = {address: value for _, address, (value,) in ask(dispatcher, "/moodfader/subscribe/norm", 10)}
    assert (answers[FADER + "/norm"], answers["/moodfader/wet/norm"], answers["/moodfader/bypass"]) == (
        0.5,
        1.0,
        False,
    )
    assert FADER not in answers
    session.set(FADER, 6.0)
    ((_, lease),) = clients.due(1.0)
    assert lease.pending(session.changes_since(lease.version)[1]) == {FADER + "/norm": 0.75, UNDO: 1}
