"""Playlists of other programs: M3U, a line for each file, titles in lines that begin with #EXTINF."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ...models.common.errors import InputError
from ...models.common.parsing import read_text
from .tracks import MAX_TRACKS, SetListTrack, track_file

_MAX_BYTES: Final = 4 << 20
_LONGEST_TITLE: Final = 200
_TITLE: Final = "#EXTINF:"


def read_playlist(path: Path) -> list[SetListTrack]:
    """Read a playlist in UTF-8; one that ends in .m3u may also be in the encoding of Windows, as its name says.

    Paths are relative to the playlist's folder; `file:` addresses are understood, others not. Of the lines that begin
    with # only the titles are used.

    Raises
    ------
    InputError
        For what cannot be read, has no track or too many, or names what is no file.
    """
    try:
        text = read_text(path, limit=_MAX_BYTES, otherwise="cp1252" if path.suffix.lower() == ".m3u" else None)
    except FileNotFoundError:
        raise InputError(f"{path}: no such playlist") from None
    tracks: list[SetListTrack] = []
    title = ""
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if line.startswith(_TITLE):
            title = _printable(line.removeprefix(_TITLE).partition(",")[2].strip())[:_LONGEST_TITLE]
        if not line or line.startswith("#"):
            continue
        if len(tracks) >= MAX_TRACKS:
            raise InputError(f"{path}: more than {MAX_TRACKS} tracks")
        tracks.append(SetListTrack(track_file(path, _file_name(path, number, line), f"line {number}"), title))
        title = ""
    if not tracks:
        raise InputError(f"{path}: there is no track in it")
    return tracks


def _file_name(path: Path, number: int, line: str) -> str:
    """The file that a line means. Raises InputError for what is on another machine."""
    address = urlsplit(line) if "://" in line else None
    if address is None:
        return line
    if address.scheme.lower() != "file" or address.netloc not in ("", "localhost"):
        raise InputError(f"{path}: line {number}: {line[:80]!r} is not on this machine, only files are played")
    return unquote(address.path)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
