"""What wakes a thread that waits for sockets or pipes when a value of the session changes, in place of polling."""

import contextlib
import socket
from collections.abc import Callable, Set
from typing import Final, Protocol

Observer = Callable[[Set[str]], object]
"""Is told the addresses whose values have changed, by the thread that has set them; it neither waits nor raises."""
_READ: Final = 4096


class Watched(Protocol):
    """Whose values can be watched: a session, or what holds its values."""

    def watch(self, observer: Observer) -> Callable[[], None]:
        """Tell an observer of every change; what is returned ends that."""


class ChangeSignal:
    """Its `socket` is readable for `select` from the first change on until `clear`.

    Call `clear` before the values are read: a change in between is then among them, and one after it signals again.

    Parameters
    ----------
    watched : Watched
        Whose values are watched.

    Attributes
    ----------
    socket : socket
        What to wait for.
    """

    def __init__(self, watched: Watched) -> None:
        self.socket, self._write = socket.socketpair()
        self.socket.setblocking(False)
        self._write.setblocking(False)
        self._stop_watching = watched.watch(lambda changed: self.set())

    def set(self) -> None:
        """Be readable, as if a value had changed."""
        with contextlib.suppress(OSError):  # (full: it is readable already; closed: nobody waits)
            self._write.send(b"\0")

    def clear(self) -> None:
        """Wait for the next change."""
        with contextlib.suppress(BlockingIOError):
            while len(self.socket.recv(_READ)) == _READ:
                pass

    def close(self) -> None:
        """Watch no longer."""
        self._stop_watching()
        self.socket.close()
        self._write.close()
