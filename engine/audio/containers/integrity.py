"""Integrity of a sound file, from its own bytes: whether it is complete, and which decoder reads all of it.

libsndfile corrects a header that declares more than the file has and plays on; here a truncated file is recognised
as such. libsndfile also stops early in three kinds of sound file that FFmpeg reads whole: MP3 without a header that
states its length, chained Ogg streams, and wav and FLAC whose writer never came back to fill in a length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ....models.common.errors import InputError
from .declared_length import declared_end
from .mp3_frames import damaged_at, ends_with_whole_frame, first_frame, frame_follows, stated_bytes, states_length
from .wav_chunks import wav_bytes_behind_the_data, wav_bytes_of_unknown_length


@dataclass(frozen=True)
class Inspection:
    """What the bytes say before anything is decoded."""

    ffmpeg: bool = False
    """Whether libsndfile would lose some of the sound, so that FFmpeg has to read it."""
    note: str = ""
    """Something about the file that its user should know, as part of a line."""


_BEHIND: Final = "{:,} bytes behind the sound that its header states are not read (a recorder that stopped?)"
_MP3_NAMES: Final = (".mp3", ".mp2", ".mp1", ".mpga")
_MP3_LEAST: Final = 0.99  # fraction of the stated bytes in an undamaged file: tags at its end are counted differently


def inspect(path: Path, name: Path) -> Inspection:
    """Look at the bytes of a sound file; `name` is what messages call it.

    Raises
    ------
    InputError
        When it is cut off. (libmpg123, left to find out, writes to the terminal.)
    """
    with path.open("rb") as file:
        head = file.read(42)
    if head.startswith(b"OggS"):
        return _inspect_ogg(path, name)
    if head.startswith(b"ID3") or (head[0] == 0xFF and head[1:2] >= b"\xe0"):
        return _inspect_mp3(path, name)
    if (end := declared_end(path)) is not None and (there := path.stat().st_size) < end:
        raise InputError(f"{name}: it is truncated ({there:,} of {end:,} bytes are there)")
    if head.startswith((b"RIFF", b"RF64")):
        there = wav_bytes_of_unknown_length(path)
        note = f"its header states no length (a recorder that stopped?); the {there:,} bytes that are there are read"
        if there:
            return Inspection(ffmpeg=True, note=note)
        unread = wav_bytes_behind_the_data(path)
        return Inspection(note=_BEHIND.format(unread) if unread else "")
    if head.startswith(b"fLaC") and len(head) >= 26:
        # STREAMINFO: the number of samples is in the last 36 bits of these eight bytes.
        return Inspection(ffmpeg=not int.from_bytes(head[18:26], "big") & ((1 << 36) - 1))
    # By its name libsndfile takes anything for an MP3, and its decoder complains on the terminal.
    return Inspection(ffmpeg=name.suffix.lower() in _MP3_NAMES and not frame_follows(path, 0))


def check_libsndfile_log(path: Path, log: str) -> None:
    """Look at libsndfile's log of opening a wav or aiff file. Raises InputError when the file is cut off."""
    for declared, found in re.findall(r"^ *(?:data|SSND) *: (\d+) \(should be (\d+)\)", log, re.M):
        # Programs that write into a pipe cannot know the length and put a number near 2 or 4 GB there.
        if int(found) < int(declared) < 0x7FFF0000:
            raise InputError(f"{path}: it is truncated ({found} of {declared} bytes of sound are there)")


def _inspect_mp3(path: Path, name: Path) -> Inspection:
    start, frame = first_frame(path)
    size = path.stat().st_size
    if (damaged := damaged_at(path, start)) is not None:
        note = f"it is damaged at byte {damaged:,} (what is no MP3 there is left out, and what follows comes sooner)"
        return Inspection(ffmpeg=True, note=note)
    if not states_length(frame):
        return Inspection(ffmpeg=True)
    stated = stated_bytes(frame)
    if not stated:
        return Inspection()
    there = size - start
    if there < _MP3_LEAST * stated:
        # A download that stopped ends within a frame; an editor cuts between two and may leave the header as it was.
        if not ends_with_whole_frame(path, start):
            raise InputError(
                f"{name}: it is truncated ({there} of {stated} bytes of sound are there; "
                "`ffmpeg -i IN -c copy OUT` makes a file of what is left)"
            )
        return Inspection(
            ffmpeg=True,
            note=f"its header is of a longer file ({stated:,} bytes); the {there:,} that are there are read",
        )
    # (libsndfile's decoder writes a warning to the terminal where the two differ by more than a hundredth)
    return Inspection(ffmpeg=there > (2 - _MP3_LEAST) * stated or frame_follows(path, start + stated))


def _inspect_ogg(path: Path, name: Path) -> Inspection:
    streams, flags, in_header = 0, 0, False
    for flags in _ogg_pages(path):
        # Streams that sound at the same time all begin before any of them goes on; a later beginning is a chain.
        streams += bool(flags & 2) and not in_header
        in_header = bool(flags & 2)
    if not flags & 4:
        raise InputError(f"{name}: it is truncated (the end of the Ogg stream is missing)")
    return Inspection(ffmpeg=streams > 1)


def _ogg_pages(path: Path) -> Iterator[int]:
    """The flags of each page: 1 continued, 2 first of a stream, 4 last of a stream. Junk between pages is skipped."""
    with path.open("rb") as file:
        position = 0
        while True:
            file.seek(position)
            header = file.read(27 + 255)
            if len(header) < 27:
                return
            if not header.startswith(b"OggS"):
                file.seek(position)
                found = file.read(1 << 17).find(b"OggS", 1)
                if found < 0:
                    return
                position += found
                continue
            yield header[5]
            segments = header[26]
            position += 27 + segments + sum(header[27 : 27 + segments])
