"""The driver of textual for terminals that may close while a show plays: what can no longer be written is dropped.

Textual writes in a thread of its own. Where the terminal has gone (a closed window, a lost SSH connection) that
thread ends with an OSError, its queue fills, and the program waits for ever to write its last lines. Where no signal
says that it has gone, textual's reader of keys finds the end of a file again and again, as fast as it can.

Its reader of keys ends the whole program at bytes that are no UTF-8 (an umlaut in a Latin-1 terminal, Alt with a key
where that sets the eighth bit) and at odd escape sequences: they are passed over here.
"""

import contextlib
import os
import select
from typing import IO, TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class LossyFile:
    """A text file to write to whose errors are dropped; all else is the file's own.

    Parameters
    ----------
    file : file object
        The terminal, open for text.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, if it can be; the number of characters that were given."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if it can be."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def _own_file(file: IO[str]) -> IO[str]:
    """The same terminal by a file of the view's own, which stays at it where libraries are kept from writing to 2.

    Characters that it has no bytes for are replaced: an error would end the thread that writes.
    """
    try:
        return open(os.dup(file.fileno()), "w", encoding=getattr(file, "encoding", None), errors="replace")  # noqa: PTH123
    except (OSError, ValueError):
        return file


class HangUpSafeDriver(LinuxDriver):
    """Textual's driver for Linux, with a `LossyFile` as its terminal, and any bytes as keys."""

    def __init__(
        self, app: "App[None]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = LossyFile(_own_file(self._file))  # type: ignore[assignment]

    def run_input_thread(self) -> None:
        """Read keys until the view ends; what cannot be read is passed over."""
        while True:
            try:
                super().run_input_thread()
            except (ValueError, OverflowError):  # (bytes that are no UTF-8; numbers of keys that there are not)
                continue
            return

    def has_hung_up(self) -> bool:
        """Whether the terminal has gone, whether or not a signal has said so."""
        if not hasattr(select, "poll"):
            return False
        watched = select.poll()
        watched.register(self.fileno, 0)  # (what is told without being asked for: hang-up and errors)
        return any(told & (select.POLLHUP | select.POLLERR) for _, told in watched.poll(0))
