"""Reader of the Mid-level Perceptual Features dataset (Aljanaki & Soleymani, ISMIR 2018) in its published layout.

Like every reader of this folder it returns clips: a path, an excerpt, a group (clips of one album or artist belong to
the same fold) and ratings by name, 0..1. Ratings whose names begin with `known_` (labels of synthetic music) or
`heard_` (perceptual scales) are on scales of their own.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..common.constants import MIDLEVEL
from ..common.errors import InputError
from .soundtracks import numbered_audio_files
from .table import Clip, parse_number, parse_rating, read_rows

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


def read_midlevel(folder: Path, *, albums: Mapping[int, str] | None = None) -> list[Clip]:
    """Read the dataset.

    Parameters
    ----------
    folder
        With audio/<song id>.mp3 and metadata_annotations/*.csv.
    albums
        Groups of the clips of the Soundtracks dataset by number: the dataset includes some of them, which get these
        groups. The group of other songs is their artist.

    Returns
    -------
    list of Clip
        Those with an audio file, with the seven features, 0..1.

    Raises
    ------
    InputError
        A table is missing or cannot be read, or there is no audio file.
    """
    annotations = folder / "metadata_annotations" / "annotations.csv"
    metadata = folder / "metadata_annotations" / "metadata.csv"
    rows = read_rows(annotations)
    groups = _song_groups(read_rows(metadata), albums or {})
    columns = _midlevel_columns(annotations, list(rows[0]))
    audio = numbered_audio_files(folder / "audio")
    clips = []
    for line, row in enumerate(rows, start=2):
        song = int(parse_number(row, columns[0], annotations, line))
        if song in audio:
            ratings = {
                name: parse_rating(row, column, annotations, line)
                for name, column in zip(MIDLEVEL, columns[1:], strict=True)
            }
            group = groups.get(str(song)) or f"song {song}"
            clips.append(Clip(path=audio[song], group=group, ratings=ratings))
    if not clips:
        raise InputError(f"{annotations}: none of its rows has an audio file in {folder / 'audio'}")
    return clips


def _song_groups(rows: Iterable[dict[str, str]], albums: Mapping[int, str]) -> dict[str, str]:
    """Groups by song id: the album of clips of the Soundtracks dataset, else the artist."""
    groups = {}
    for raw in rows:
        row = {re.sub(r"[\s_]+", " ", key.lower()): value.strip() for key, value in raw.items()}
        group = row.get("artist", "").lower()
        number = re.match(r"\d+", row.get("id at file source", ""))
        if row.get("source", "").lower() == "soundtracks" and number:
            clip = int(number.group())
            group = albums.get(clip, f"clip {clip}")
        groups[row.get("song id", "")] = group
    return groups


def _midlevel_columns(path: Path, header: Sequence[str]) -> list[str]:
    """Names of the columns of the id and the seven features in order, found by synonym or else by position."""
    by_feature = {_MIDLEVEL_SYNONYMS.get(re.sub(r"\s+", "_", name.strip().lower())): name for name in header}
    if all(name in by_feature for name in MIDLEVEL):
        return [header[0], *(by_feature[name] for name in MIDLEVEL)]
    if len(header) < 1 + len(MIDLEVEL):
        raise InputError(f"{path}: {len(header)} columns, expected an id and the seven features")
    return list(header[: 1 + len(MIDLEVEL)])
