"""Messages of MIDI controllers, and the addresses that they are mapped to in tests."""

from moodfader.control.midi.messages import MidiMessage

FADER = "/moodfader/midlevel/modality"
WET = "/moodfader/wet"
BYPASS = "/moodfader/bypass"
PAUSE = "/moodfader/transport/pause"
PRESET = "/moodfader/preset/load"
STEPS = [("twos", 1, 127), ("offset", 65, 63), ("signed", 1, 65)]
"""Modes of encoders: a step up, a step down."""


def control(channel, number, value):
    return MidiMessage("control", channel, number, value)


def controls(channel, number, values):
    return [control(channel, number, value) for value in values]


def note(number, velocity):
    return MidiMessage("note", 1, number, velocity)


def halves(number, values):
    return [half for value in values for half in ((number, value >> 7), (number + 32, value & 127))]
