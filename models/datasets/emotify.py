"""Reader of Emotify (Aljanaki, Wiering & Veltkamp 2015): 400 songs of four genres, with the emotions listeners felt.

Every listener ticked up to three of the nine emotions of the Geneva Emotional Music Scale (GEMS). The share of
listeners who ticked an emotion is on no scale of the predictions, so each of the six emotions below is tied to its
prediction by a rising line of its own: `felt_<emotion>`. A song counts by its number n of listeners, n / (n + 12).

Two layouts are read: the published one (`data.csv`, a row for each listener and song, and a folder with numbered
sound files for each genre) and a table `gems.csv` of the shares with the columns file, group (artist), genre and
raters.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import mutagen
import numpy as np

from ..common.arrays import Floats
from ..common.errors import InputError
from .soundtracks import numbered_audio_files
from .table import Clip, Row, find_file, parse_number, parse_rating, read_rows

GEMS: Final = (
    "amazement", "solemnity", "tenderness", "nostalgia", "calmness", "power", "joyful_activation", "tension",
    "sadness",
)  # fmt: skip
"""The nine emotions that could be ticked."""
FELT_WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "valence": {
        "joyful_activation": 1.0, "tenderness": 0.5, "amazement": 0.5, "calmness": 0.3, "tension": -1.0,
        "sadness": -0.7,
    },
    "energy": {
        "power": 1.0, "joyful_activation": 1.0, "tension": 0.7, "amazement": 0.3, "calmness": -1.0,
        "tenderness": -0.6, "sadness": -0.7, "nostalgia": -0.5, "solemnity": -0.3,
    },
    "tension": {"tension": 1.0},
    "happy": {"joyful_activation": 1.0},
    "sad": {"sadness": 1.0},
    "tender": {"tenderness": 1.0},
}  # fmt: skip
"""Weights of the shares in each felt emotion."""
GEMS_EMOTIONS: Final = {
    "joyful_activation": "happy",
    "power": "energy",
    "tenderness": "tender",
    "sadness": "sad",
    "tension": "tension",
}
"""The emotion that each share is compared with in an evaluation."""
PRIOR_RATERS: Final = 12.0
"""Number of listeners with which a song counts half."""
SPREAD: Final = 0.15
"""Standard deviation of the felt emotions over the songs; their mean is 0.5."""
_SONGS_PER_GENRE: Final = 100


def read_emotify(folder: Path) -> list[Clip]:
    """Read the data set.

    Parameters
    ----------
    folder
        With `gems.csv`, or with `data.csv` and the folders of the genres somewhere below.

    Returns
    -------
    list of Clip
        Songs with ratings `felt_<emotion>` (six) and `gems_<emotion>` (the nine shares), 0..1, weighted by listeners.
        The group is the artist: of the table, or of the file's tags (without these, the song).

    Raises
    ------
    InputError
        A table or a sound file is missing or cannot be read.
    """
    if (folder / "gems.csv").is_file():
        songs = _read_shares(folder / "gems.csv")
    elif (folder / "data.csv").is_file():
        songs = _read_ticks(folder / "data.csv")
    else:
        raise InputError(f"{folder}: no Emotify: neither data.csv nor gems.csv is in it")
    shares = np.array([[song[f"gems_{name}"] for name in GEMS] for song in songs])
    felt = felt_emotions(shares)
    raters = np.array([song["raters"] for song in songs])
    weights = raters / (raters + PRIOR_RATERS)
    weights = weights / weights.mean()
    return [
        Clip(
            song["path"],
            song["group"],
            {f"felt_{name}": float(values[row]) for name, values in felt.items()}
            | {f"gems_{name}": song[f"gems_{name}"] for name in GEMS},
            weight=float(weights[row]),
            genre=song["genre"],
        )
        for row, song in enumerate(songs)
    ]


def felt_emotions(shares: Floats) -> dict[str, Floats]:
    """Return the six felt emotions [songs], mean 0.5 and standard deviation 0.15, from shares [songs, 9]."""
    felt = {}
    for name, weights in FELT_WEIGHTS.items():
        values = shares @ np.array([weights.get(emotion, 0.0) for emotion in GEMS])
        felt[name] = np.clip(0.5 + SPREAD * (values - values.mean()) / max(float(values.std()), 1e-9), 0.0, 1.0)
    return felt


def _read_shares(table: Path) -> list[dict[str, Any]]:
    songs = []
    for row in read_rows(table):
        path = find_file(table, row)
        shares = {f"gems_{name}": parse_rating(row, f"gems_{name}", table, row.line, top=1.0) for name in GEMS}
        raters = parse_number(row, "raters", table, row.line)
        if raters < 1:
            raise InputError(f"{table}, row {row.line}: raters is {raters:g}, at least 1 is needed")
        group = row.get("group", "").strip() or path.stem
        songs.append({"path": path, "group": group, "genre": row.get("genre", "").strip(), "raters": raters} | shares)
    return songs


def _read_ticks(table: Path) -> list[dict[str, Any]]:
    """Shares from the published table, with a row for each listener of each song."""
    ticks: dict[tuple[str, int], list[list[float]]] = defaultdict(list)
    for row in read_rows(table):
        named = Row({key.strip(): value for key, value in row.items()}, line=row.line)
        genre = named.get("genre", "").strip().lower()
        song = int(parse_number(named, "track id", table, row.line))
        ticks[genre, song].append([parse_rating(named, name, table, row.line, top=1.0) for name in GEMS])
    songs = []
    files: dict[str, dict[int, Path]] = {genre: _genre_files(table.parent, genre) for genre, _ in ticks}
    for (genre, song), rows in ticks.items():
        path = _song_file(files[genre], song)
        if path is not None:
            shares = dict(zip([f"gems_{name}" for name in GEMS], np.mean(rows, axis=0).tolist(), strict=True))
            songs.append({"path": path, "group": _artist(path), "genre": genre, "raters": float(len(rows))} | shares)
    if not songs:
        raise InputError(f"{table}: none of its songs has a sound file <genre>/<number>.mp3 in {table.parent}")
    return songs


def _genre_files(folder: Path, genre: str) -> dict[int, Path]:
    """Numbered files of all folders that are named as a genre."""
    found: dict[int, Path] = {}
    for place in sorted(path for path in folder.rglob("*") if path.is_dir() and path.name.lower() == genre):
        found |= numbered_audio_files(place)
    return found


def _song_file(files: Mapping[int, Path], song: int) -> Path | None:
    """The file of a song: its songs are numbered through all genres, its files from 1 to 100 in each."""
    inside = (song - 1) % _SONGS_PER_GENRE + 1
    through: Sequence[int] = (song, inside) if max(files, default=0) > _SONGS_PER_GENRE else (inside,)
    return next((files[number] for number in through if number in files), None)


def _artist(path: Path) -> str:
    """The artist of a file's tags, in lower case; the song's folder and name if there is none."""
    try:
        tags = mutagen.File(path, easy=True)
        artist = str((tags.get("artist") or [""])[0]).strip().lower() if tags is not None else ""
    except Exception:  # whatever damaged tags raise: sound is read elsewhere
        artist = ""
    return artist or f"{path.parent.name}/{path.stem}"
