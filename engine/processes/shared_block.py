"""A block of memory that several processes share, found by a name.

On Linux it is an anonymous file in memory, which is gone when the last process that has it open has ended, however
that happened: nobody has to watch over it. Elsewhere it is `multiprocessing.shared_memory`, for which Python starts a
process that watches.
"""

import contextlib
import mmap
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.shared_memory import SharedMemory

_IN_PROC = "/proc/"


class SharedBlock:
    """Creates a block of that many bytes, or opens the one of that name.

    Attributes
    ----------
    name : str
        By which other processes open it, as long as this one lives and has not closed it.
    buffer : mmap or memoryview
        The bytes, zeros at first.

    Raises
    ------
    FileNotFoundError
        If there is none of that name (any more).
    """

    def __init__(self, size: int, *, name: str | None = None) -> None:
        self._descriptor: int | None = None
        self._shared: SharedMemory | None = None
        self.buffer: mmap.mmap | memoryview
        self._is_owner = name is None
        if name is None and _others_may_open():
            self._descriptor = os.memfd_create("moodfader")
            os.ftruncate(self._descriptor, size)
            self.name = f"{_IN_PROC}{os.getpid()}/fd/{self._descriptor}"
            self.buffer = mmap.mmap(self._descriptor, size)
        elif name is not None and name.startswith(_IN_PROC):
            descriptor = os.open(name, os.O_RDWR | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_size != size:  # (the number was closed, and is another file's now)
                    raise FileNotFoundError(name)
                self.buffer = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
            self.name = name
        else:
            from multiprocessing.shared_memory import SharedMemory as Block

            self._shared = Block(name=name, create=name is None, size=size)
            assert self._shared.buf is not None
            self.name, self.buffer = self._shared.name, self._shared.buf

    def close(self) -> None:
        """Detach from the memory; its creator also frees it. What looks into `buffer` must be gone."""
        if self._shared is not None:
            self._shared.close()
            if self._is_owner:
                with contextlib.suppress(FileNotFoundError):  # (closed before, or Python's process has done so)
                    self._shared.unlink()
            return
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if isinstance(self.buffer, mmap.mmap):
            with contextlib.suppress(BufferError):  # (somebody still reads: it is freed with the last array)
                self.buffer.close()


def _others_may_open() -> bool:
    """Whether this user's other processes may open this one's files by their numbers.

    They may not where the interpreter has been given rights of its own (`setcap`), as for real-time priority.
    """
    try:
        return hasattr(os, "memfd_create") and os.stat("/proc/self/fd").st_uid == os.geteuid()  # noqa: PTH116
    except OSError:
        return False
