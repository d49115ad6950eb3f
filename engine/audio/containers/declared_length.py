"""Length that a container's header declares, by which truncated files are found; decoders report no error.

Sources: EBU Tech 3306 (RF64), Sony Wave64, Sun's .snd, Apple's Core Audio Format, Matroska (RFC 9559), Microsoft's
AVI and ASF.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

_W64_RIFF: Final = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_ASF_HEADER: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_SEGMENT: Final = b"\x18\x53\x80\x67"
_MAX_CHUNKS: Final = 64
_UNKNOWN: Final = 1 << 48
_UNKNOWN_32: Final = 0x7FFF0000


def declared_end(path: Path) -> int | None:
    """Position behind the last byte that the header declares; None where it declares none, or is of no known kind.

    Programs that write into a pipe put the largest number there is for a length that they do not know.
    """
    end = _end_in_header(path)
    return end if end is not None and end < _UNKNOWN else None


def _end_in_header(path: Path) -> int | None:
    """The same, also where the length is a placeholder for an unknown one."""
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(b"RF64"):
            return _rf64_end(file, head)
        if head.startswith(_W64_RIFF):
            return int.from_bytes(head[16:24], "little")
        if head.startswith(b".snd"):
            offset, size = struct.unpack(">II", head[4:12].ljust(8, b"\0"))
            return offset + size if size < _UNKNOWN_32 else None
        if head.startswith(b"caff"):
            return _caf_end(file)
        if head.startswith(b"\x1aE\xdf\xa3"):
            return _matroska_end(head)
        if head.startswith(_ASF_HEADER):
            return _asf_end(file)
        if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
            size = int.from_bytes(head[4:8], "little")
            return 8 + size if size < _UNKNOWN_32 else None
    return None


def _rf64_end(file: BinaryIO, head: bytes) -> int | None:
    """The data chunk has its length in the chunk ds64, which is the first one."""
    if head[12:16] != b"ds64":
        return None
    size = int.from_bytes(head[28:36], "little")
    position = 12
    for _ in range(_MAX_CHUNKS):
        name, length = _chunk(_bytes_at(file, position, 8), "<4sI")
        if name == b"data":
            return position + 8 + size
        if not name:
            return None
        position += 8 + length + length % 2
    return None


def _caf_end(file: BinaryIO) -> int | None:
    position = 8
    for _ in range(_MAX_CHUNKS):
        name, length = _chunk(_bytes_at(file, position, 12), ">4sq")
        if name == b"data":
            return None if length < 0 else position + 12 + length  # (-1: to the end of the file)
        if not name or length < 0:
            return None
        position += 12 + length
    return None


def _asf_end(file: BinaryIO) -> int | None:
    """The object of the header that is about the file says how long it is."""
    position = 30
    for _ in range(_MAX_CHUNKS):
        content = _bytes_at(file, position, 48)
        if len(content) < 48:
            return None
        if content.startswith(_ASF_FILE):
            return int.from_bytes(content[40:48], "little")
        position += max(24, int.from_bytes(content[16:20], "little"))
    return None


def _matroska_end(head: bytes) -> int | None:
    """The EBML header, then one segment, which holds everything else."""
    size, width = _ebml_size(head[4:12])
    position = 4 + width + size
    if not width or head[position : position + 4] != _SEGMENT:
        return None
    size, width = _ebml_size(head[position + 4 : position + 12])
    unknown = size == (1 << 7 * width) - 1
    return None if not width or unknown else position + 4 + width + size


def _ebml_size(content: bytes) -> tuple[int, int]:
    """A number of variable width, and that width in bytes (0 where there is none)."""
    if not content or not content[0]:
        return 0, 0
    width = 9 - content[0].bit_length()
    if len(content) < width:
        return 0, 0
    return int.from_bytes(content[:width], "big") & ((1 << 7 * width) - 1), width


def _bytes_at(file: BinaryIO, position: int, count: int) -> bytes:
    """So many bytes at a position; none behind the end, which is not sought: file systems have a largest position."""
    if position > os.fstat(file.fileno()).st_size:
        return b""
    file.seek(position)
    return file.read(count)


def _chunk(content: bytes, layout: str) -> tuple[bytes, int]:
    if len(content) < struct.calcsize(layout):
        return b"", 0
    name, length = struct.unpack(layout, content)
    return name, length
