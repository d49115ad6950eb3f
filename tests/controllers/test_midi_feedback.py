"""Feedback to MIDI controllers: what is sent to motor faders, rings and lamps, and that no hand is fought."""

import random
import time

import pytest
from helpers.waiting import until
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.midi.decoder import fraction_of, steps_of
from moodfader.control.midi.feedback import REST_S, TRAVEL_S, MidiFeedback
from moodfader.control.midi.mapping_file import MidiBinding, read_mapping, save_mapping
from moodfader.control.midi.messages import MidiMessage, parse_message
from moodfader.control.midi.midi_control import MidiControl
from moodfader.models.common.errors import InputError

FADER = "/moodfader/midlevel/modality"
OTHER = "/moodfader/midlevel/dissonance"
WET = "/moodfader/wet"
BYPASS = "/moodfader/bypass"
MOTOR = MidiBinding(FADER, 2, message="pitchbend")
SMOOTH = MidiBinding(WET, 1, 7, "14bit")
PLAIN = MidiBinding(OTHER, 1, 9)
RING = MidiBinding(OTHER, 3, 20, "twos")


class Desk:
    """A controller on an in-process cable: what it is sent, and hands that move it, at a time that stands still."""

    def __init__(self, session, *mapping):
        self.session, self.now, self.got, self.notes = session, 100.0, [], []
        self.feedback = MidiFeedback(session, mapping, self.got.append, clock=lambda: self.now)
        self.control = MidiControl(session, mapping, feedback=self.feedback, note=self.notes.append)

    def moves(self, *data):
        self.control.receive(parse_message(data))

    def after(self, seconds):
        """What is sent until so many seconds have passed."""
        self.got.clear()
        for _ in range(10):
            self.now += seconds / 10
            self.feedback.update()
        return [tuple(packet) for packet in self.got]


@given(st.sampled_from((7, 14)), st.integers(0, 16383))
def test_whole_numbers_go_to_fractions_and_back(bits, value):
    value %= 1 << bits
    assert steps_of(fraction_of(value, bits), bits) == value


def test_the_whole_state_is_sent_first_and_then_only_what_changes(session):
    desk = Desk(session, MOTOR, SMOOTH, RING, MidiBinding(BYPASS, 1, 36, "toggle", message="note"))
    first = desk.after(1.0)
    assert sorted(first) == sorted([(0xE1, 0, 64), (0xB0, 7, 127), (0xB0, 39, 127), (0xB2, 20, 64), (0x90, 36, 0)])
    assert desk.after(1.0) == []
    session.set(FADER, 12.0, source="osc")
    session.set(BYPASS, True)
    assert sorted(desk.after(1.0)) == [(0x90, 36, 127), (0xE1, 127, 127)]
    session.set(FADER, 12.0)
    assert desk.after(1.0) == []


def test_fourteen_bits_are_sent_in_halves_the_coarse_one_first(session):
    desk = Desk(session, SMOOTH)
    desk.after(1.0)
    session.set(WET, 0.25)
    assert desk.after(1.0) == [(0xB0, 7, 32), (0xB0, 39, 0)]
    session.set(WET, fraction_of(5001, 14))
    assert desk.after(1.0) == [(0xB0, 7, 5001 >> 7), (0xB0, 39, 5001 & 127)]


def test_the_fader_under_a_hand_is_sent_nothing_and_the_others_are(session):
    desk = Desk(session, PLAIN, MidiBinding(OTHER, 2, message="pitchbend"))
    desk.after(1.0)
    for value in range(60, 100):
        desk.moves(0xB0, 9, value)
        sent = desk.after(0.05)
        assert all(packet[0] == 0xE1 for packet in sent), sent
    assert session.get(OTHER) == pytest.approx(12 * (99 - 64) / 63)
    assert desk.after(2 * REST_S) == []  # it stands where it was put


def test_a_fader_that_was_moved_elsewhere_meanwhile_is_corrected_when_it_rests(session):
    desk = Desk(session, MOTOR)
    desk.after(1.0)
    desk.moves(0xE1, 0, 65)
    session.set(FADER, -12.0, source="web")
    assert desk.after(REST_S * 0.9) == []
    assert desk.after(REST_S) == [(0xE1, 0, 0)]


def test_what_a_motor_reports_on_its_way_does_not_act(session):
    desk = Desk(session, MOTOR)
    desk.after(1.0)
    desk.moves(0xE1, 0, 64)
    session.set(FADER, 12.0, source="preset")
    desk.after(1.0)
    session.set(FADER, -12.0, source="preset")
    desk.now += REST_S
    desk.feedback.update()
    for coarse in range(127, -1, -8):  # it goes down, and says so
        desk.moves(0xE1, 0, coarse)
        assert session.get(FADER) == -12.0
    assert desk.notes == []
    desk.now += TRAVEL_S + 1
    desk.moves(0xE1, 0, 0)  # and that it is there, late
    assert session.get(FADER) == -12.0
    desk.moves(0xE1, 0, 20)  # a hand, quickly
    assert session.get(FADER) == pytest.approx(-12 + 20 * 128 / 8192 * 12)
    assert desk.notes == []


