"""Ratings of recordings, from the layouts in which their publishers give them, on one scale 0..1.

Every reader returns clips: a path, a stretch of it, a group (clips of one album or artist must not be split between
training and testing) and ratings by name. `Soundtracks` are Eerola & Vuoskoski's (2011) Set 1 and 2, `Mid-level`
is Aljanaki & Soleymani's (2018) dataset, `table` is any CSV with a `file` column. Names with a `known_` or
`heard_` in front are qualities on a scale of their own (rendered music, other rating studies): see train.py.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from .errors import InputError
from .vocabulary import EMOTIONS, MIDLEVEL

RATING_SCALE: Final = 10.0
PERCEPTUAL: Final = (
    "articulation",
    "brightness",
    "density",
    "harmonic_complexity",
    "key_clarity",
    "mode",
    "pulse_clarity",
)
EXCERPT_SECONDS: Final = 5.0
_AUDIO_SUFFIXES: Final = (".ogg", ".mp3", ".wav", ".flac", ".m4a", ".aiff", ".aif")
_MIDLEVEL_SYNONYMS: Final = {
    "melody": "melodiousness",
    "melodiousness": "melodiousness",
    "articulation": "articulation",
    "rhythm_complexity": "rhythmic_complexity",
    "rhythmic_complexity": "rhythmic_complexity",
    "rhythm_stability": "rhythmic_stability",
    "rhythmic_stability": "rhythmic_stability",
    "dissonance": "dissonance",
    "tonal_stability": "tonal_stability",
    "atonality": "tonal_stability",
    "mode": "modality",
    "modality": "modality",
    "minorness": "modality",
    "modality/minorness": "modality",
}


@dataclass(frozen=True)
class Clip:
    """A recording with ratings. start_s and length_s choose a stretch of it (None: to the end)."""

    path: Path
    group: str
    ratings: dict[str, float] = field(default_factory=dict)
    start_s: float = 0.0
    length_s: float | None = None


def normalised_album(name: str) -> str:
    """One spelling for an album: case, blanks and punctuation do not matter, nor a known slip of the pen."""
    plain = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    return plain.removeprefix("the ").replace("portait", "portrait")


def read_rows(path: Path, *, delimiter: str = ",") -> list[dict[str, str]]:
    """Rows of a CSV with a header (a byte-order mark is allowed). Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such table")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            rows = [{str(key).strip(): value or "" for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV table in UTF-8 (an .xls saved under that name?): {error}") from error
    if not rows:
        raise InputError(f"{path}: the table has no rows")
    return rows


def _number(row: dict[str, str], column: str, path: Path, line: int) -> float:
    text = row.get(column, "").strip()
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(f"{path}, row {line}: {column} is {text!r}, not a number")
    return value


def _rating(row: dict[str, str], column: str, path: Path, line: int, *, top: float = RATING_SCALE) -> float:
    value = _number(row, column, path, line)
    if not 0 <= value <= top:
        raise InputError(f"{path}, row {line}: {column} is {value:g}, outside of 0..{top:g} (another scale?)")
    return value / top


