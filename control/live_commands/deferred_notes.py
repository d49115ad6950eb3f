"""Notes of a show on their way to who reads them: kept until it has begun, and then passed on by a thread."""

import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

_LAST_NOTES_S: Final = 1.0


class DeferredNotes:
    """Passes notes on, but only from `release` on: what cannot begin ends with its error alone.

    A thread does so: who tells a note does not wait for a terminal that has been stopped (Ctrl-S).
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def __call__(self, text: str) -> None:
        """Pass a note on, or keep it."""
        self._waiting.put(text)

    def release(self) -> None:
        """Pass on what was kept, and from now on all."""
        self._thread = threading.Thread(target=self._pass_on, name="notes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait a moment for what has not been passed on yet."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(_LAST_NOTES_S)

    def _pass_on(self) -> None:
        while (text := self._waiting.get()) is not None:
            with contextlib.suppress(Exception):  # (nobody can be told that nobody can be told)
                self._note(text)
