"""Whether a sound file is all there: what its bytes say that the decoders keep to themselves.

libsndfile mends a header that promises more than the file has and plays on; here such a file is told apart from one
that is short.
"""

import re
from pathlib import Path

from ...models.common.errors import InputError

_XING_HAS_FRAMES, _XING_HAS_BYTES = 1, 2
_MP3_LEAST = 0.99  # share of the stated bytes that an undamaged file has: tags at its end are counted differently


def check_not_truncated(path: Path) -> None:
    """Look at the bytes of an MP3 or Ogg file. Raises InputError when it is cut off.

    (libmpg123, left to find out, writes to the terminal.)
    """
    with path.open("rb") as file:
        head = file.read(10)
    if head.startswith(b"OggS") and not _ogg_ends(path):
        raise InputError(f"{path}: it is truncated (the end of the Ogg stream is missing)")
    if head.startswith(b"ID3") or (head[0] == 0xFF and head[1:2] >= b"\xe0"):
        start, frame = _mp3_first_frame(path)
        stated, there = _xing_bytes(frame), path.stat().st_size - start
        if stated and there < _MP3_LEAST * stated:
            raise InputError(f"{path}: it is truncated ({there} of {stated} bytes of sound are there)")


def check_libsndfile_log(path: Path, log: str) -> None:
    """Look at libsndfile's log of opening a wav or aiff file. Raises InputError when the file is cut off."""
    for declared, found in re.findall(r"^ *(?:data|SSND) *: (\d+) \(should be (\d+)\)", log, re.M):
        # Programs that write into a pipe cannot know the length and put a number near 2 or 4 GB there.
        if int(found) < int(declared) < 0x7FFF0000:
            raise InputError(f"{path}: it is truncated ({found} of {declared} bytes of sound are there)")


def mp3_declares_length(path: Path) -> bool:
    """Whether an MP3 file starts with a Xing, Info or VBRI header; without one its length is a guess."""
    _, frame = _mp3_first_frame(path)
    return any(name in frame for name in (b"Xing", b"Info", b"VBRI"))


def _mp3_first_frame(path: Path) -> tuple[int, bytes]:
    """Where the sound starts behind an ID3 tag, and the bytes from there on."""
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:
            start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        file.seek(start)
        return start, file.read(2048)


def _xing_bytes(frame: bytes) -> int | None:
    """Bytes of sound that a Xing or Info header states, if it does."""
    found = re.search(b"Xing|Info", frame)
    if not found:
        return None
    flags = int.from_bytes(frame[found.end() : found.end() + 4], "big")
    if not flags & _XING_HAS_BYTES:
        return None
    at = found.end() + 4 + (4 if flags & _XING_HAS_FRAMES else 0)
    return int.from_bytes(frame[at : at + 4], "big")


def _ogg_ends(path: Path) -> bool:
    """Whether the last Ogg page carries the flag "end of stream"."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 70_000))  # a page has at most 65,307 bytes
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)
