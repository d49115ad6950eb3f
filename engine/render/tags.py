"""Title, artist, cover and their like, carried from one sound file to another as far as both can hold them.

Nothing about tags is worth losing a render for: what cannot be read or written is left out, one field at a time.
Gains for players (ReplayGain, R128) and the names of encoders are left out on purpose, they are no longer true.
"""

import base64
import contextlib
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, USLT, Frames, ID3TimeStamp
from mutagen.mp4 import MP4, MP4Cover

from ...models.common.errors import InputError
from ..audio.containers.wav_chunks import wav_info

# The name of a field in Vorbis comments (FLAC, Ogg), its frame in ID3 (MP3, WAV, AIFF) and its atom in MP4.
_FIELDS = {
    "title": ("TIT2", "\xa9nam"),
    "artist": ("TPE1", "\xa9ART"),
    "album": ("TALB", "\xa9alb"),
    "albumartist": ("TPE2", "aART"),
    "composer": ("TCOM", "\xa9wrt"),
    "conductor": ("TPE3", ""),
    "lyricist": ("TEXT", ""),
    "genre": ("TCON", "\xa9gen"),
    "date": ("TDRC", "\xa9day"),
    "tracknumber": ("TRCK", "trkn"),
    "discnumber": ("TPOS", "disk"),
    "bpm": ("TBPM", "tmpo"),
    "initialkey": ("TKEY", ""),
    "copyright": ("TCOP", "cprt"),
    "isrc": ("TSRC", ""),
    "comment": ("COMM", "\xa9cmt"),
    "lyrics": ("USLT", "\xa9lyr"),
    "grouping": ("TIT1", "\xa9grp"),
    "subtitle": ("TIT3", ""),
    "remixer": ("TPE4", ""),
    "organization": ("TPUB", ""),
    "mood": ("TMOO", ""),
    "language": ("TLAN", ""),
    "originaldate": ("TDOR", ""),
    "discsubtitle": ("TSST", ""),
    "compilation": ("TCMP", ""),
    "titlesort": ("TSOT", "sonm"),
    "artistsort": ("TSOP", "soar"),
    "albumsort": ("TSOA", "soal"),
    "albumartistsort": ("TSO2", "soaa"),
    "composersort": ("TSOC", "soco"),
}
_NO_LONGER_TRUE = ("replaygain_", "r128_", "encoder", "encoded", "metadata_block_picture", "waveformatextensible")
_FRONT_COVER = 3
_LARGEST_FLAC_BLOCK = (1 << 24) - 1  # bytes
_PICTURES = {3: "front cover", 4: "back cover", 5: "leaflet", 6: "medium", 7: "lead artist", 8: "artist"}

# What mutagen lets through on files that are not as they should be, beside its own error.
_UNREADABLE = (
    mutagen.MutagenError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    struct.error,
)  # (binascii.Error is a ValueError)


@dataclass
class Tags:
    """Fields by their Vorbis name, each a list of texts, and pictures."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)


def copy_tags(source: Path, destination: Path, *, name: Path | None = None) -> bool:
    """Copy the tags of `source` into `destination` (wav, flac or ogg); whether any went over.

    name: what errors call the destination, where that is a temporary file. Raises InputError only when the disk is
    full or gone: the file would be half-written.
    """
    tags = read_tags(source)
    if not tags.fields and not tags.pictures:
        return False
    try:
        _write(tags, destination)
    except _UNREADABLE as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, OSError):
            raise InputError(f"{name or destination}: cannot be written ({cause.strerror or cause})") from error
        return False
    return True


def read_tags(path: Path) -> Tags:
    """The tags of a sound file; none where they cannot be read."""
    try:
        info = wav_info(path)
        file = mutagen.File(path)
        if file is None or file.tags is None:
            return Tags(fields={name: [text] for name, text in info.items()})
        if isinstance(file, MP4):
            return _from_mp4(file.tags)
        if isinstance(file.tags, ID3):
            tags = _from_id3(file.tags)
            for name, text in info.items():
                tags.fields.setdefault(name, [text])
            return tags
        tags = _from_vorbis(dict(file.tags))
        if isinstance(file, FLAC):
            tags.pictures += file.pictures
        return tags
    except (*_UNREADABLE, AttributeError):
        return Tags()


def _from_vorbis(comments: Mapping[str, list[str]]) -> Tags:
    tags = Tags()
    for name, texts in comments.items():
        if not name.lower().startswith(_NO_LONGER_TRUE):
            tags.fields[name.lower()] = list(texts)
    for text in comments.get("metadata_block_picture", []):
        with contextlib.suppress(*_UNREADABLE):
            tags.pictures.append(Picture(base64.b64decode(text, validate=True)))
    return tags


def _from_id3(frames: ID3) -> Tags:
    tags = Tags()
    for name, (frame_name, _) in _FIELDS.items():
        texts = [text for frame in frames.getall(frame_name) if _is_for_people(frame) for text in _texts(frame)]
        if texts:
            tags.fields[name] = texts
    for frame in frames.getall("TXXX"):
        name = _field_name(frame.desc)
        if name and not name.startswith(_NO_LONGER_TRUE):
            tags.fields.setdefault(name, [str(text) for text in frame.text])
    for frame in frames.getall("APIC"):
        tags.pictures.append(_picture(frame.data, frame.mime, frame.type, frame.desc))
    return tags


def _texts(frame: mutagen.id3.Frame) -> list[str]:
    """The texts of a frame; lyrics have one, all others a list."""
    found: str | list[object] = getattr(frame, "text", [])
    return [found] if isinstance(found, str) else [str(text) for text in found]


def _field_name(description: str) -> str:
    """A Vorbis comment's name is ASCII without "=": "Stück" becomes "stuck"; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", description).encode("ascii", "ignore").decode()
    return "".join(sign for sign in plain.lower() if " " <= sign <= "}" and sign != "=").strip()


