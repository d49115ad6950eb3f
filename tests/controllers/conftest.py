"""The real session, without a player: what the control surfaces set is remembered in the order in which it came."""

import pytest
from moodfader.control.session.session import Session


class SilentSession(Session):
    """`log` has what was set, by whom; `publish` does what the player's meters and predictions do."""

    def __init__(self):
        super().__init__()
        self.log = []

    def set(self, address, value, *, source=""):
        super().set(address, value, source=source)
        self.log.append((address, value, source))

    def publish(self, values):
        self._values.update(values)


@pytest.fixture
def session():
    session = SilentSession()
    yield session
    session.close()