def test_a_silent_motor_fader_is_in_hand_where_it_was_sent_to(session):
    desk = Desk(session, MOTOR)
    desk.after(1.0)
    desk.moves(0xE1, 0, 64)
    desk.after(1.0)
    session.set(FADER, 9.0, source="web")
    desk.after(1.0)
    desk.moves(0xE1, 0, 104)  # from 9 dB (112), in one step of a quick hand
    assert session.get(FADER) == pytest.approx(12 * (104 * 128 - 8192) / 8191)


def test_a_fader_without_a_motor_waits_for_its_value_all_the_same(session):
    desk = Desk(session, PLAIN)
    desk.after(1.0)
    desk.moves(0xB0, 9, 64)
    desk.after(1.0)
    session.set(OTHER, 9.0, source="web")
    assert desk.after(1.0) == [(0xB0, 9, 111)]  # (which it does not understand)
    desk.moves(0xB0, 9, 66)
    assert session.get(OTHER) == 9.0
    assert len(desk.notes) == 1
    desk.moves(0xB0, 9, 112)
    assert session.get(OTHER) == pytest.approx(12 * 48 / 63)


def test_a_hand_against_the_motor_acts_at_once(session):
    desk = Desk(session, MidiBinding(OTHER, 1, 9, takeover="jump"))
    desk.after(1.0)
    desk.moves(0xB0, 9, 64)
    desk.after(1.0)
    session.set(OTHER, 12.0, source="morph")
    desk.now += REST_S
    desk.feedback.update()
    desk.moves(0xB0, 9, 40)  # away from where it is driven to
    assert session.get(OTHER) == pytest.approx(-12 + 24 * 40 / 128)


def test_a_hand_that_goes_where_a_motor_would_acts_once_it_stops_elsewhere(session):
    desk = Desk(session, MidiBinding(OTHER, 1, 9, takeover="jump"), SMOOTH)
    desk.after(1.0)
    desk.moves(0xB0, 9, 64)
    desk.moves(0xB0, 7, 0)
    desk.moves(0xB0, 39, 0)
    desk.after(1.0)
    session.set(OTHER, 12.0, source="preset")
    session.set(WET, 0.5, source="preset")
    desk.now += REST_S
    desk.feedback.update()
    desk.moves(0xB0, 9, 80)  # on the way to 127, and no further
    assert session.get(OTHER) == 12.0
    desk.after(TRAVEL_S * 1.1)
    assert session.get(OTHER) == pytest.approx(12 * 16 / 63)
    assert desk.after(1.0) == []


def test_the_halves_of_a_hand_act_both_though_the_time_of_a_motor_ends_between_them(session):
    desk = Desk(session, MidiBinding(WET, 1, 7, "14bit", takeover="jump"))
    desk.after(1.0)
    desk.moves(0xB0, 7, 0)
    desk.moves(0xB0, 39, 0)
    desk.after(1.0)
    session.set(WET, 1.0, source="preset")
    desk.now += REST_S
    desk.feedback.update()
    desk.moves(0xB0, 7, 40)  # on the way to 127
    desk.now += TRAVEL_S * 1.01  # (the thread of the feedback comes late)
    desk.moves(0xB0, 39, 100)
    assert session.get(WET) == pytest.approx(fraction_of(40 << 7 | 100, 14))
    desk.after(1.0)
    assert session.get(WET) == pytest.approx(fraction_of(40 << 7 | 100, 14))


def test_a_hand_that_passes_where_a_motor_was_sent_to_before_acts_once_it_stops_there(session):
    desk = Desk(session, MidiBinding(WET, 1, 7, "14bit", takeover="jump"))
    desk.after(1.0)
    session.set(WET, 0.5, source="terminal")
    desk.after(0.03)
    session.set(WET, 0.75, source="terminal")  # (not sent yet)
    desk.moves(0xB0, 7, 64)
    desk.moves(0xB0, 39, 0)
    assert desk.after(0.1)[:2] == [(0xB0, 7, 96), (0xB0, 39, 0)]
    desk.after(TRAVEL_S * 1.1)
    assert session.get(WET) == 0.5


def test_a_fine_half_alone_moves_on_from_where_the_motor_is(session):
    desk = Desk(session, MidiBinding(WET, 1, 7, "14bit"))
    desk.after(1.0)
    desk.moves(0xB0, 7, 127)
    desk.moves(0xB0, 39, 127)
    session.set(WET, 0.25, source="preset")
    desk.after(1.0)
    for number, value in ((7, 32), (39, 0)):  # it has arrived
        desk.moves(0xB0, number, value)
    desk.after(1.0)
    desk.moves(0xB0, 39, 5)
    assert session.get(WET) == pytest.approx(fraction_of(32 << 7 | 5, 14))


