"""Messages out of a thread that must not wait: another one puts them into the pipe, however long that takes."""

import contextlib
import queue
import threading
from multiprocessing.connection import Connection
from typing import Any


class Outbox:
    """Sends in order, from its own thread, until the pipe ends."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[tuple[object, ...] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="outbox", daemon=True)
        self._thread.start()

    def tell(self, *message: object) -> None:
        """Send a message as soon as may be; returns at once."""
        self._waiting.put(message)

    def close(self, patience_s: float = 1.0) -> None:
        """Wait until what was told is on its way, but not for ever."""
        self._waiting.put(None)
        self._thread.join(patience_s)

    def _send(self) -> None:
        with contextlib.suppress(OSError):
            while (message := self._waiting.get()) is not None:
                self._connection.send(message)
