"""A controller that is unplugged and plugged in again, and a JACK server that is started again: its faders act."""

import threading

import numpy as np
import pytest
import soundfile
from helpers import midi_cable
from helpers.playing_program import Play
from helpers.waiting import until
from moodfader.control.live_commands import surfaces
from moodfader.control.midi.decoder import MidiDecoder
from moodfader.control.midi.mapping_file import MidiBinding
from moodfader.control.midi.messages import MidiMessage

FADER = "/moodfader/midlevel/modality"
OUTPUT = "/moodfader/state/output"
needs_a_cable = pytest.mark.skipif(bool(midi_cable.missing()), reason=midi_cable.missing())


@pytest.fixture
def cable():
    try:
        cable = midi_cable.MidiCable()
    except RuntimeError as error:
        pytest.skip(str(error))
    yield cable
    cable.close()


@pytest.fixture
def play(cable, tmp_path):
    """A show on the server's sound card, one fader of which is at controller 9 of the cable."""
    soundfile.write(tmp_path / "song.wav", 0.1 * np.random.default_rng(0).uniform(-1, 1, 2 * 48000), 48000)
    (tmp_path / "midi.toml").write_text(
        f'[[control]]\naddress = "{FADER}"\nchannel = 1\nnumber = 9\ntakeover = "jump"\n'
    )
    play = Play(tmp_path, "--midi", "desk", "--midi-out", "rings", env=cable.environment, backend="jack")
    yield play
    play.stop()


def moves(cable, play, value):
    """Sweep the control to a value until the fader is there: what is sent while a port is opened is lost."""
    sweep = [(0xB0, 9, step) for step in (*range(0, value, 4), value)]
    until(lambda: cable.send(*sweep) or play.comes_to(FADER, -12 + 24 * value / 128, 2))


def told(play, text):
    until(
        lambda: any(text in note for note in play.notes),
        instead=lambda: f"({text!r}), but {play.notes}; exit code {play.process.poll()}",
    )


@needs_a_cable
def test_a_controller_that_is_plugged_in_again_moves_its_fader_and_shows_it(cable, play):
    moves(cable, play, 32)
    cable.unplug()
    told(play, "desk has gone")
    told(play, "rings has gone")
    play.set(FADER, 6.0)
    cable.plug_in()
    told(play, "desk is back")
    until(lambda: (0xB0, 9, 96) in [tuple(message) for message in cable.got])  # (6 dB: what it missed)
    moves(cable, play, 64)


@pytest.mark.slow  # (on a very busy machine one port in about ten restarts waits for ever: not understood yet)
@needs_a_cable
def test_a_jack_server_that_is_started_again_has_the_controller_again(cable, play):
    moves(cable, play, 32)
    cable.end_server()
    told(play, "the sound card is gone")
    cable.start_server()
    cable.plug_in()
    told(play, "desk is back")
    told(play, "rings is back")
    moves(cable, play, 64)
    play.stop()
    assert play.process.returncode in (0, 128 + 15)  # (JACK's library crashes where old clients are closed)


def test_a_server_that_is_back_while_the_ports_are_still_being_closed_gets_all_of_them_again():
    """One thread tells that it has gone, another that it is back."""
    told, closing, closed = [], threading.Event(), threading.Event()

    class Session:
        output = "gone"

        def get(self, address):
            assert address == OUTPUT
            return self.output

    class Port:
        def leave_server(self):
            closing.set()
            closed.wait(60)
            told.append("left")

        def join_server(self):
            told.append("joined")

    session = Session()
    notice = surfaces._follow_server(session, [Port(), Port()])
    leaving = threading.Thread(target=notice, args=({OUTPUT},))
    leaving.start()
    closing.wait(60)
    session.output = "running"
    joining = threading.Thread(target=notice, args=({OUTPUT},))
    joining.start()
    joining.join(0.2)
    closed.set()
    leaving.join()
    joining.join()
    assert told == ["left", "left", "joined", "joined"]


def test_a_fader_that_was_moved_while_it_was_unplugged_picks_up_again():
    value = {"held": 0.0}
    decoder = MidiDecoder([MidiBinding(FADER, 1, 9)], lambda address: value["held"])
    ((_, value["held"]),) = decoder.decode(MidiMessage("control", 1, 9, 64))
    assert decoder.decode(MidiMessage("control", 1, 9, 70))  # (it has the value)
    value["held"] = 0.0
    decoder.restart()
    assert not decoder.decode(MidiMessage("control", 1, 9, 100))
