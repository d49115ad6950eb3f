"""Atomic writing: a file is written under a temporary name and renamed, so a reader sees the old or the new one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import InputError


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Context manager that replaces a file when its block ends without an exception.

    An exception (Ctrl-C too) removes the temporary file and leaves `path` as it was.

    Parameters
    ----------
    path
        The file to create or replace.

    Yields
    ------
    pathlib.Path
        A temporary path in the same folder with the same suffix, to be written to.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written to, or the disk is full.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{path}: the folder {folder} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem[:40]}-", suffix=path.suffix, dir=folder)
        os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
    temp_path = Path(name)
    try:
        yield temp_path
        # mkstemp makes private files; the finished one gets the permissions of any new file of the user.
        umask = os.umask(0)
        os.umask(umask)
        temp_path.chmod(0o666 & ~umask)
        temp_path.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temp_path.unlink(missing_ok=True)


def check_folder(path: Path) -> None:
    """Check that a file can be created, before the work for it begins.

    Parameters
    ----------
    path
        The file to be written later; it is not touched.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written to.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
