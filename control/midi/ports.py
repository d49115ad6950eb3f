"""An open MIDI input, read by a thread of its own, and an open MIDI output.

The input is read every two milliseconds rather than by RtMidi's callback: over JACK that callback runs in JACK's
real-time thread, where waiting for Python's lock would make the whole graph late.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from .interfaces import open_port
from .messages import MidiMessage, parse_message

_POLL_S: Final = 0.002


class MidiInput:
    """An open MIDI input that hands its messages on until `close`.

    Parameters
    ----------
    name : str
        The input of that name, or the first whose name contains it; `virtual` makes one called "moodfader" for
        others to connect to (not on Windows).
    receive : callable
        Called with each message, in the thread of the port.

    Raises
    ------
    InputError
        If there is no such input, with the names of those that there are.
    """

    def __init__(self, name: str, receive: Callable[[MidiMessage], object]) -> None:
        self._receive = receive
        self.name, self._port = open_port("input", name)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port."""
        self._closing.set()
        self._thread.join()
        self._port.close_port()
        self._port.delete()

    def _run(self) -> None:
        while not self._closing.wait(_POLL_S):
            while (received := self._port.get_message()) is not None:
                message = parse_message(received[0])
                if message is not None:
                    self._receive(message)


class MidiOutput:
    """An open MIDI output.

    Parameters
    ----------
    name : str
        The output of that name, or the first whose name contains it; `virtual` makes one called "moodfader".

    Raises
    ------
    InputError
        If there is no such output, with the names of those that there are.
    """

    def __init__(self, name: str) -> None:
        self.name, self._port = open_port("output", name)

    def send(self, data: Sequence[int]) -> None:
        """Send the bytes of one message. Raises RuntimeError where the port has gone."""
        self._port.send_message(data)

    def close(self) -> None:
        """Close the port."""
        self._port.close_port()
        self._port.delete()