def _is_for_people(frame: mutagen.id3.Frame) -> bool:
    """Whether a frame is meant for people (iTunes keeps numbers for its own use in comments)."""
    return not str(getattr(frame, "desc", "")).startswith("iTun")


def _mp4_text(value: object) -> str:
    """An atom as text; numbers of tracks and discs are pairs (number, total)."""
    if isinstance(value, tuple):
        return "/".join(str(number) for number in value if number)
    return str(value)


def _from_mp4(atoms: Mapping[str, Any]) -> Tags:
    tags = Tags()
    for name, (_, atom) in _FIELDS.items():
        texts = [_mp4_text(value) for value in atoms.get(atom, [])] if atom else []
        if any(texts):
            tags.fields[name] = texts
    for cover in atoms.get("covr", []):
        mime = "image/png" if cover.imageformat == MP4Cover.FORMAT_PNG else "image/jpeg"
        tags.pictures.append(_picture(bytes(cover), mime, _FRONT_COVER, ""))
    return tags


def _picture(data: bytes, mime: str, kind: int, description: str) -> Picture:
    picture = Picture()
    picture.data, picture.mime, picture.type, picture.desc = data, mime, kind, description
    return picture


def _write(tags: Tags, destination: Path) -> None:
    file = mutagen.File(destination)
    if file is None:
        raise mutagen.MutagenError("no tags in this format")
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, ID3):
        _to_id3(tags, file.tags)
    else:
        for name, texts in tags.fields.items():
            with contextlib.suppress(*_UNREADABLE):
                file.tags[name] = texts
        for picture in tags.pictures:
            if isinstance(file, FLAC) and len(picture.write()) <= _LARGEST_FLAC_BLOCK:
                file.add_picture(picture)
        if tags.pictures and not isinstance(file, FLAC):
            blocks = [base64.b64encode(picture.write()).decode("ascii") for picture in tags.pictures]
            file.tags["metadata_block_picture"] = blocks
    file.save()


def _to_id3(tags: Tags, frames: ID3) -> None:
    for name, texts in tags.fields.items():
        with contextlib.suppress(*_UNREADABLE):
            frames.add(_id3_frame(name, texts))
    used: set[str] = set()
    for picture in tags.pictures:
        # Frames with the same description are one to ID3.
        kind, number = _PICTURES.get(picture.type, "picture"), 1
        description = picture.desc
        while description in used:
            description = kind if number == 1 else f"{kind} {number}"
            number += 1
        used.add(description)
        frames.add(APIC(encoding=3, mime=picture.mime, type=picture.type, desc=description, data=picture.data))


def _id3_frame(name: str, texts: list[str]) -> mutagen.id3.Frame:
    """A field by its Vorbis name as a frame of ID3."""
    frame = _FIELDS.get(name, ("TXXX", ""))[0]
    if frame == "COMM":
        return COMM(encoding=3, lang="XXX", desc="", text=texts)
    if frame == "USLT":
        return USLT(encoding=3, lang="XXX", desc="", text="\n\n".join(texts))
    if frame in ("TDRC", "TDOR") and not all(str(ID3TimeStamp(text)) for text in texts):
        frame = "TXXX"  # ("May 2020": ID3 has times in figures only)
    if frame == "TXXX":
        return Frames["TXXX"](encoding=3, desc=name, text=texts)
    return Frames[frame](encoding=3, text=texts)
