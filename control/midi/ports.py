"""An open MIDI input, read by a thread of its own, and an open MIDI output; both outlast a cable that is pulled out.

The input is read every two milliseconds rather than by RtMidi's callback: over JACK that callback runs in JACK's
real-time thread, where waiting for Python's lock would make the whole graph late.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ...engine.processes.lasting_loop import run_rounds
from ...models.common.errors import InputError
from .interfaces import VIRTUAL, Direction, close_port, is_at_jack, open_port
from .messages import MidiMessage, parse_message

_POLL_S: Final = 0.002
LOOK_S: Final = 1.0
"""So often it is seen whether the device is still there, or there again."""
_NUMBERS: Final = re.compile(r" \d+:\d+$")
"""What ALSA puts behind a name, and may be another one when the device is plugged in again."""


class MidiConnection:
    """An open port; `look` notes when its device has gone, and opens the port again when that is back.

    Parameters
    ----------
    direction : str
        Whether it is an input or an output.
    name : str
        As for `open_port`.
    note : callable
        Told in one line when the device goes and when it is back.
    on_back : callable
        Called when the port is open again, before anything comes through it.
    """

    def __init__(
        self, direction: Direction, name: str, note: Callable[[str], None], on_back: Callable[[], object]
    ) -> None:
        self._direction, self._wanted = direction, name
        self._note, self._on_back = note, on_back
        self.name, self._port = open_port(direction, name)
        self._is_gone = self._waits_for_server = False
        self._looked_at = time.monotonic()
        self._lock = threading.Lock()

    def receive(self) -> Any:  # noqa: ANN401
        """The next message as RtMidi gives it; None where there is none."""
        with self._lock:
            return None if self._port is None else self._port.get_message()

    def send(self, data: Sequence[int]) -> None:
        """Send the bytes of one message; it is lost where there is no port. Raises RuntimeError."""
        with self._lock:
            if self._port is not None:
                self._port.send_message(data)

    def leave_server(self) -> None:
        """Close a port at a JACK server that has ended, until `look` is to open it at the next one.

        All of them go before one is opened again: JACK's library crashes where a client of a dead server is closed
        beside one of a living server.
        """
        with self._lock:
            if self._port is not None and is_at_jack(self._port):
                port, self._port = self._port, None
                with contextlib.suppress(RuntimeError, OSError):  # (who tells of the end of a server goes on)
                    close_port(port)

    def join_server(self) -> None:
        """Have a port that was closed with its server opened again by the next `look`."""
        self._waits_for_server = self._port is None

    def look(self) -> None:
        """Look for the device, at most every `LOOK_S` seconds. Raises nothing."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        with self._lock:
            try:
                told = self._open_again() if self._waits_for_server else self._follow()
            except (InputError, RuntimeError):
                told = self._has_gone()
        if told:
            if not self._is_gone:
                self._on_back()
            self._note(told)

    def close(self) -> None:
        """Close the port."""
        with self._lock:
            if self._port is not None:
                close_port(self._port)
                self._port = None

    def _follow(self) -> str:
        """Note that the device has gone, or open the port at the device that is back; what there is to tell of it."""
        if self._port is None or self._wanted == VIRTUAL:
            return ""
        names = self._port.get_ports()
        alike = [one for one in names if _NUMBERS.sub("", one) == _NUMBERS.sub("", self.name)]
        if not alike:
            return self._has_gone()
        if not self._is_gone:
            return ""
        self.name = self.name if self.name in alike else alike[0]
        self._port.close_port()
        self._port.open_port(names.index(self.name), self.name)
        return self._is_back()

    def _open_again(self) -> str:
        self.name, self._port = open_port(self._direction, self._wanted if self._wanted == VIRTUAL else self.name)
        self._waits_for_server = False
        return self._is_back()

    def _has_gone(self) -> str:
        if self._is_gone:
            return ""
        self._is_gone = True
        return f"MIDI: {self.name} has gone; looking for it every second"

    def _is_back(self) -> str:
        self._is_gone = False
        return f"MIDI: {self.name} is back"


class MidiInput:
    """An open MIDI input that hands its messages on until `close`.

    Parameters
    ----------
    name : str
        The input of that name, or the first whose name contains it; `virtual` makes one called "moodfader" for
        others to connect to (not on Windows).
    receive : callable
        Called with each message, in the thread of the port.
    note : callable, optional
        Told in one line when the device goes and when it is back.
    on_back : callable, optional
        Called in the thread of the port when it is open again.

    Raises
    ------
    InputError
        If there is no such input, with the names of those that there are.
    """

    def __init__(
        self,
        name: str,
        receive: Callable[[MidiMessage], object],
        *,
        note: Callable[[str], None] = lambda text: None,
        on_back: Callable[[], object] = lambda: None,
    ) -> None:
        self._receive = receive
        self.connection = MidiConnection("input", name, note, on_back)
        self.name = self.connection.name
        self._closing = threading.Event()
        told = {"who": f"MIDI from {self.name}", "tell": note}
        self._thread = threading.Thread(
            target=run_rounds, args=(self._round, self._closing), kwargs=told, name="midi", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Close the port."""
        self._closing.set()
        self._thread.join()
        self.connection.close()

    def _round(self) -> None:
        """Of the thread: hand on what has come."""
        if self._closing.wait(_POLL_S):
            return
        while (received := self.connection.receive()) is not None:
            message = parse_message(received[0])
            if message is not None:
                self._receive(message)
        self.connection.look()


class MidiOutput:
    """An open MIDI output.

    Parameters
    ----------
    name : str
        The output of that name, or the first whose name contains it; `virtual` makes one called "moodfader".
    note : callable, optional
        Told in one line when the device goes and when it is back.

    Attributes
    ----------
    on_back : callable
        Called when the port is open again: the device shows nothing yet.

    Raises
    ------
    InputError
        If there is no such output, with the names of those that there are.
    """

    def __init__(self, name: str, *, note: Callable[[str], None] = lambda text: None) -> None:
        self.on_back: Callable[[], object] = lambda: None
        self.connection = MidiConnection("output", name, note, self._come_back)
        self._is_repeated = False
        self.name = self.connection.name
        self._closing = threading.Event()
        told = {"who": f"MIDI to {self.name}", "tell": note}
        self._thread = threading.Thread(
            target=run_rounds, args=(self._round, self._closing), kwargs=told, name="midi out port", daemon=True
        )
        self._thread.start()

    def send(self, data: Sequence[int]) -> None:
        """Send the bytes of one message. Raises RuntimeError where the port has gone."""
        self.connection.send(data)

    def close(self) -> None:
        """Close the port."""
        self._closing.set()
        self._thread.join()
        self.connection.close()

    def _come_back(self) -> None:
        self._is_repeated = True
        self.on_back()

    def _round(self) -> None:
        """Of the thread: see whether the device is there."""
        if self._closing.wait(LOOK_S / 2):
            return
        if self._is_repeated:  # (JACK loses what is sent in the cycle in which a port is connected)
            self._is_repeated = False
            self.on_back()
        self.connection.look()
