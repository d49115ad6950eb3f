"""The values of all parameters, with versions: an immutable state that is replaced whole, so readers never wait."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ...parameters.table import Value
from .change_signal import Observer


@dataclass(frozen=True)
class _State:
    version: int
    values: Mapping[str, Value]
    since: Mapping[str, int]
    """The version in which each value last changed."""


class ParameterStore(Mapping[str, Value]):
    """Values by address, with a version that counts the changes. Readers take no lock."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._state = _State(1, MappingProxyType(dict(values)), MappingProxyType(dict.fromkeys(values, 1)))
        self._lock = threading.Lock()
        self._observers: tuple[Observer, ...] = ()

    def __getitem__(self, address: str) -> Value:
        return self._state.values[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.values)

    def __len__(self) -> int:
        return len(self._state.values)

    def all(self) -> dict[str, Value]:
        """A copy of all values."""
        return dict(self._state.values)

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The present version, and the values that have changed after the given one (0: all values)."""
        state = self._state
        if version >= state.version:
            return state.version, {}
        changed = {address: state.values[address] for address, since in state.since.items() if since > version}
        return state.version, changed

    def watch(self, observer: Observer) -> Callable[[], None]:
        """Tell an observer of every change, once the new values can be read; what is returned ends that."""

        def stop() -> None:
            with self._lock:
                self._observers = tuple(one for one in self._observers if one is not observer)

        with self._lock:
            self._observers += (observer,)
        return stop

    def tell_again(self, address: str) -> None:
        """Count an unchanged value as changed, so that a client that asked for another one is told what holds."""
        self._change({address: self[address]}, again=True)

    def update(self, values: Mapping[str, Value]) -> None:
        """Set values; the version rises by one if any of them differs from what it was, and observers are told."""
        self._change(values)

    def _change(self, values: Mapping[str, Value], *, again: bool = False) -> None:
        with self._lock:
            old = self._state
            changed = {
                address: value for address, value in values.items() if again or old.values.get(address) != value
            }
            if changed:
                version = old.version + 1
                self._state = _State(
                    version,
                    MappingProxyType({**old.values, **changed}),
                    MappingProxyType({**old.since, **dict.fromkeys(changed, version)}),
                )
            observers = self._observers
        if changed:
            for tell in observers:
                tell(changed.keys())
