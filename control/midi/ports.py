"""MIDI ports: control changes into the session, by the mapping that the user keeps. The only importer of mido.

The port calls back in a thread of the MIDI library; what happens there is a look into a table and one `set`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...models.common.errors import InputError
from ...models.common.paths import config_dir
from .mapping import ControlChangeDecoder, MidiBinding, infer_binding

if TYPE_CHECKING:
    from ..session.session import Session

_REMEMBERED: Final = 512


def mapping_file() -> Path:
    """Where the user's mapping is kept, whether it is there or not."""
    return config_dir() / "midi.toml"


def input_ports() -> tuple[str, ...]:
    """Names of the MIDI inputs. Raises InputError where the system has no MIDI."""
    import mido

    try:
        return tuple(dict.fromkeys(mido.get_input_names()))
    except (OSError, ImportError) as error:
        raise InputError(f"MIDI: this system gives no ports ({error})") from error


def open_input(name: str, callback: Any, *, virtual: bool = False) -> Any:  # noqa: ANN401
    """The MIDI input of that name or the first that contains it. Raises InputError, with what there is."""
    import mido

    if not virtual:
        ports = input_ports()
        found = [port for port in ports if port == name] or [port for port in ports if name.lower() in port.lower()]
        if not found:
            raise InputError(f"no MIDI input is called {name!r}: there are {', '.join(ports) or 'none'}")
        name = found[0]
    try:
        return mido.open_input(name, virtual=virtual, callback=callback)
    except (OSError, ImportError) as error:
        raise InputError(f"MIDI input {name!r}: cannot be opened ({error})") from error


class ControlChangeHandler:
    """Control changes of mido's in, changes of a session out."""

    def __init__(self, session: "Session", mapping: Sequence[MidiBinding], *, source: str = "midi") -> None:
        self._session = session
        self._decoder = ControlChangeDecoder(mapping, session.get)
        self._source = source

    def receive(self, message: Any) -> None:  # noqa: ANN401
        """Act on one message; what is no control change, or not mapped, is left alone."""
        if message.type != "control_change":
            return
        for address, value in self._decoder.decode(message.channel + 1, message.control, message.value):
            self._session.set(address, value, source=self._source)


class MidiInput:
    """Moves a session by the control changes of a port until `close`."""

    def __init__(
        self, session: "Session", mapping: Sequence[MidiBinding], port: str, *, virtual: bool = False
    ) -> None:
        """Listens to the input of that name; a virtual one is made. Raises InputError when it cannot be had."""
        self._port = open_input(
            port, ControlChangeHandler(session, mapping, source=f"midi {port}").receive, virtual=virtual
        )
        self.name: str = self._port.name

    def close(self) -> None:
        """Let the port go."""
        self._port.close()


class MidiLearn:
    """Listens to what the user moves until it is known what it is: `result`, and `found` is called."""

    def __init__(self, address: str, found: Callable[[], object] = lambda: None) -> None:
        self.result: MidiBinding | None = None
        self._address, self._found = address, found
        self._seen: list[tuple[int, int, int]] = []

    def receive(self, message: Any) -> None:  # noqa: ANN401
        """Take one message of mido's."""
        if message.type == "control_change" and self.result is None:
            self._seen = [*self._seen[-_REMEMBERED:], (message.channel + 1, message.control, message.value)]
            self.result = infer_binding(self._address, self._seen)
            if self.result is not None:
                self._found()
