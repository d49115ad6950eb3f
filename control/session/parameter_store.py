"""What every address holds: a frozen value that is replaced as a whole, so readers never wait."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .parameters import Value


@dataclass(frozen=True)
class _State:
    version: int
    values: Mapping[str, Value]
    since: Mapping[str, int]
    """Version in which each value last changed."""


class ParameterStore(Mapping[str, Value]):
    """Values by address, with a version that counts the changes."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._state = _State(1, MappingProxyType(dict(values)), MappingProxyType(dict.fromkeys(values, 1)))
        self._lock = threading.Lock()

    def __getitem__(self, address: str) -> Value:
        return self._state.values[address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.values)

    def __len__(self) -> int:
        return len(self._state.values)

    def all(self) -> dict[str, Value]:
        """A copy of them all."""
        return dict(self._state.values)

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The version of now, and what has changed after that version (0: everything)."""
        state = self._state
        if version >= state.version:
            return state.version, {}
        return state.version, {name: state.values[name] for name, at in state.since.items() if at > version}

    def update(self, values: Mapping[str, Value]) -> None:
        """Replace the state by one with these values in it, if that makes a difference."""
        with self._lock:
            old = self._state
            new = {name: value for name, value in values.items() if old.values.get(name) != value}
            if new:
                version = old.version + 1
                self._state = _State(
                    version,
                    MappingProxyType({**old.values, **new}),
                    MappingProxyType({**old.since, **dict.fromkeys(new, version)}),
                )
