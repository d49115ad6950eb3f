"""The cache, configuration, state and data folders, and the environment variables that override them."""

import contextlib
import os
import unicodedata
from pathlib import Path

from .errors import InputError


def cache_dir() -> Path:
    """Return the cache folder: MOODFADER_CACHE, or the platform's. It need not exist."""
    return _named("MOODFADER_CACHE") or _usual("cache")


def config_dir() -> Path:
    """Return the configuration folder: MOODFADER_CONFIG, or the platform's. It need not exist."""
    return _named("MOODFADER_CONFIG") or _usual("config")


def state_dir() -> Path:
    """Return the folder of what a running show keeps: MOODFADER_STATE, or the platform's. It need not exist."""
    return _named("MOODFADER_STATE") or _usual("state")


def data_dir() -> Path:
    """Return the folder of the data sets for training and evaluation: MOODFADER_DATA, or ../shared/data."""
    return _named("MOODFADER_DATA") or Path("../shared/data")


def _named(variable: str) -> Path | None:
    """The folder that an environment variable names; `~` is the home folder, as files of variables have it."""
    value = os.environ.get(variable)
    if not value:
        return None
    with contextlib.suppress(RuntimeError):  # (no home folder is known)
        return Path(value).expanduser()
    return Path(value)


def _usual(kind: str) -> Path:
    """Where the platform keeps it."""
    import platformdirs

    found: Path = getattr(platformdirs, f"user_{kind}_path")("moodfader")
    return found


def as_path(value: object, what: str) -> Path:
    """A path that a caller gives as text or as any path. Raises InputError for anything else and for an empty one."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        shown = (
            repr(value) if isinstance(value, str | bytes | int | float | None) else f"of type {type(value).__name__}"
        )
        raise InputError(f"{what} {shown}: the path of a file is needed, as text or a pathlib.Path")
    return Path(text)


def find_written_file(folder: Path, name: str) -> Path | None:
    """The file that a list in a folder means, however its accents and folders are written; None where there is none.

    A Mac writes an accent as a letter of its own, Windows a backslash between folders. Raises OSError or ValueError
    for a name that the system refuses.
    """
    for separated in dict.fromkeys((name, name.replace("\\", "/"))):
        for form in (separated, unicodedata.normalize("NFC", separated), unicodedata.normalize("NFD", separated)):
            if (path := folder / form).is_file():
                return path
    return None
