"""Files written beside their destination and moved into place: a reader sees the old one or the new one."""

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import InputError


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path` (same suffix) and move it to `path` when the block ends well.

    Whatever ends the block otherwise (an error, Ctrl-C, SIGTERM) removes the temporary file; `path` is left as it
    was. A symbolic link is written through: the file that it leads to is replaced, the link stays.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written to, `path` is no regular file, or the disk is full.
    """
    check_destination(path, overwrite=True)
    final = Path(os.path.realpath(path))
    # The name is there before the file: an interrupt between the two leaves nothing either.
    temp_path = final.parent / f".{path.stem[:40]}-{secrets.token_hex(8)}{path.suffix}"
    try:
        try:
            os.close(os.open(temp_path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
        yield temp_path
        make_readable(temp_path)
        temp_path.replace(final)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        temp_path.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror or error})") from error


def check_folder(folder: Path) -> None:
    """See that files can be written into a folder, or that it can be made, before any work. Raises InputError."""
    there = folder
    try:
        while not there.exists() and there != there.parent:
            there = there.parent
        is_folder = there.is_dir()
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: cannot be made ({getattr(error, 'strerror', None) or error})") from error
    if not is_folder:
        raise InputError(f"{there}: is a file, but a folder is needed to write into")
    if not os.access(there, os.W_OK):
        raise InputError(f"{folder}: the folder {there} is not writable")


@contextlib.contextmanager
def new_files(folder: Path, files: Iterable[Path]) -> Iterator[None]:
    """Make a folder for files that the block writes; where it ends badly, those go that were not there before.

    So does the folder, if it was made for them. Raises InputError where it cannot be made.
    """
    existed, new = folder.exists(), [path for path in files if not path.exists()]
    make_folder(folder)
    try:
        yield
    except BaseException:
        for path in new:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        if not existed:
            with contextlib.suppress(OSError):  # (there is something else in it)
                folder.rmdir()
        raise


def make_readable(path: Path) -> None:
    """Give a temporary file, which is private, the permissions that any new file of the user has."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def check_destination(path: Path, *, source: Path | None = None, overwrite: bool = False) -> None:
    """See that a file can be made at `path`, before any work is done.

    Parameters
    ----------
    path
        Where the file shall be; a symbolic link stands for the file that it leads to.
    source
        The input, which `path` must not be.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError
        For a folder, a pipe or a device, a file that must stay, a name that the system refuses, and a folder that is
        not there or not writable.
    """
    try:
        mode = path.stat().st_mode if path.exists() else None
        folder = Path(os.path.realpath(path)).parent
        there = folder.is_dir()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from error
    if mode is not None and stat.S_ISDIR(mode):
        raise InputError(f"{path}: it is a folder, the name of a file is needed")
    check_no_input([path], [] if source is None else [source])
    if mode is not None and not stat.S_ISREG(mode):
        raise InputError(f"{path}: it is a pipe or a device, only files are written")
    if mode is not None and not overwrite:
        raise InputError(f"{path}: it exists already (--overwrite replaces it)")
    if not there:
        raise InputError(f"{path}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder} is not writable")


def check_no_input(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """See that no file that will be written is one that is read, by whatever name (links). Raises InputError."""
    read = {_identity(path) for path in inputs} - {None}
    for path in outputs if read else ():
        if _identity(path) in read:
            raise InputError(f"{path}: it is the input itself, give the output another name")


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others, also where it has several names; None where there is none."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino


def check_writable(path: Path) -> None:
    """See that a file can be made or replaced there before the work begins. Raises InputError."""
    check_destination(path, overwrite=True)
    try:
        with tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot write there ({error.strerror or error})") from error
