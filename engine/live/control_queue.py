"""Control changes on their way to the renderer: the newest of each address counts, relative seeks add up."""

import threading

from ..performance.events import ROOT, SEEK, SKIP, TRACK, Value

_MOVES = frozenset({SEEK, SKIP, TRACK, ROOT + "transport/play", ROOT + "transport/pause"})


class ControlQueue:
    """Collects changes from any thread until one thread takes them; remembers what every control was set to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Value] = {}
        self._held: dict[str, Value] = {}
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
            self._waiting[address] = value
            self.note(address, value)
        self._filled.set()

    def note(self, address: str, value: Value) -> None:
        """Remember what a control was set to, or became by itself; moves are not kept."""
        if address not in _MOVES:
            self._held.pop(address, None)
            self._held[address] = value

    def take(self, timeout_s: float) -> tuple[tuple[str, Value], ...]:
        """The changes that wait, in order; waits up to `timeout_s` seconds for some."""
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

    def held(self) -> tuple[tuple[str, Value], ...]:
        """Every control that was set, with its newest value, in the order of setting."""
        with self._lock:
            return tuple(self._held.items())
