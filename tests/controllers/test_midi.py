"""MIDI: what messages mean for a show."""

import random
from pathlib import Path

import pytest
from helpers.midi_messages import BYPASS, FADER, PAUSE, PRESET, STEPS, WET, control, halves, note
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.midi.decoder import MidiDecoder, encoder_steps
from moodfader.control.midi.mapping_file import MODES, RELATIVE, MidiBinding
from moodfader.control.midi.messages import MidiMessage, parse_message
from moodfader.control.midi.midi_control import MidiControl
from moodfader.models.common.errors import InputError


def decoded(session, binding, *messages):
    """What the messages, (number, value) of control changes or whole ones, set."""
    decoder = MidiDecoder([binding], session.get)
    changes = []
    for message in messages:
        whole = message if isinstance(message, MidiMessage) else control(binding.channel, *message)
        for address, to in decoder.decode(whole):
            session.set(address, to)
            changes.append(to)
    return changes


def test_the_bytes_of_messages():
    assert parse_message([0xB2, 7, 64]) == MidiMessage("control", 3, 7, 64)
    assert parse_message([0x90, 60, 100]) == MidiMessage("note", 1, 60, 100)
    assert parse_message([0x80, 60, 64]) == parse_message([0x90, 60, 0]) == MidiMessage("note", 1, 60, 0)
    assert parse_message([0xCF, 5]) == MidiMessage("program", 16, 5, 127)
    assert parse_message([0xE0, 0, 64]) == MidiMessage("pitchbend", 1, 0, 8192)
    for data in ([], [0xF8], [0xB0, 7], [0xB0, 7, 200], [0xF0, 1, 2, 0xF7], [0xD0, 4], [7, 64]):
        assert parse_message(data) is None


def test_seven_bits_reach_both_ends_and_the_exact_middle(session):
    moved = decoded(session, MidiBinding(FADER, 1, 7, takeover="jump"), (7, 0), (7, 64), (7, 127), (8, 3))
    assert moved == [-12.0, 0.0, 12.0]


def test_fourteen_bits_reach_both_ends_and_the_exact_middle(session):
    binding = MidiBinding(FADER, 1, 7, "14bit", takeover="jump")
    reached = decoded(session, binding, *halves(7, [0, 8192, 16383]))
    assert (reached[1], reached[3], reached[5]) == (-12.0, 0.0, 12.0)


def test_fourteen_bits_moved_slowly_never_step_back(session):
    binding = MidiBinding(WET, 1, 7, "14bit", takeover="jump")
    up = decoded(session, binding, *halves(7, range(16384)))
    assert up == sorted(up)
    assert len(set(up)) == 16384
    down = decoded(session, binding, *halves(7, range(16383, -1, -1)))[1:]  # (the first coarse half is alone)
    assert down == sorted(down, reverse=True)


def test_a_14_bit_fader_that_sends_only_the_coarse_byte_moves(session):
    data = Path(__file__).parents[1].joinpath("fixtures", "midi_14bit_coarse_only.bin").read_bytes()
    messages = [parse_message(data[at : at + 3]) for at in range(0, len(data), 3)]
    binding = MidiBinding(WET, 1, 1, "14bit", takeover="jump")
    moved = decoded(session, binding, *messages)
    assert moved[:2] == [0.5, 0.5]
    assert moved[2] > 0.75
    assert moved[3] == pytest.approx(0.5 + 46 / 126)
    assert decoded(session, binding, (1, 127)) == [1.0]  # one that has never sent a fine byte


def test_a_fine_byte_alone_does_not_jump_to_the_bottom(session):
    assert decoded(session, MidiBinding(WET, 1, 7, "14bit", takeover="jump"), (39, 5)) == []


@pytest.mark.parametrize(("mode", "up", "down"), STEPS)
def test_relative_encoders_start_from_where_the_fader_is(session, mode, up, down):
    session.set(FADER, 3.0)
    binding = MidiBinding(FADER, 1, 20, mode)
    assert decoded(session, binding, (20, up), (20, down)) == pytest.approx([3.0 + 24 / 128, 3.0])
    session.set(FADER, 11.95)  # moved by somebody else
    assert decoded(session, binding, (20, up), (20, up), (20, down)) == pytest.approx([12.0, 12.0, 12.0 - 24 / 128])


@given(st.sampled_from(RELATIVE), st.integers(0, 127))
def test_steps_are_within_sixty_four(mode, value):
    assert -64 <= encoder_steps(mode, value) <= 64


def test_a_fader_does_not_jump_after_a_preset(session):
    decoder = MidiDecoder([MidiBinding(FADER, 1, 7)], session.get)

    def move(*values):
        changes = []
        for value in values:
            for address, to in decoder.decode(control(1, 7, value)):
                session.set(address, to)
                changes.append(to)
        return changes

    assert move(60, 64, 96)[-1] == pytest.approx(32 / 126 * 24)  # crosses 0 dB: in hand
    session.set(FADER, -6.0)  # a preset
    assert move(97, 90, 70, 40) == []
    assert move(31, 20) == [pytest.approx(-12 + 31 / 128 * 24), pytest.approx(-12 + 20 / 128 * 24)]  # crossed -6 dB
    session.set(FADER, 12.0)
    assert move(30) == []
    assert move(127) == [12.0]


