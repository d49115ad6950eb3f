"""Public datasets of ratings, in the layouts in which their publishers give them, on one scale 0..1.

Every reader returns clips: a path, a stretch of it, a group (clips of one album or artist must not be split between
training and testing) and ratings by name. `Soundtracks` are Eerola & Vuoskoski's (2011) Set 1 and 2, `Mid-level`
is Aljanaki & Soleymani's (2018) dataset; a table of one's own is read by ratings.py. Names with a `known_` or
`heard_` in front are qualities on a scale of their own (rendered music, other rating studies): see train.py.
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
    """Mid-level Perceptual Features: audio/<song id>.mp3 and metadata_annotations/*.csv. Raises InputError.

    A song is in the group of its artist; one that was taken from Soundtracks is in the group of that clip's album,
    which `albums` tells by the clip's number, for the same music stands in both datasets.
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
    """By song id: the album of a clip of Soundtracks, else the artist."""
    groups = {}
    for raw in rows:
        row = {re.sub(r"[\s_]+", " ", key.lower()): value.strip() for key, value in raw.items()}
        group = row.get("artist", "").lower()
        numbered = re.match(r"\d+", row.get("id at file source", ""))
        if row.get("source", "").lower() == "soundtracks" and numbered:
            clip = int(numbered.group())
            group = albums.get(clip, f"clip {clip}")
        groups[row.get("song id", "")] = group
    return groups


def _midlevel_columns(path: Path, header: Sequence[str]) -> list[str]:
    """The id's column and the seven features' in the order of MIDLEVEL, by synonym or else by position."""
    known = {_MIDLEVEL_SYNONYMS.get(re.sub(r"\s+", "_", name.strip().lower())): name for name in header}
    if all(name in known for name in MIDLEVEL):
        return [header[0], *(known[name] for name in MIDLEVEL)]
    if len(header) < 1 + len(MIDLEVEL):
        raise InputError(f"{path}: {len(header)} columns, expected an id and the seven features")
    return list(header[: 1 + len(MIDLEVEL)])
