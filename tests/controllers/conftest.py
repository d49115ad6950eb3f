"""A session that keeps values in a dictionary, with the checks and the interface of the real one, and no sound."""

import threading

import pytest
from moodfader.control.addresses import CONTROLS, by_address
from moodfader.models.errors import InputError


class PlainSession:
    """What the control surfaces talk to: `set`, `get`, `state`, `changes_since`; `publish` is the player's side."""

    def __init__(self):
        self._lock = threading.Lock()
        self._values = {control.address: (0, control.default) for control in CONTROLS}
        self._version = 0
        self.log = []

    def set(self, address, value, *, source=""):
        control = by_address(address)
        if not control.writable:
            raise InputError(f"{address}: can only be watched, not set")
        if address.endswith("/preset/load") and value not in ("dolce", "agitato"):
            raise InputError(f"no preset is called {value!r}")
        value = control.checked(value)
        self.log.append((address, value, source))
        self.publish({address: value})

    def publish(self, values):
        with self._lock:
            self._version += 1
            self._values |= {address: (self._version, value) for address, value in values.items()}

    def get(self, address):
        return self._values[by_address(address).address][1]

    def state(self):
        return {address: value for address, (_, value) in self._values.items()}

    def changes_since(self, version):
        with self._lock:
            changed = {address: value for address, (when, value) in self._values.items() if when > version}
            return self._version, changed


@pytest.fixture
def session():
    return PlainSession()
