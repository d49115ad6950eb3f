"""MIDI inputs of the system (ALSA, JACK, CoreMIDI, Windows), and the session that they move.

The binding to RtMidi is supriya-midi, which has wheels for every Python that the program runs on (python-rtmidi ends
at 3.12). A port is read by a thread of its own, every two milliseconds, rather than by RtMidi's callback: over JACK
that callback runs in JACK's real-time thread, where waiting for Python's lock would make the whole graph late.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...models.common.errors import InputError
from ..parameters.table import Parameter
from .decoder import MidiDecoder
from .mapping import MidiBinding
from .messages import MidiMessage, parse_message

if TYPE_CHECKING:
    from ..session.session import Session

VIRTUAL: Final = "virtual"
"""The port name that makes an input of our own, which others connect to."""
CLIENT_NAME: Final = "moodfader"
_POLL_S: Final = 0.002
_NO_LIBRARY: Final = "MIDI needs the package supriya-midi: pip install supriya-midi"


def input_ports() -> tuple[str, ...]:
    """Names of the MIDI inputs. Raises InputError where the system has no MIDI."""
    return tuple(dict.fromkeys(name for name, _, _ in _inputs()))


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
        if name == VIRTUAL:
            self.name, self._port = CLIENT_NAME, _open_virtual()
        else:
            self.name, api, number = find_input(name)
            self._port = _open(api, lambda port: port.open_port(number, CLIENT_NAME))
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


class MidiControl:
    """Moves a session by the messages of an input, as the mapping says.

    Parameters
    ----------
    session : Session
        What is set.
    mapping : sequence of MidiBinding
        Which control sets which address.
    source : str
        The source that a recording of the performance names.
    note : callable, optional
        Told in one line what a person should know: a fader that waits for pickup, a value that was refused.
    """

    def __init__(
        self,
        session: "Session",
        mapping: Sequence[MidiBinding],
        *,
        source: str = "midi",
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._source = source
        self._note = note or (lambda text: None)
        self._decoder = MidiDecoder(mapping, session.get, self._waiting)

    def receive(self, message: MidiMessage) -> None:
        """Act on one message; what is not mapped is left alone. Raises nothing: the show goes on."""
        try:
            for address, value in self._decoder.decode(message):
                self._session.set(address, value, source=self._source)
        except InputError as error:
            self._note(f"MIDI: {error}")
        except Exception as error:  # one fault must not end the show
            self._note(f"MIDI: a fault of Moodfader ({error!r}); the show goes on")

    def _waiting(self, parameter: Parameter, value: float) -> None:
        name = parameter.address.rsplit("/", 1)[-1].replace("_", " ")
        unit = f" {parameter.unit}" if parameter.unit else ""
        self._note(f"MIDI: {name} waits for its fader: move it through {value:.3g}{unit}")


def _inputs() -> list[tuple[str, Any, int]]:
    """Name, interface and number of every input. Raises InputError where there is no MIDI at all."""
    midi = _library()
    found: list[tuple[str, Any, int]] = []
    reasons: list[str] = []
    for api in _interfaces():
        try:
            with _quiet():
                port = midi.MidiIn(api, CLIENT_NAME)
                try:
                    found += [(name, api, number) for number, name in enumerate(port.get_ports())]
                finally:
                    port.delete()
        except (midi.RtMidiError, RuntimeError) as error:
            reasons.append(str(error).split(": ", 1)[-1])
    if len(reasons) == len(_interfaces()):
        raise InputError(f"MIDI: this system gives no ports ({'; '.join(reasons)})")
    return found


def find_input(name: str) -> tuple[str, Any, int]:
    """Name, interface and number of the input of that name, or the first whose name contains it.

    Raises
    ------
    InputError
        If there is none, with the names of those that there are.
    """
    inputs = _inputs()
    exact = [entry for entry in inputs if entry[0] == name]
    alike = [entry for entry in inputs if name.lower() in entry[0].lower()]
    if not exact and not alike:
        names = ", ".join(dict.fromkeys(entry[0] for entry in inputs)) or "none"
        raise InputError(f"no MIDI input is called {name!r}: there are {names} ({VIRTUAL!r} makes one of our own)")
    return (exact or alike)[0]


def _open_virtual() -> Any:  # noqa: ANN401
    """An input of our own on the first interface that has them. Raises InputError."""
    reasons: list[str] = []
    for api in _interfaces():
        try:
            return _open(api, lambda port: port.open_virtual_port(CLIENT_NAME))
        except InputError as error:
            reasons.append(str(error))
    raise InputError(reasons[0] if reasons else "MIDI: this system gives no ports")


def _open(api: Any, open_port: Callable[[Any], object]) -> Any:  # noqa: ANN401
    """An input on that interface after `open_port`. Raises InputError."""
    midi = _library()
    try:
        with _quiet():
            port = midi.MidiIn(api, CLIENT_NAME)
            try:
                open_port(port)
            except BaseException:
                port.delete()
                raise
    except (midi.RtMidiError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"MIDI input: cannot be opened ({error})") from error
    return port


def _interfaces() -> list[Any]:
    """The system's MIDI interfaces that the library was built for."""
    midi = _library()
    return [api for api in midi.get_compiled_apis() if api != midi.RtMidiAPI.RTMIDI_DUMMY]


def _library() -> Any:  # noqa: ANN401
    """The binding to RtMidi. Raises InputError where it is not installed."""
    # Its wheel brings a libjack whose protocol today's JACK servers refuse; the system's own, where there is one, is
    # used instead when it is loaded first.
    with contextlib.suppress(OSError):
        ctypes.CDLL("libjack.so.0", mode=ctypes.RTLD_GLOBAL)
    try:
        import supriya_midi
    except ImportError as error:
        raise InputError(f"{_NO_LIBRARY} ({error})") from error
    return supriya_midi


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Redirect standard error: the C libraries print there about servers that do not run."""
    stderr = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
