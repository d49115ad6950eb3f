"""Eerola & Vuoskoski's Soundtracks (2011; OSF p6vkg), Set 1 of 360 and Set 2 of 110 clips, as they are downloaded.

A folder holds `mean_ratings_set1.csv` or `mean_ratings_set2.csv` (or this project's own `ratings.csv` with albums),
and below it the numbered sound files, nested as they like. Set 2's ratings are by more listeners; where it lies
beside Set 1 and tells which clips they share (column `link`, or this project's `ratings_set2.csv`), its ratings are
averaged into theirs. Set 1 names no albums in its ratings: `set1_tracklist.csv`, where it lies there, does.
"""

import re
from pathlib import Path
from typing import Final

import numpy as np

from ..common.constants import EMOTIONS
from ..common.errors import InputError
from .table import Clip, parse_number, parse_rating, read_rows

_TABLES: Final = ("ratings.csv", "mean_ratings_set1.csv", "mean_ratings_set1_.csv", "mean_ratings_set2.csv")
_AUDIO_SUFFIXES: Final = (".ogg", ".mp3", ".wav", ".flac", ".m4a", ".aiff", ".aif")
_OTHER_SET: Final = {"mean_ratings_set2.csv": ("set1", "soundtrack360")}
_LEAST_SHARED: Final = 10
"""So many clips must be in both sets to tell how their scales lie to each other."""


def normalised_album(name: str) -> str:
    """One spelling for an album: case, blanks and punctuation do not matter, nor a known slip of the pen."""
    plain = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    return plain.removeprefix("the ").replace("portait", "portrait")


def numbered_audio_files(folder: Path, *, without: tuple[str, ...] = ()) -> dict[int, Path]:
    """Audio files anywhere below `folder` whose names are numbers, but for folders that begin with `without`."""
    found: dict[int, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _AUDIO_SUFFIXES and path.stem.isdigit():
            inside = [part.lower() for part in path.relative_to(folder).parent.parts]
            if not any(part.startswith(without) for part in inside if without):
                found.setdefault(int(path.stem), path)
    return found


def read_soundtracks(folder: Path) -> list[Clip]:
    """Clips with emotions 0..1, see the module's text; a clip without an album is a group of its own.

    Raises InputError for a folder without a table or without its sounds, and a rating that is none.
    """
    tables = [path for name in _TABLES for path in sorted(folder.rglob(name))]
    if not tables:
        raise InputError(f"{folder}: none of {', '.join(_TABLES)} in it (older copies are .xls: save them as CSV)")
    table = tables[0]
    audio = numbered_audio_files(
        folder, without=_OTHER_SET.get(table.name, ("set2", "soundtrack110", "1min", "1-min"))
    )
    albums = _albums(table.with_name("set1_tracklist.csv")) if table.name.startswith("mean_ratings_set1") else {}
    clips = {}
    for line, row in enumerate(_lowered(table), start=2):
        own = int(parse_number(row, "number", table, line))
        if own in audio:
            ratings = {name: parse_rating(row, name, table, line) for name in EMOTIONS}
            album = row.get("album") or row.get("soundtrack") or albums.get(own, "")
            group = normalised_album(album) or f"clip {own}"
            clips[own] = Clip(path=audio[own], group=group, ratings=ratings)
    if not clips:
        raise InputError(f"{table}: none of its rows has an audio file NNN.mp3 below {folder}")
    second = table.with_name("ratings_set2.csv" if table.name == "ratings.csv" else "mean_ratings_set2.csv")
    if second != table and second.is_file():
        _pool_second_set(clips, second, column="number" if table.name == "ratings.csv" else "link")
    return [clips[own] for own in sorted(clips)]


def _lowered(table: Path) -> list[dict[str, str]]:
    return [{key.lower(): value for key, value in row.items()} for row in read_rows(table)]


def _albums(tracklist: Path) -> dict[int, str]:
    """Album by number of a track list: its first column, and the first whose name speaks of an album."""
    if not tracklist.is_file():
        return {}
    rows = _lowered(tracklist)
    columns = [name for name in rows[0] if "album" in name or "soundtrack" in name]
    first = next(iter(rows[0]))
    if not columns:
        return {}
    return {int(row[first]): row[columns[0]] for row in rows if row[first].strip().isdigit()}


def _pool_second_set(clips: dict[int, Clip], table: Path, *, column: str) -> None:
    """Average Set 2's ratings, mapped onto Set 1's scale by least squares, into those of the clips it shares.

    column: where Set 2 tells the clip's number in Set 1; a `link` that is no number links to none.
    """
    rated: dict[int, list[list[float]]] = {}
    for line, row in enumerate(_lowered(table), start=2):
        if column == "number" or row.get(column, "").strip().isdigit():
            values = [parse_rating(row, name, table, line) for name in EMOTIONS]
            rated.setdefault(int(parse_number(row, column, table, line)), []).append(values)
    shared = [own for own in rated if own in clips]
    if len(shared) < _LEAST_SHARED:
        return
    second = np.array([np.mean(rated[own], axis=0) for own in shared])
    for emotion, name in enumerate(EMOTIONS):
        first = np.array([clips[own].ratings[name] for own in shared])
        slope, offset = np.polyfit(second[:, emotion], first, 1)
        for own, value in zip(shared, second[:, emotion], strict=True):
            ratings = clips[own].ratings
            ratings[name] = float(np.clip((ratings[name] + slope * value + offset) / 2, 0, 1))
