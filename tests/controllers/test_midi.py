"""Control changes: what they mean, how they are learned, how the mapping is kept; a virtual port where it can be."""

import random
import time
import uuid

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.midi.mapping import (
    MODES,
    ControlChangeDecoder,
    MidiBinding,
    encoder_steps,
    infer_binding,
    read_mapping,
    save_mapping,
)
from moodfader.control.midi.ports import ControlChangeHandler, MidiInput, MidiLearn, input_ports, mapping_file
from moodfader.models.common.errors import InputError

FADER = "/moodfader/midlevel/modality"
WET = "/moodfader/wet"
BYPASS = "/moodfader/bypass"
PAUSE = "/moodfader/transport/pause"


def decoded(session, mapped, *messages):
    """What the messages (number, value) set."""
    decoder = ControlChangeDecoder([mapped], session.get)
    changes = []
    for number, value in messages:
        for address, to in decoder.decode(mapped.channel, number, value):
            session.set(address, to)
            changes.append(to)
    return changes


def test_seven_bits_reach_both_ends_and_the_exact_middle(session):
    assert decoded(session, MidiBinding(FADER, 1, 7), (7, 0), (7, 64), (7, 127), (8, 3)) == [-12.0, 0.0, 12.0]


def test_fourteen_bits(session):
    mapped = MidiBinding(WET, 1, 7, "14bit")
    assert decoded(session, mapped, (7, 127)) == [1.0]  # a controller that never sends the fine half
    assert decoded(session, mapped, (7, 0), (39, 0), (7, 127), (39, 127), (39, 126)) == [0, 0, 1.0, 16382 / 16383]
    everything = [half for value in range(16384) for half in ((7, value >> 7), (39, value & 127))]
    reached = decoded(session, mapped, (39, 0), *everything)[1:]
    assert reached == [value / 16383 for value in range(16384)]


@pytest.mark.parametrize(("mode", "up", "down"), [("twos", 1, 127), ("offset", 65, 63), ("signed", 1, 65)])
def test_relative_encoders_start_from_where_the_fader_is(session, mode, up, down):
    session.set(FADER, 3.0)
    mapped = MidiBinding(FADER, 1, 20, mode)
    assert decoded(session, mapped, (20, up), (20, down)) == pytest.approx([3.0 + 24 / 128, 3.0])
    session.set(FADER, 11.95)  # moved by somebody else
    assert decoded(session, mapped, (20, up), (20, up), (20, down)) == pytest.approx([12.0, 12.0, 12.0 - 24 / 128])


@given(st.sampled_from(MODES[2:]), st.integers(0, 127))
def test_ticks_are_within_sixty_four(mode, value):
    assert -64 <= encoder_steps(mode, value) <= 64


def test_switches_and_buttons(session):
    assert decoded(session, MidiBinding(BYPASS, 1, 5), (5, 127), (5, 0)) == [True, False]
    assert decoded(session, MidiBinding(PAUSE, 1, 5), (5, 127), (5, 0)) == [True]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("/moodfader/nowhere", 1, 7), "no control"),
        (("/moodfader/emotion/sad", 1, 7), "cannot set"),
        (("/moodfader/preset/load", 1, 7), "cannot set"),
        (("/moodfader/transport/seek", 1, 7), "cannot set"),
        ((FADER, 0, 7), "channel 0"),
        ((FADER, 1, 120), "number 120"),
        ((FADER, 1, 40, "14bit"), "number 40"),
        ((FADER, 1, 7, "8bit"), "there are 7bit"),
        ((BYPASS, 1, 7, "twos"), "no range"),
    ],
)
def test_what_cannot_be_mapped_is_one_line(arguments, reason):
    with pytest.raises(InputError, match=reason):
        MidiBinding(*arguments)


def test_a_pot_is_learned():
    sweep = [(3, 21, value) for value in range(10, 40)]
    assert infer_binding(FADER, sweep[:5]) is None
    assert infer_binding(FADER, sweep) == MidiBinding(FADER, 3, 21, "7bit")
    assert infer_binding(FADER, [(1, 1, 2), *sweep, (2, 9, 64)]) == MidiBinding(FADER, 3, 21, "7bit")
    slowly_from_the_bottom = [(3, 21, value) for value in range(9)]
    assert infer_binding(FADER, slowly_from_the_bottom) == MidiBinding(FADER, 3, 21, "7bit")