def test_messages_are_neither_lost_nor_late_beside_the_thread_of_the_feedback(session):
    binding = MidiBinding(WET, 1, 7, "14bit", takeover="jump")
    feedback = MidiFeedback(session, [binding], lambda packet: None)
    control = MidiControl(session, [binding], feedback=feedback)
    rng = random.Random(0)
    feedback.start()
    try:
        for _ in range(40):
            for _ in range(rng.randrange(6)):
                session.set(WET, rng.random(), source="web")
                time.sleep(rng.choice((0, 0.001, 0.01, 0.03)))
            time.sleep(rng.choice((0, 0.01, 0.1, TRAVEL_S)))
            steps = rng.randrange(1 << 14)
            for number, half in ((7, steps >> 7), (39, steps & 127)):
                control.receive(MidiMessage("control", 1, number, half))
                time.sleep(rng.choice((0, 0.003)))
            until(lambda wanted=steps: steps_of(session.get(WET), 14) == wanted)
    finally:
        feedback.close()


def test_the_ring_of_an_encoder_follows_its_own_turns(session):
    desk = Desk(session, RING)
    desk.after(1.0)
    for _ in range(4):
        desk.moves(0xB2, 20, 1)
    assert desk.after(0.1) == [(0xB2, 20, 68)]


def test_lamps_of_pads_show_what_is_on_and_in_the_colours_that_they_are_given(session):
    dolce = MidiBinding("/moodfader/preset/load", 10, 36, message="note", value="dolce", on=21, off=3)
    recall = MidiBinding("/moodfader/snapshot/recall", 10, 37, message="note", value=3)
    store = MidiBinding("/moodfader/snapshot/store", 10, 38, message="note", value=3)
    cue = MidiBinding("/moodfader/cue/go", 10, 39, message="note", value=1)
    desk = Desk(session, dolce, recall, store, cue)
    assert sorted(desk.after(1.0)) == [(0x99, 36, 3), (0x99, 37, 0), (0x99, 38, 0), (0x99, 39, 0)]
    desk.moves(0x99, 36, 100)
    assert desk.after(1.0) == [(0x99, 36, 21)]
    session.set("/moodfader/snapshot/store", 3)
    session.set("/moodfader/cue/set", 1)
    assert sorted(desk.after(1.0)) == [(0x99, 37, 127), (0x99, 38, 127), (0x99, 39, 127)]
    session.set("/moodfader/preset/load", "agitato")
    assert desk.after(1.0) == [(0x99, 36, 3)]


def test_a_lamp_is_sent_again_when_its_button_is_let_go(session):
    desk = Desk(session, MidiBinding(BYPASS, 1, 36, "toggle", message="note"))
    desk.after(1.0)
    desk.moves(0x90, 36, 100)
    assert desk.after(1.0) == [(0x90, 36, 127)]
    desk.moves(0x80, 36, 0)  # many controllers put their lamp out by themselves here
    assert desk.after(1.0) == [(0x90, 36, 127)]


def test_triggers_and_program_changes_are_sent_nothing(session):
    zero = MidiBinding("/moodfader/zero", 1, 40, message="note")
    program = MidiBinding("/moodfader/preset/load", 1, 4, message="program", value="dolce")
    desk = Desk(session, zero, program)
    desk.control.receive(MidiMessage("program", 1, 4, 127))
    assert desk.after(1.0) == []
    assert session.get("/moodfader/preset/load") == "dolce"


def test_a_flood_of_changes_leaves_room_on_the_cable(session):
    desk = Desk(session, SMOOTH)
    desk.after(1.0)
    desk.got.clear()
    for step in range(1000):  # a second of a fast surface
        session.set(WET, step / 1000)
        desk.now += 0.001
        desk.feedback.update()
    assert sum(map(len, desk.got)) <= 51 * 6
    sent = desk.got.copy()
    sent += [list(packet) for packet in desk.after(0.1)]
    (_, _, coarse), (_, _, fine) = sent[-2:]
    assert session.get(WET) == pytest.approx(fraction_of(coarse << 7 | fine, 14), abs=1e-4)


def test_a_port_that_fails_is_told_once_and_the_thread_goes_on(session):
    notes, sent = [], []

    def send(packet):
        if len(notes) == 0:
            raise RuntimeError("no such device")
        sent.append(packet)

    feedback = MidiFeedback(session, [SMOOTH], send, note=notes.append)
    feedback.start()
    try:
        for step in range(6000):
            session.set(WET, step % 500 / 500)
            if sent:
                break
            feedback._closing.wait(0.02)
        assert sent
        assert notes == ["MIDI output: cannot be sent (no such device)"]
    finally:
        feedback.close()


def test_the_colours_of_lamps_are_kept_in_the_file_and_checked(tmp_path):
    path = tmp_path / "midi.toml"
    lit = MidiBinding(BYPASS, 1, 36, "toggle", message="note", on=5, off=1)
    save_mapping(path, [lit, PLAIN])
    assert read_mapping(path) == (lit, PLAIN)
    assert path.read_text().count("on = ") == 1
    with pytest.raises(InputError, match="on 128"):
        MidiBinding(BYPASS, 1, 36, on=128)
