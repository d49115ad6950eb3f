"""Chunks of a wav file that no decoder exposes: channel mask, LIST INFO tags, a length that was never written.

Conventions: RIFF chunks are a four-byte name, a little-endian length, and the content, padded to even length. RF64
keeps the length of its data chunk elsewhere; here such a chunk reaches to the end of the file.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAX_CHUNKS: Final = 256
_MAX_INFO: Final = 1 << 20  # bytes of a LIST chunk that are looked at
_LONGEST_TAG: Final = 4096  # bytes
_EXTENSIBLE: Final = 0xFFFE
_CHUNK_NAMES: Final = (
    b"LIST",
    b"id3 ",
    b"ID3 ",
    b"fact",
    b"cue ",
    b"bext",
    b"PEAK",
    b"JUNK",
    b"iXML",
    b"_PMX",
    b"smpl",
)

INFO_FIELDS: Final = {
    "INAM": "title",
    "IART": "artist",
    "IPRD": "album",
    "IGNR": "genre",
    "ICRD": "date",
    "ICMT": "comment",
    "ICOP": "copyright",
    "ITRK": "tracknumber",
    "IPRT": "tracknumber",
    "IMUS": "composer",
    "IWRI": "lyricist",
    "ISRC": "source",
    "IENG": "engineer",
    "IKEY": "keywords",
    "ISBJ": "subject",
    "ILNG": "language",
}
"""Names of LIST INFO fields as Vorbis comments call them."""


def wav_channel_mask(path: Path) -> int:
    """Bits of the loudspeakers that a WAVE_FORMAT_EXTENSIBLE header states; 0 where it states none."""
    for name, offset, size in riff_chunks(path):
        if name == b"fmt " and size >= 24:
            with path.open("rb") as file:
                file.seek(offset)
                content = file.read(24)
            if len(content) == 24 and struct.unpack("<H", content[:2])[0] == _EXTENSIBLE:
                return int(struct.unpack("<I", content[20:24])[0])
    return 0


def write_channel_mask(path: Path, mask: int) -> None:
    """Put the mask into the header of a finished wav file; nothing where its header has no place for one."""
    for name, offset, size in riff_chunks(path):
        if name == b"fmt " and size >= 24:
            with path.open("r+b") as file:
                file.seek(offset)
                if struct.unpack("<H", file.read(2))[0] == _EXTENSIBLE:
                    file.seek(offset + 20)
                    file.write(struct.pack("<I", mask))
            return


def wav_bytes_of_unknown_length(path: Path) -> int:
    """Bytes behind a data chunk whose stated length is zero: a recorder that stopped before it wrote one."""
    for name, offset, size in riff_chunks(path):
        if name == b"data" and size == 0:
            with path.open("rb") as file:
                file.seek(offset)
                follows = file.read(4)
            return 0 if follows in _CHUNK_NAMES else max(path.stat().st_size - offset, 0)
    return 0


def wav_bytes_behind_the_data(path: Path) -> int:
    """Bytes behind the data chunk that begin like no chunk, where they are more than a tag would have.

    A recorder that brings its header up to date now and then, and stops in between, leaves sound there.
    """
    for name, offset, size in riff_chunks(path):
        if name == b"data":
            rest = path.stat().st_size - offset - size - size % 2
            with path.open("rb") as file:
                file.seek(offset + size + size % 2)
                follows = file.read(4)
            return rest if rest > _LONGEST_TAG and not re.fullmatch(rb"[ -~]{4}", follows) else 0
    return 0


def wav_info(path: Path) -> dict[str, str]:
    """Texts of the LIST INFO chunk by the names that Vorbis comments have for them."""
    fields: dict[str, str] = {}
    for name, offset, size in riff_chunks(path):
        if name != b"LIST" or not 4 < size <= _MAX_INFO:
            continue
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if content[:4] != b"INFO":
            continue
        position = 4
        while position + 8 <= len(content):
            length = struct.unpack("<I", content[position + 4 : position + 8])[0]
            field = INFO_FIELDS.get(content[position : position + 4].decode("latin-1"))
            text = _decoded(content[position + 8 : position + 8 + length])
            if field and text:
                fields.setdefault(field, text)
            position += 8 + length + length % 2
    return fields


def riff_chunks(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset of the content and stated length of each chunk; none where it is no wav file."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
            return
        end = path.stat().st_size
        position = 12
        for _ in range(_MAX_CHUNKS):
            file.seek(position)
            header = file.read(8)
            if len(header) < 8:
                return
            size = struct.unpack("<I", header[4:])[0]
            yield header[:4], position + 8, size
            position += 8 + size + size % 2
            if position >= end:
                return


def _decoded(content: bytes) -> str:
    content = content.split(b"\0", 1)[0]
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace").strip()
