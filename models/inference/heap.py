"""Returns memory that was freed, and that the C library keeps, to the operating system."""

import contextlib
import ctypes
import sys


def return_freed_memory() -> None:
    """Give freed memory back to the system, where the C library can be told to (glibc); elsewhere nothing happens.

    After much work in several threads it keeps hundreds of megabytes for them, which other work then cannot use.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
