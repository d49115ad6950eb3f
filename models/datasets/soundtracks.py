"""Reader of the Soundtracks dataset (Eerola & Vuoskoski 2011; OSF p6vkg) as downloaded.

Set 1 has 360 clips, Set 2 110. The folder has `mean_ratings_set1.csv` or `mean_ratings_set2.csv` (or this project's
`ratings.csv` with albums), and numbered audio files in it or in its subfolders. Set 2 was rated by more people; if
its table is there too and names the clips that both sets share (column `link`, or this project's `ratings_set2.csv`),
the ratings of these are averaged. The albums of Set 1 are in `set1_tracklist.csv`.
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
_MIN_SHARED: Final = 10
"""Smallest number of shared clips from which the scale of Set 2 is mapped to that of Set 1."""


def normalised_album(name: str) -> str:
    """Normalise an album name: case, blanks, punctuation, a leading article, and a misspelling of the dataset."""
    words = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    return words.removeprefix("the ").replace("portait", "portrait")


def numbered_audio_files(folder: Path, *, without: tuple[str, ...] = ()) -> dict[int, Path]:
    """Find audio files whose names are numbers, in a folder and its subfolders.

    Parameters
    ----------
    folder
        Where to search.
    without
        Beginnings of names of subfolders that are left out, in lower case.

    Returns
    -------
    dict of int to pathlib.Path
        The first file of each number in alphabetical order.
    """
    files: dict[int, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _AUDIO_SUFFIXES and path.stem.isdigit():
            inside = [part.lower() for part in path.relative_to(folder).parent.parts]
            if not any(part.startswith(without) for part in inside if without):
                files.setdefault(int(path.stem), path)
    return files


def read_soundtracks(folder: Path) -> list[Clip]:
    """Read the dataset.

    Parameters
    ----------
    folder
        See above.

    Returns
    -------
    list of Clip
        By number, with the eight emotions, 0..1. The group is the album; a clip whose album is unknown has its own.

    Raises
    ------
    InputError
        There is no table or no audio file, or a rating is invalid.
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
        number = int(parse_number(row, "number", table, line))
        if number in audio:
            ratings = {name: parse_rating(row, name, table, line) for name in EMOTIONS}
            album = row.get("album") or row.get("soundtrack") or albums.get(number, "")
            group = normalised_album(album) or f"clip {number}"
            clips[number] = Clip(path=audio[number], group=group, ratings=ratings)
    if not clips:
        raise InputError(f"{table}: none of its rows has an audio file NNN.mp3 below {folder}")
    second = table.with_name("ratings_set2.csv" if table.name == "ratings.csv" else "mean_ratings_set2.csv")
    if second != table and second.is_file():
        _pool_second_set(clips, second, column="number" if table.name == "ratings.csv" else "link")
    return [clips[number] for number in sorted(clips)]


def _lowered(table: Path) -> list[dict[str, str]]:
    """Rows of a table with the names of the columns in lower case."""
    return [{key.lower(): value for key, value in row.items()} for row in read_rows(table)]


def _albums(tracklist: Path) -> dict[int, str]:
    """Albums of a track list by number.

    They are its first column, and the first whose name has `album` or `soundtrack` in it.
    """
    if not tracklist.is_file():
        return {}
    rows = _lowered(tracklist)
    columns = [name for name in rows[0] if "album" in name or "soundtrack" in name]
    first = next(iter(rows[0]))
    if not columns:
        return {}
    return {int(row[first]): row[columns[0]] for row in rows if row[first].strip().isdigit()}


def _pool_second_set(clips: dict[int, Clip], table: Path, *, column: str) -> None:
    """Average the ratings of shared clips with those of Set 2, in place.

    These are mapped to the scale of Set 1 by least squares. `column` is the column of Set 2 with the number in Set 1;
    rows where it is not a number are not shared.
    """
    rated: dict[int, list[list[float]]] = {}
    for line, row in enumerate(_lowered(table), start=2):
        if column == "number" or row.get(column, "").strip().isdigit():
            values = [parse_rating(row, name, table, line) for name in EMOTIONS]
            rated.setdefault(int(parse_number(row, column, table, line)), []).append(values)
    shared = [number for number in rated if number in clips]
    if len(shared) < _MIN_SHARED:
        return
    second = np.array([np.mean(rated[number], axis=0) for number in shared])
    for emotion, name in enumerate(EMOTIONS):
        first = np.array([clips[number].ratings[name] for number in shared])
        slope, offset = np.polyfit(second[:, emotion], first, 1)
        for number, value in zip(shared, second[:, emotion], strict=True):
            ratings = clips[number].ratings
            ratings[name] = float(np.clip((ratings[name] + slope * value + offset) / 2, 0, 1))
