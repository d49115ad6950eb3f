"""Control changes on their way to the renderer: the newest of each address counts, relative seeks add up."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ..performance.events import LOOP, PAUSE, PLAY, ROOT, SEEK, SKIP, TRACK, Value
from ..processes.messages import AppliedEvent

_MOVES: Final = frozenset({SEEK, SKIP, TRACK, PLAY, PAUSE})
"""They are done once; all others are held."""
_TRANSPORT: Final = ROOT + "transport/"


class WaitingCommands:
    """Commands that the renderer has been sent, to be done in their order; some wait for samples to be loaded.

    Any thread may put commands, one takes them.
    """

    def __init__(self) -> None:
        self._commands: list[tuple[str, Value]] = []

    def put(self, *commands: tuple[str, Value]) -> None:
        """Add commands behind the others."""
        self._commands.extend(commands)

    def first(self) -> tuple[str, Value] | None:
        """The one that is next, which may wait for samples."""
        return next(iter(self._commands), None)

    def take(self, is_loaded: Callable[[str, Value], bool]) -> Iterator[tuple[str, Value]]:
        """The commands that can be done now.

        Behind one whose samples are not there what moves through the tracks waits as well; faders, switches, the end
        and a pause (in place of a start that waits) do not.
        """
        at = 0
        while at < len(self._commands):
            address, value = self._commands[at]
            pauses = address == PAUSE or (address == PLAY and not value)
            if address.startswith(_TRANSPORT) and not pauses and (at > 0 or not is_loaded(address, value)):
                at += 1
                continue
            for before in reversed(range(at if pauses else 0)):
                if self._commands[before][0] == PLAY:
                    del self._commands[before]
                    at -= 1
            yield self._commands.pop(at)


class ControlQueue:
    """Collects changes from any thread until one thread takes them; remembers what every control was set to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Value] = {}
        self._held: dict[str, Value] = {}
        self._awaited: dict[str, Value] = {}  # moves and loops that have not taken effect yet
        self._filled = threading.Event()

    def put(self, address: str, value: Value) -> None:
        """Add a change behind the others; an earlier one of the same address is dropped.

        A relative seek adds to one that waits, unless an absolute move came in between.
        """
        with self._lock:
            before = self._waiting.pop(address, None)
            if address == SKIP and isinstance(before, int | float) and isinstance(value, int | float):
                value = before + value
            if address in (SEEK, TRACK):
                self._waiting.pop(SKIP, None)
                self._awaited.pop(SKIP, None)
            self._waiting[address] = value
            if address in _MOVES or address == LOOP:
                self._awaited.pop(address, None)
                self._awaited[address] = value
            if address not in _MOVES:
                self._hold(address, value)
        self._filled.set()

    def wake(self) -> None:
        """Let `take` return, though nothing may wait: there is something else to send."""
        self._filled.set()

    def take(self, timeout_s: float) -> tuple[tuple[str, Value], ...]:
        """The changes that wait, in order; waits up to `timeout_s` seconds for some, or for `wake`."""
        self._filled.wait(timeout_s)
        self._filled.clear()
        with self._lock:
            changes, self._waiting = tuple(self._waiting.items()), {}
        return changes

    def give_back(self, changes: tuple[tuple[str, Value], ...]) -> None:
        """Put changes that could not be handed over before those that came since."""
        with self._lock:
            self._waiting = {**dict(changes), **self._waiting}
        self._filled.set()

    def note_applied(self, events: Iterable[AppliedEvent]) -> None:
        """Take note of what has taken effect; a loop that has ended by itself is held as such."""
        with self._lock:
            for event in events:
                address = SKIP if event.derived and event.address == SEEK else event.address
                if address == SKIP and SKIP not in self._waiting:
                    self._awaited.pop(SKIP, None)
                elif event.derived and address == LOOP and LOOP not in self._awaited:
                    self._hold(LOOP, event.value)
                elif not event.derived and address in self._awaited and self._awaited[address] == event.value:
                    del self._awaited[address]

    def awaited(self) -> dict[str, Value]:
        """The moves, and the switch of the loop, that have not taken effect yet, in their order."""
        with self._lock:
            return dict(self._awaited)

    def repeat_awaited(self) -> None:
        """Have the moves that have not taken effect taken once more: who had them has ended."""
        with self._lock:
            moves = {address: value for address, value in self._awaited.items() if address in _MOVES}
            self._waiting = {**moves, **self._waiting}
        self._filled.set()

    def held(self) -> tuple[tuple[str, Value], ...]:
        """Every control that was set, with its newest value, in the order of setting; moves are not among them."""
        with self._lock:
            return tuple(self._held.items())

    def _hold(self, address: str, value: Value) -> None:
        self._held.pop(address, None)
        self._held[address] = value
