"""How controls are learned from the messages of a hand that moves them."""

import random

import pytest
from helpers.midi_messages import BYPASS, FADER, PAUSE, PRESET, STEPS, control, controls, halves, note
from moodfader.control.midi.learn import MidiLearn, infer_binding, infer_mode
from moodfader.control.midi.mapping_file import RELATIVE, MidiBinding
from moodfader.control.midi.messages import MidiMessage


def test_a_pot_is_learned():
    sweep = controls(3, 21, range(10, 40))
    assert infer_binding(FADER, sweep[:5]) is None
    assert infer_binding(FADER, sweep) == MidiBinding(FADER, 3, 21, "7bit")
    assert infer_binding(FADER, [control(1, 1, 2), *sweep, control(2, 9, 64)]) == MidiBinding(FADER, 3, 21, "7bit")
    assert infer_binding(FADER, controls(3, 21, range(9))) == MidiBinding(FADER, 3, 21, "7bit")


@pytest.mark.parametrize(
    "values",
    [
        range(1, 20),  # slowly from the bottom
        [*range(5, 15), *range(14, 3, -1)],  # there and back
        [*range(56, 73), *range(71, 55, -1)],  # around the middle
        [*range(127, 100, -1)],
        [0, 14, 29, 45, 60, 77, 95, 110, 127],  # quickly
        [3, 20, 41, 58, 75, 90, 104, 120],
        [66, 70, 75, 79, 84, 80, 75, 71, 66],
    ],
)
def test_a_pot_is_never_taken_for_an_encoder(values):
    for end in range(8, len(values) + 1):
        assert infer_mode(list(values)[:end]) in ("7bit", None)
    further = [*values, *range(values[-1], 100, 3), *range(100, 20, -3)]
    assert learned(FADER, controls(1, 16, further)).mode == "7bit"


def test_a_fine_fader_is_learned():
    sent = [control(2, number, value) for number, value in halves(4, range(5000, 5200, 20))]
    assert infer_binding(FADER, sent) == MidiBinding(FADER, 2, 4, "14bit")


def test_a_motor_fader_is_learned():
    bends = [MidiMessage("pitchbend", 3, 0, value) for value in range(0, 16000, 1000)]
    assert infer_binding(FADER, bends) == MidiBinding(FADER, 3, message="pitchbend")


def learned(address, messages, **more):
    """As it goes: message by message, until it is known."""
    learner = MidiLearn(address, **more)
    for message in messages:
        learner.receive(message)
    return learner.result


@pytest.mark.parametrize(("mode", "up", "down"), STEPS)
def test_an_encoder_is_learned(mode, up, down):
    turned = controls(1, 16, [up] * 6 + [down] * 6)
    assert learned(FADER, turned) == MidiBinding(FADER, 1, 16, mode)
    turned = controls(1, 16, [up] * 20 + [down] * 6)  # far in one direction before it is turned back
    assert learned(FADER, turned) == MidiBinding(FADER, 1, 16, mode)


@pytest.mark.parametrize("mode", RELATIVE)
@pytest.mark.parametrize("seed", range(20))
def test_an_encoder_that_accelerates_is_told_from_a_pot(mode, seed):
    chance = random.Random(seed)
    sent = {"twos": lambda n: n % 128, "offset": lambda n: 64 + n, "signed": lambda n: n if n > 0 else 64 - n}
    values = []
    for way in (1, -1, 1):  # turned there, back and there again: slowly, faster, slowly
        rising = [1, 1, 1]
        while len(rising) < 3 + chance.randint(3, 6):
            rising.append(min(rising[-1] + chance.randint(0, 6), 30))
        values += [sent[mode](way * steps) for steps in (*rising, *reversed(rising))]
    assert infer_mode(values) == mode
    assert learned(FADER, controls(1, 16, values)).mode == mode


def test_a_button_is_learned_by_its_first_press():
    assert infer_binding(BYPASS, [control(1, 50, 0)]) is None
    assert infer_binding(BYPASS, controls(1, 50, [0, 127])) == MidiBinding(BYPASS, 1, 50)
    assert infer_binding(BYPASS, [note(36, 0), note(36, 90)]) == MidiBinding(BYPASS, 1, 36, "toggle", message="note")
    assert infer_binding(PAUSE, [note(36, 90)]) == MidiBinding(PAUSE, 1, 36, message="note")
    program = MidiMessage("program", 2, 9, 127)
    assert infer_binding(PRESET, [program], value="dolce") == MidiBinding(
        PRESET, 2, 9, message="program", value="dolce"
    )


def test_a_control_that_sends_parameter_numbers_is_not_mistaken_for_one_of_its_messages():
    """NRPN 1, 5: each move sends 99, 98, 6 and 38, which every other control of the device sends as well."""

    def nrpn(value):
        halves = ((99, 1), (98, 5), (6, value >> 7), (38, value & 127))
        return [MidiMessage("control", 1, number, half) for number, half in halves]

    learner = MidiLearn("/moodfader/midlevel/modality")
    for value in (*range(0, 16384, 200), *range(16383, 0, -200)):
        for message in nrpn(value):
            learner.receive(message)
    assert learner.result is None
    assert learner.hears_parameter_numbers
    for value in range(20):  # (a plain fader is learned all the same)
        learner.receive(MidiMessage("control", 1, 7, value))
    assert (learner.result.number, learner.result.mode) == (7, "7bit")