def test_who_moves_a_fader_that_waits_is_told_once_where_it_waits(session):
    notes = []
    midi = MidiControl(session, [MidiBinding(FADER, 2, 7)], note=notes.append)
    session.set(FADER, 6.0)
    for value in (10, 11, 12):
        midi.receive(control(2, 7, value))
    assert notes == ["MIDI: modality waits for its fader: move it through 6 dB"]
    assert session.get(FADER) == 6.0


def test_switches_and_buttons(session):
    assert decoded(session, MidiBinding(BYPASS, 1, 5), (5, 127), (5, 0)) == [True, False]
    assert decoded(session, MidiBinding(PAUSE, 1, 5), (5, 127), (5, 0)) == [True]
    assert decoded(session, MidiBinding(BYPASS, 1, 5, "toggle"), (5, 127), (5, 0), (5, 127)) == [True, False]


def test_pads_switch_load_presets_and_press_triggers(session):
    toggle = MidiBinding(BYPASS, 1, 36, "toggle", message="note")
    assert decoded(session, toggle, note(36, 9), note(36, 0), note(36, 100), note(37, 100)) == [True, False]
    hold = MidiBinding(BYPASS, 1, 36, message="note")
    assert decoded(session, hold, note(36, 9), note(36, 0)) == [True, False]
    preset = MidiBinding(PRESET, 1, 40, message="note", value="dolce")
    assert decoded(session, preset, note(40, 1), note(40, 0)) == ["dolce"]
    assert session.get(PRESET) == "dolce"
    assert decoded(session, MidiBinding(PAUSE, 1, 41, message="note"), note(41, 1), note(41, 0)) == [True]
    unity = MidiBinding(FADER, 1, 42, message="note", value=0)
    session.set(FADER, 5.0)
    assert decoded(session, unity, note(42, 127)) == [0]


def test_program_changes(session):
    program = MidiMessage("program", 1, 3, 127)
    assert decoded(session, MidiBinding(PRESET, 1, 3, message="program", value="dolce"), program) == ["dolce"]
    assert decoded(session, MidiBinding(BYPASS, 1, 3, message="program"), program, program) == [True, False]


def test_a_pitch_bend_fader(session):
    binding = MidiBinding(FADER, 2, message="pitchbend", takeover="jump")
    bends = [MidiMessage("pitchbend", 2, 0, value) for value in (0, 8192, 16383)]
    assert decoded(session, binding, *bends) == [-12.0, 0.0, 12.0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"address": "/moodfader/nowhere"}, "no control"),
        ({"address": "/moodfader/emotion/sad"}, "cannot set"),
        ({"address": PRESET}, "or a value to set it to"),
        ({"address": "/moodfader/transport/seek"}, "cannot set"),
        ({"channel": 0}, "channel 0"),
        ({"number": 120}, "number 120"),
        ({"number": 40, "mode": "14bit"}, "number 40"),
        ({"mode": "8bit"}, "there are 7bit"),
        ({"message": "aftertouch"}, "there are control"),
        ({"takeover": "grab"}, "there are pickup"),
        ({"address": BYPASS, "mode": "twos"}, "no range"),
        ({"mode": "toggle"}, "no switch"),
        ({"mode": "twos", "message": "note"}, "for control changes"),
        ({"message": "program"}, "needs the value"),
        ({"message": "note", "value": 99.0}, "out of range"),
        ({"message": "pitchbend", "number": 0, "address": BYPASS}, "pitch bend"),
    ],
)
def test_what_cannot_be_mapped_is_one_line(arguments, reason):
    with pytest.raises(InputError, match=reason):
        MidiBinding(**{"address": FADER, "channel": 1, "number": 7} | arguments)


def test_any_messages_keep_the_session_in_its_ranges(session):
    chance = random.Random(3)
    modes = [mode for mode in MODES if mode != "toggle"]
    mapping = [MidiBinding(FADER, 1, number, mode, takeover="jump") for number, mode in enumerate(modes)]
    mapping += [MidiBinding(WET, 1, 2), MidiBinding(PAUSE, 1, 3), MidiBinding(BYPASS, 1, 9, "toggle", message="note")]
    decoder = MidiDecoder(mapping, session.get)
    for _ in range(20_000):
        message = parse_message(
            [chance.choice((0x80, 0x90, 0xB0, 0xB1, 0xE0)), chance.randrange(40), chance.randrange(128)]
        )
        for address, value in decoder.decode(message) if message else ():
            session.set(address, value)  # raises for what is out of range
    assert len(session.log) > 200


def test_a_value_that_is_refused_is_told_and_the_show_goes_on(session, monkeypatch):
    notes = []
    mapping = [MidiBinding(PRESET, 1, 1, message="note", value="nowhere"), MidiBinding(BYPASS, 1, 2, message="note")]
    midi = MidiControl(session, mapping, note=notes.append)
    midi.receive(note(1, 100))
    assert notes[0].startswith("MIDI: no preset is called 'nowhere'")
    monkeypatch.setattr(session, "set", lambda *_, **__: 1 / 0)
    midi.receive(note(2, 100))
    assert "fault of Moodfader" in notes[1]
