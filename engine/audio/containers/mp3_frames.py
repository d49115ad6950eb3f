"""Frames of an MP3 file and the Xing, Info or VBRI header in its first one, which states how long the file is."""

import re
from pathlib import Path
from typing import Final

_XING_HAS_FRAMES, _XING_HAS_BYTES = 1, 2
_BIT_RATES: Final = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Layer III, in kbit/s, of MPEG 1 and of MPEG 2 and 2.5."""
_SAMPLE_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def first_frame(path: Path) -> tuple[int, bytes]:
    """Where the sound starts behind an ID3 tag, and the bytes from there on."""
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == b"ID3" and len(head) == 10:
            start = 10 + _synchsafe(head[6:])
        file.seek(start)
        return start, file.read(2048)


def _synchsafe(size: bytes) -> int:
    """Size of an ID3 tag: seven bits a byte."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=False))


def states_length(frame: bytes) -> bool:
    """Whether a first frame has a header with the number of frames that libsndfile reads; else it makes a guess."""
    header = re.search(b"Xing|Info", frame)
    return header is not None and bool(
        int.from_bytes(frame[header.end() : header.end() + 4], "big") & _XING_HAS_FRAMES
    )


def stated_bytes(frame: bytes) -> int | None:
    """Bytes of sound that a Xing or Info header states, if it does."""
    header = re.search(b"Xing|Info", frame)
    if not header:
        return None
    flags = int.from_bytes(frame[header.end() : header.end() + 4], "big")
    if not flags & _XING_HAS_BYTES:
        return None
    position = header.end() + 4 + (4 if flags & _XING_HAS_FRAMES else 0)
    return int.from_bytes(frame[position : position + 4], "big")


def frame_length(header: bytes) -> int:
    """Bytes of the layer III frame that begins with these four; 0 where none begins."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bit_rate, sample_rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bit_rate in (0, 15) or sample_rate == 3:
        return 0
    kbit = _BIT_RATES[1 if version == 3 else 2][bit_rate]
    return (144 if version == 3 else 72) * kbit * 1000 // _SAMPLE_RATES[version][sample_rate] + (header[2] >> 1 & 1)


def ends_with_whole_frame(path: Path, start: int) -> bool:
    """Whether frames follow each other from `start` to the end of the file, or to a tag there."""
    with path.open("rb") as file:
        size = path.stat().st_size
        position = start
        while True:
            file.seek(position)
            header = file.read(10)
            if not header or header[:3] == b"TAG" or header[:8] == b"APETAGEX" or header[:3] == b"ID3":
                return position > start
            length = frame_length(header)
            if not length or position + length > size:
                return False
            position += length


def damaged_at(path: Path, start: int) -> int | None:
    """Where bytes that are neither frame nor tag stand between frames; None where there are none."""
    content = path.read_bytes()
    position = start
    while True:
        header = content[position : position + 10]
        if header[:3] == b"ID3":
            position += 10 + _synchsafe(header[6:])
        elif header[:3] == b"TAG":
            position += 128
        elif length := frame_length(header):
            position += length
        else:
            break
    return position if position < len(content) and frame_follows(path, position) else None


def frame_follows(path: Path, position: int) -> bool:
    """Whether more sound begins about there: three frames in a row, as where another file was appended."""
    with path.open("rb") as file:
        file.seek(position)
        content = file.read(1 << 15)
    for start in range(min(len(content), 1 << 14)):
        end = start
        for _ in range(3):
            length = frame_length(content[end : end + 4])
            end += length
            if not length:
                break
        else:
            return True
    return False
