"""The real session, without a player, that remembers what was set."""

from moodfader.control.session.session import Session


class LoggedSession(Session):
    """`log` has what was set, by whom; `publish` does what the player's meters and predictions do."""

    def __init__(self):
        super().__init__()
        self.log = []

    def set(self, address, value, *, source=""):
        super().set(address, value, source=source)
        self.log.append((address, value, source))

    def publish(self, values):
        self._state.values.update(values)