def test_a_fine_fader_is_learned():
    halves = [half for value in range(5000, 5200, 20) for half in ((2, 4, value >> 7), (2, 36, value & 127))]
    assert infer_binding(FADER, halves) == MidiBinding(FADER, 2, 4, "14bit")


@pytest.mark.parametrize(("mode", "up", "down"), [("twos", 1, 127), ("offset", 65, 63), ("signed", 1, 65)])
def test_an_encoder_is_learned(mode, up, down):
    turned = [(1, 16, value) for value in [up] * 6 + [down] * 6]
    assert infer_binding(FADER, turned) == MidiBinding(FADER, 1, 16, mode)


def test_a_button_is_learned_by_its_first_press():
    assert infer_binding(BYPASS, [(1, 50, 0)]) is None
    assert infer_binding(BYPASS, [(1, 50, 0), (1, 50, 127)]) == MidiBinding(BYPASS, 1, 50)


def test_the_mapping_is_kept_in_a_file(tmp_path):
    mapping = (MidiBinding(FADER, 1, 7), MidiBinding(WET, 16, 31, "14bit"), MidiBinding(BYPASS, 2, 119))
    path = tmp_path / "new" / "midi.toml"
    assert read_mapping(path) == ()
    save_mapping(path, mapping)
    assert read_mapping(path) == mapping
    assert mapping_file().name == "midi.toml"


@pytest.mark.parametrize(
    "text",
    [
        "[[control]",
        "control = 3",
        "control = [3]",
        "other = 1",
        "[[control]]\naddress = 3\nchannel = 1\nnumber = 1",
        f'[[control]]\naddress = "{FADER}"\nchannel = "1"\nnumber = 1',
        f'[[control]]\naddress = "{FADER}"\nchannel = 1',
        f'[[control]]\naddress = "{FADER}"\nchannel = 1\nnumber = 1\ncolour = 1',
        f'[[control]]\naddress = "{FADER}"\nchannel = true\nnumber = 1',
    ],
)
def test_a_file_that_is_no_mapping_is_one_line(tmp_path, text):
    path = tmp_path / "midi.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"midi\.toml: "):
        read_mapping(path)


def test_any_messages_keep_the_session_in_its_ranges(session):
    chance = random.Random(3)
    mapping = [MidiBinding(FADER, 1, number, mode) for number, mode in enumerate(MODES)]
    decoder = ControlChangeDecoder([*mapping, MidiBinding(WET, 1, 2), MidiBinding(PAUSE, 1, 3)], session.get)
    for _ in range(5000):
        for address, value in decoder.decode(chance.randint(1, 2), chance.randrange(40), chance.randrange(128)):
            session.set(address, value)  # raises for what is out of range
    assert len(session.log) > 200


def _virtual_ports():
    try:
        input_ports()
        with mido.open_input("moodfader test", virtual=True):
            return True
    except (OSError, InputError):
        return False


def test_a_virtual_port(session):
    if not _virtual_ports():
        pytest.skip("no ALSA sequencer (nor CoreMIDI) here: virtual MIDI ports cannot be made")
    name = f"moodfader {uuid.uuid4().hex[:8]}"
    midi = MidiInput(session, [MidiBinding(FADER, 2, 7)], name, virtual=True)
    try:
        full = next(port for port in mido.get_output_names() if name in port)
        with mido.open_output(full) as out:
            out.send(mido.Message("note_on", note=60))
            out.send(mido.Message("control_change", channel=1, control=7, value=127))
            end = time.monotonic() + 5
            while session.get(FADER) != 12.0 and time.monotonic() < end:
                time.sleep(0.01)
        assert session.log == [(FADER, 12.0, f"midi {name}")]
    finally:
        midi.close()


def test_messages_of_mido_move_the_session_and_are_learned(session):
    """The way from a port's message on, for machines without a port."""
    midi = ControlChangeHandler(session, [MidiBinding(FADER, 2, 7)])
    learner = MidiLearn(FADER)
    for value in range(60, 80):
        message = mido.Message("control_change", channel=1, control=7, value=value)
        midi.receive(message)
        learner.receive(message)
    midi.receive(mido.Message("pitchwheel", pitch=5))
    assert session.get(FADER) == pytest.approx(15 / 126 * 24)
    assert learner.result == MidiBinding(FADER, 2, 7)


def test_a_port_that_is_not_there_is_one_line(session):
    with pytest.raises(InputError, match="MIDI"):
        MidiInput(session, [], "no such port")