def _audio_by_number(folder: Path) -> dict[int, Path]:
    """Audio files anywhere below `folder` whose names are numbers."""
    found: dict[int, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _AUDIO_SUFFIXES and path.stem.isdigit():
            found.setdefault(int(path.stem), path)
    return found


def read_soundtracks(folder: Path) -> list[Clip]:
    """Soundtracks in `folder`: ratings.csv or mean_ratings_set1.csv (or set2) and numbered audio files below it.

    Where `ratings_set2.csv` lies beside Set 1, its ratings are mapped onto Set 1's scale by a line for each emotion
    and averaged in; a clip without an album is a group of its own. Emotions 0..1. Raises InputError.
    """
    names = ("ratings.csv", "mean_ratings_set1.csv", "mean_ratings_set2.csv")
    tables = [path for name in names for path in sorted(folder.rglob(name))]
    if not tables:
        raise InputError(f"{folder}: none of {', '.join(names)} in it (older copies are .xls: save them as CSV)")
    table = tables[0]
    audio = _audio_by_number(folder)
    clips = {}
    for line, raw in enumerate(read_rows(table), start=2):
        row = {key.lower(): value for key, value in raw.items()}
        number = int(_number(row, "number", table, line))
        if number not in audio:
            continue
        ratings = {name: _rating(row, name, table, line) for name in EMOTIONS}
        group = normalised_album(row.get("album", row.get("soundtrack", ""))) or f"clip {number}"
        clips[number] = Clip(path=audio[number], group=group, ratings=ratings)
    if not clips:
        raise InputError(f"{table}: none of its rows has an audio file NNN.mp3 below {folder}")
    second = table.with_name("ratings_set2.csv")
    if table.name == "ratings.csv" and second.is_file():
        _pool_second_set(clips, second)
    return [clips[number] for number in sorted(clips)]


def _pool_second_set(clips: dict[int, Clip], table: Path) -> None:
    """Average Set 2's ratings, mapped onto Set 1's scale by least squares, into those of the clips it shares."""
    rated: dict[int, list[list[float]]] = {}
    for line, row in enumerate(read_rows(table), start=2):
        values = [_rating(row, name, table, line) for name in EMOTIONS]
        rated.setdefault(int(_number(row, "number", table, line)), []).append(values)
    shared = [number for number in rated if number in clips]
    if len(shared) < 10:
        return  # too few to say how the scales lie to each other
    second = np.array([np.mean(rated[number], axis=0) for number in shared])
    for column, name in enumerate(EMOTIONS):
        first = np.array([clips[number].ratings[name] for number in shared])
        slope, offset = np.polyfit(second[:, column], first, 1)
        for number, value in zip(shared, second[:, column], strict=True):
            ratings = clips[number].ratings
            ratings[name] = float(np.clip((ratings[name] + slope * value + offset) / 2, 0, 1))


def read_perceptual(folder: Path, *, groups: dict[Path, str] | None = None) -> list[Clip]:
    """Human ratings of five-second excerpts (Eerola's MusicScienceData), as `heard_<scale>`, 0..1."""
    table = folder / "perceptual.csv"
    audio = _audio_by_number(folder)
    clips = []
    for line, row in enumerate(read_rows(table), start=2):
        path = audio.get(int(_number(row, "number", table, line)))
        if path is not None:
            ratings = {f"heard_{name}": _rating(row, name, table, line) for name in PERCEPTUAL}
            group = (groups or {}).get(path, path.stem)
            start = _number(row, "offset_s", table, line)
            clips.append(Clip(path=path, group=group, ratings=ratings, start_s=start, length_s=EXCERPT_SECONDS))
    return clips


def read_midlevel(folder: Path) -> list[Clip]:
    """Mid-level Perceptual Features: audio/<song id>.mp3 and metadata_annotations/*.csv. Raises InputError."""
    annotations = folder / "metadata_annotations" / "annotations.csv"
    metadata = folder / "metadata_annotations" / "metadata.csv"
    artists = {}
    for row in read_rows(metadata, delimiter=";"):
        artists[row.get("song id", "").strip()] = row.get("Artist", "").strip()
    rows = read_rows(annotations)
    columns = _midlevel_columns(annotations, list(rows[0]))
    audio = _audio_by_number(folder / "audio")
    clips = []
    for line, row in enumerate(rows, start=2):
        song = int(_number(row, columns[0], annotations, line))
        if song in audio:
            ratings = {
                name: _rating(row, column, annotations, line)
                for name, column in zip(MIDLEVEL, columns[1:], strict=True)
            }
            group = artists.get(str(song), "").lower() or f"song {song}"
            clips.append(Clip(path=audio[song], group=group, ratings=ratings))
    if not clips:
        raise InputError(f"{annotations}: none of its rows has an audio file in {folder / 'audio'}")
    return clips


def _midlevel_columns(path: Path, header: Sequence[str]) -> list[str]:
    """The id's column and the seven features' in the order of MIDLEVEL, by synonym or else by position."""
    known = {_MIDLEVEL_SYNONYMS.get(re.sub(r"\s+", "_", name.strip().lower())): name for name in header}
    if all(name in known for name in MIDLEVEL):
        return [header[0], *(known[name] for name in MIDLEVEL)]
    if len(header) < 1 + len(MIDLEVEL):
        raise InputError(f"{path}: {len(header)} columns, expected an id and the seven features")
    return list(header[: 1 + len(MIDLEVEL)])


def read_table(path: Path, *, prefix: str = "") -> list[Clip]:
    """Any CSV with a column `file` (relative to it) and columns named like features or emotions, 0..1.

    An empty cell is a missing rating; an optional column `group` names what must not be split. `prefix` is put
    before the names of the features (`known_` for rendered music). Raises InputError.
    """
    rows = read_rows(path)
    rated = [name for name in rows[0] if name in (*MIDLEVEL, *EMOTIONS)]
    if "file" not in rows[0] or not rated:
        raise InputError(f"{path}: needs a column 'file' and at least one named like a feature or an emotion")
    clips = []
    for line, row in enumerate(rows, start=2):
        file = path.parent / row["file"].strip()
        if not file.is_file():
            raise InputError(f"{path}, row {line}: no such audio file {file}")
        ratings = {prefix + name: _rating(row, name, path, line, top=1.0) for name in rated if row[name].strip()}
        clips.append(Clip(path=file, group=row.get("group", "") or file.name, ratings=ratings))
    return clips


def split_by_group(clips: Iterable[Clip], folds: int, *, seed: int) -> list[list[int]]:
    """Indices of `folds` parts of nearly equal size in which no group is split. Deterministic for a seed."""
    members: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        members.setdefault(clip.group, []).append(index)
    if len(members) < folds:
        raise InputError(f"{len(members)} albums or artists cannot be split into {folds} folds (too few rows?)")
    order = np.random.default_rng(seed).permutation(len(members))
    groups = sorted((list(members.values())[i] for i in order), key=len, reverse=True)
    parts: list[list[int]] = [[] for _ in range(folds)]
    for group in groups:
        min(parts, key=len).extend(group)
    return [sorted(part) for part in parts]
