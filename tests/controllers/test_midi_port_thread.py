"""The thread that reads a MIDI input outlasts a message that brings a fault of the program to light."""

import os
import subprocess
import sys
import threading

import pytest
from helpers import midi_cable
from helpers.waiting import until

pytestmark = pytest.mark.skipif(bool(midi_cable.missing()), reason=midi_cable.missing())

LISTENER = """
import sys
from moodfader.control.midi.ports import MidiInput

def receive(message):
    print(message.value, flush=True)
    if message.value == 1:
        raise ValueError("what nobody thought of")

port = MidiInput("desk", receive, note=lambda text: print(text, flush=True))
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_message_that_raises_is_told_and_the_next_one_acts():
    cable = midi_cable.MidiCable()
    pipes, said = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}, []
    process = subprocess.Popen([sys.executable, "-c", LISTENER], env=os.environ | cable.environment, **pipes)
    threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()
    try:
        until(lambda: len(said) == 1)
        cable.send((0xB0, 7, 1))
        until(lambda: len(said) == 3)
        cable.send((0xB0, 7, 2))
        until(lambda: len(said) == 4)
    finally:
        process.kill()
        process.wait()
        cable.close()
    assert [line.strip() for line in (said[0], said[1], said[3])] == ["ready", "1", "2"]
    assert "a fault of Moodfader (ValueError: what nobody thought of); the show goes on" in said[2]
