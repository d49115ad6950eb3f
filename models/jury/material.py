"""Training data of the judges: one half of the rated recordings and of the artists, and composed music.

Four sources, each with targets of its own and centred apart, because their scales differ: film music with eight
emotions (Soundtracks), excerpts of it with perceptual scales, songs with felt emotions (Emotify; mapped onto the film
scale at 0.6 of their standard deviation), and composed music. Targets that a source has not are NaN.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ..common.arrays import FloatArray
from ..common.constants import EMOTIONS, MIDLEVEL, SAMPLE_RATE
from ..datasets.folds import group_folds
from ..datasets.perceptual import SCALE_TO_FEATURE, read_perceptual
from ..datasets.soundtracks import read_soundtracks
from ..datasets.table import Clip, read_rows

SEED: Final = 21
"""Of the division into halves: no album and no artist is in both."""
FELT_SPREAD: Final = 0.6
KNOWN_SPREAD: Final = 0.12
Read = Callable[[Path], FloatArray]
"""Reads a file as mono at 22,050 Hz with a peak of one."""


@dataclass(frozen=True)
class Source:
    """sounds: clips at 22,050 Hz, each of a peak of one; targets [clips, 8] (emotions) or [clips, 7] (features)."""

    sounds: list[FloatArray]
    targets: npt.NDArray[np.float32]


@dataclass(frozen=True)
class JuryMaterial:
    """What the judges of a jury learn from."""

    film: Source
    felt: Source
    perceptual: Source
    known: Source


def read_halves(data: Path, known: Sequence[Path], read: Read) -> tuple[JuryMaterial, JuryMaterial]:
    """Material of the development and of the reporting jury.

    data: the folder with `soundtracks` and `emotify`; known: two folders of composed music (`moodfader train
    --synthetic-clips` makes such), one for each jury. Raises InputError for what is not there.
    """
    film = read_soundtracks(data / "soundtracks")
    songs = read_felt(data)
    excerpts = read_perceptual(data / "soundtracks", groups={clip.path: clip.group for clip in film})
    halves = []
    for own_film, own_songs, folder in zip(
        group_folds(film, 2, seed=SEED), group_folds(songs, 2, seed=SEED), known, strict=True
    ):
        groups = {film[index].group for index in own_film}
        clips = [film[index] for index in own_film]
        rated = film_targets(clips)
        heard = [clip for clip in excerpts if clip.group in groups]
        felt = [songs[index] for index in own_songs]
        rows = read_rows(folder / "known_music.csv")
        qualities = np.array([[float(row[name]) for name in MIDLEVEL] for row in rows], np.float32)
        halves.append(
            JuryMaterial(
                film=Source([read(clip.path) for clip in clips], rated),
                felt=Source([read(clip.path) for clip in felt], felt_targets(felt, rated)),
                perceptual=Source([stretch(clip, read) for clip in heard], spread(perceptual_targets(heard))),
                known=Source([read(folder / row["file"]) for row in rows], spread(qualities)),
            )
        )
    return halves[0], halves[1]


def read_felt(data: Path) -> list[Clip]:
    """The songs of `emotify` with their felt emotions, standardised. Raises InputError for what is not there."""
    return [
        Clip(
            path=data / "emotify" / row["file"],
            group=row["group"],
            ratings={name: float(row[name]) for name in EMOTIONS if name in row},
        )
        for row in read_rows(data / "emotify" / "felt.csv")
    ]


def film_targets(clips: Sequence[Clip]) -> npt.NDArray[np.float32]:
    """The eight emotions of film clips: [clips, 8]."""
    return np.array([[clip.ratings[name] for name in EMOTIONS] for clip in clips], np.float32)


def felt_targets(clips: Sequence[Clip], film: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Felt emotions of songs on the scale of the film clips [clips, 8]: [songs, 8], NaN where there is none.

    felt.csv is standardised to a mean of .5 and a deviation of .15.
    """
    targets = np.full((len(clips), len(EMOTIONS)), np.nan, np.float32)
    for row, clip in enumerate(clips):
        for place, name in enumerate(EMOTIONS):
            if name in clip.ratings:
                deviation = FELT_SPREAD * film[:, place].std() * (clip.ratings[name] - 0.5) / 0.15
                targets[row, place] = film[:, place].mean() + deviation
    return targets


def perceptual_targets(clips: Sequence[Clip]) -> npt.NDArray[np.float32]:
    """What excerpts' perceptual ratings say of the features: [clips, 7], NaN where they say nothing."""
    targets = np.full((len(clips), len(MIDLEVEL)), np.nan, np.float32)
    for row, clip in enumerate(clips):
        for name, value in clip.ratings.items():
            scale = name.removeprefix("heard_")
            if scale in SCALE_TO_FEATURE:
                feature, sign = SCALE_TO_FEATURE[scale]
                targets[row, MIDLEVEL.index(feature)] = sign * value
    return targets


def spread(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each column with a mean of .5 and a deviation of KNOWN_SPREAD; a column of NaN stays."""
    rated = ~np.isnan(targets).all(0)
    found = np.full_like(targets, np.nan)
    own = targets[:, rated]
    found[:, rated] = 0.5 + KNOWN_SPREAD * (own - np.nanmean(own, 0)) / np.nanstd(own, 0)
    return found


def stretch(clip: Clip, read: Read) -> FloatArray:
    """The sound of the part of a file that was rated."""
    sound = read(clip.path)
    first = round(clip.start_s * SAMPLE_RATE)
    return sound[first : None if clip.length_s is None else first + round(clip.length_s * SAMPLE_RATE)]
