"""Files written beside their destination and moved into place: a reader sees the old one or the new one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path` (same suffix) and move it to `path` when the block ends well.

    Whatever ends the block otherwise (an error, Ctrl-C) removes the temporary file; `path` is left as it was.

    Raises InputError when the folder does not exist or cannot be written to, or the disk is full.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{path}: the folder {folder} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=folder)
        os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
    beside = Path(name)
    try:
        yield beside
        # mkstemp makes files private; the finished one gets the permissions any new file of the user would have.
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        beside.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """See that a file can be made there before the work begins. Raises InputError."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
