"""A sound file as it is given: a path that exists and can be opened, or a pipe whose content is kept for a while.

Sound is decoded more than once, so what comes from a pipe (`-`, `/dev/stdin`, a named pipe) is copied to a temporary
file, which goes when the source that holds it does, or when the program ends.
"""

import os
import re
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ....models.common.errors import InputError

STDIN: Final = "-"
"""The path that means standard input."""
_PIPE_LIMIT: Final = 2**32  # bytes: what a wav file can have
_HEAD: Final = 512  # bytes that are looked at before anything else
_MAGIC: Final = (
    (0, b"RIFF"), (0, b"RF64"), (0, b"RIFX"), (0, b"FORM"), (0, b"fLaC"), (0, b"OggS"), (0, b"ID3"), (0, b"\xff"),
    (4, b"ftyp"), (0, b"caff"), (0, b".snd"), (0, b"wvpk"), (0, b"MAC "), (0, b"\x1aE\xdf\xa3"), (0, b"riff"),
    (0, b"TTA"), (0, b"0&\xb2u"),
)  # fmt: skip
"""Where a kind of sound file has which bytes; for pipes, which cannot be looked at twice."""
_URL: Final = re.compile(r"[a-z][a-z0-9]{1,7}:/.*", re.DOTALL)  # (of which pathlib has left one slash)
_NO_SOUND: Final = (
    (b"MThd", "a MIDI file: notes, not sound (a synthesiser renders it)"),
    (b"PK\3\4", "a zip archive (unpack it first)"),
    (b"\x1f\x8b", "compressed by gzip (unpack it first)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"),
    (b"Rar!", "a rar archive (unpack it first)"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
"""How other kinds of file begin, and what to say of them."""


@dataclass(frozen=True)
class InputFile:
    """A regular file to decode: `data` is where its bytes are; `keep` owns them if they are a copy."""

    data: Path
    keep: object = None


def open_input(path: Path, *, pipes: bool) -> InputFile:
    """Check that a path leads to bytes that may be sound.

    Parameters
    ----------
    path
        A file, or with `pipes` also a named pipe, a character device or `-` for standard input, which is read to its
        end (at most 4 GiB).
    pipes
        Whether a pipe will do; not where the same sound is opened by several processes.

    Raises
    ------
    InputError
        For nothing there, a folder, an empty file, text, a path that the system refuses, a pipe without sound.
    """
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode if str(path) == STDIN else path.stat().st_mode
    except FileNotFoundError:
        url = _URL.fullmatch(str(path))
        guess = " (a path is needed here; `batch` reads URLs)" if url else ""
        raise InputError(f"{path}: no such file{guess}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: it is a folder, a sound file is needed")
    try:
        if stat.S_ISREG(mode) and str(path) != STDIN:
            with path.open("rb") as file:
                _check_head(path, file.read(_HEAD))
            return InputFile(path)
        if not pipes:
            raise InputError(f"{path}: it is a pipe or a device; a file is needed here (cat {path} > FILE makes one)")
        if str(path) == STDIN:
            if sys.stdin.isatty():
                raise InputError("-: standard input is a terminal, no sound comes from there (cat FILE | ...)")
            return _kept(path, sys.stdin.buffer)
        with path.open("rb") as pipe:
            return _kept(path, pipe)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def file_version(path: Path) -> tuple[int, int] | None:
    """Size and time of writing of a file, which differ when it was changed or replaced; None where there is none."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    return about.st_size, about.st_mtime_ns


def _check_head(path: Path, head: bytes) -> None:
    if not head:
        raise InputError(f"{path}: it is empty (0 bytes; did a copy or a download stop?)")
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        raise InputError(f"{path}: it is text, not sound (a wrong name?)")
    for beginning, kind in _NO_SOUND:
        if head.startswith(beginning):
            raise InputError(f"{path}: it is {kind}")


def _kept(path: Path, pipe: BinaryIO) -> InputFile:
    """Copy what comes from the pipe. Raises InputError for what is no sound, or too much."""
    head = pipe.read(_HEAD)
    _check_head(path, head)
    if not any(head[offset:].startswith(magic) for offset, magic in _MAGIC):
        raise InputError(f"{path}: what comes from there is not a sound file that can be read")
    folder = tempfile.TemporaryDirectory(prefix="moodfader-")
    copy = Path(folder.name) / "input"
    size = 0
    with copy.open("wb") as file:
        while head:
            try:
                size += file.write(head)
                file.flush()
            except OSError as error:
                raise InputError(
                    f"{path}: what comes from the pipe cannot be kept in {folder.name} ({error.strerror or error}; "
                    "TMPDIR names another folder)"
                ) from error
            if size > _PIPE_LIMIT:
                raise InputError(f"{path}: more than 4 GiB came from the pipe (write it to a file first)")
            head = pipe.read(1 << 20)
    return InputFile(copy, folder)
