"""The system's MIDI interfaces (ALSA, JACK, CoreMIDI, Windows) through RtMidi: which ports there are, opening one.

The binding is supriya-midi, which has wheels for every Python that the program runs on (python-rtmidi ends at 3.12).
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from ...models.common.errors import InputError

Direction = Literal["input", "output"]
VIRTUAL: Final = "virtual"
"""The port name that makes a port of our own, which others connect to."""
CLIENT_NAME: Final = "moodfader"
_CLASSES: Final = {"input": "MidiIn", "output": "MidiOut"}
_stderr_lock = threading.Lock()
_NO_LIBRARY: Final = "MIDI needs the package supriya-midi: pip install supriya-midi"


def port_names(direction: Direction) -> tuple[str, ...]:
    """Names of the MIDI inputs or outputs. Raises InputError where the system has no MIDI."""
    return tuple(dict.fromkeys(name for name, _, _ in _ports(direction)))


def open_port(direction: Direction, name: str) -> tuple[str, Any]:
    """Open a port.

    Parameters
    ----------
    direction : str
        Whether an input or an output is wanted.
    name : str
        The port of that name, or the first whose name contains it; `virtual` makes one called "moodfader".

    Returns
    -------
    tuple of str and RtMidi port
        The full name, and the open port.

    Raises
    ------
    InputError
        If there is no such port, with the names of those that there are, or it cannot be opened.
    """
    if name == VIRTUAL:
        return CLIENT_NAME, _open_virtual(direction)
    full_name, api, number = find_port(direction, name)
    return full_name, _open(direction, api, lambda port: port.open_port(number, CLIENT_NAME))


def close_port(port: Any) -> None:  # noqa: ANN401
    """Close an open port, also one whose server has ended."""
    with _quiet():
        port.close_port()
        port.delete()


def is_at_jack(port: Any) -> bool:  # noqa: ANN401
    """Whether an open port is one of a JACK server."""
    return bool(port.get_current_api() == _library().RtMidiAPI.UNIX_JACK)


def find_port(direction: Direction, name: str) -> tuple[str, Any, int]:
    """Name, interface and number of the port of that name, or the first whose name contains it.

    Raises
    ------
    InputError
        If there is none, with the names of those that there are.
    """
    ports = _ports(direction)
    exact = [entry for entry in ports if entry[0] == name]
    alike = [entry for entry in ports if name.lower() in entry[0].lower()]
    if not exact and not alike:
        names = ", ".join(dict.fromkeys(entry[0] for entry in ports)) or "none"
        raise InputError(
            f"no MIDI {direction} is called {name!r}: there are {names} ({VIRTUAL!r} makes one of our own)"
        )
    return (exact or alike)[0]


def _ports(direction: Direction) -> list[tuple[str, Any, int]]:
    """Name, interface and number of every port. Raises InputError where there is no MIDI at all."""
    midi = _library()
    found: list[tuple[str, Any, int]] = []
    reasons: list[str] = []
    for api in _interfaces():
        try:
            with _quiet():
                port = getattr(midi, _CLASSES[direction])(api, CLIENT_NAME)
                try:
                    found += [(name, api, number) for number, name in enumerate(port.get_ports())]
                finally:
                    port.delete()
        except (midi.RtMidiError, RuntimeError) as error:
            reasons.append(str(error).split(": ", 1)[-1])
    if len(reasons) == len(_interfaces()):
        raise InputError(f"MIDI: this system gives no ports ({'; '.join(reasons)})")
    return found


def _open_virtual(direction: Direction) -> Any:  # noqa: ANN401
    """A port of our own on the first interface that has them. Raises InputError."""
    reasons: list[str] = []
    for api in _interfaces():
        try:
            return _open(direction, api, lambda port: port.open_virtual_port(CLIENT_NAME))
        except InputError as error:
            reasons.append(str(error))
    raise InputError(reasons[0] if reasons else "MIDI: this system gives no ports")


def _open(direction: Direction, api: Any, open_: Callable[[Any], object]) -> Any:  # noqa: ANN401
    """A port on that interface after `open_`. Raises InputError."""
    midi = _library()
    try:
        with _quiet():
            port = getattr(midi, _CLASSES[direction])(api, CLIENT_NAME)
            try:
                open_(port)
            except BaseException:
                port.delete()
                raise
    except (midi.RtMidiError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"MIDI {direction}: cannot be opened ({error})") from error
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
    with _stderr_lock:  # (two threads at once would not put it back)
        stderr = os.dup(2)
        try:
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123
                os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
