"""Folds of a cross-validation: group k-fold (albums and artists are kept together), and leave one genre out."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..common.errors import InputError
from .table import Clip


def group_folds(clips: Iterable[Clip], folds: int, *, seed: int) -> list[list[int]]:
    """Divide clips into folds of nearly equal size that keep groups together.

    Parameters
    ----------
    clips
        The clips, with their groups.
    folds
        Number of folds.
    seed
        Random seed.

    Returns
    -------
    list of list of int
        Ascending indices of the clips in each fold.

    Raises
    ------
    InputError
        There are fewer groups than folds.
    """
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


def genre_folds(genres: Sequence[str | None]) -> list[list[int]]:
    """Divide clips into genres, each of which is left out of training in turn.

    Parameters
    ----------
    genres
        The genre of each clip; None for a clip that is in no fold (it is always trained on).

    Returns
    -------
    list of list of int
        Ascending indices of the clips of each genre, in the order of their first clips.

    Raises
    ------
    InputError
        There are fewer than two genres.
    """
    members: dict[str, list[int]] = {}
    for index, genre in enumerate(genres):
        if genre is not None:
            members.setdefault(genre, []).append(index)
    if len(members) < 2:
        raise InputError("--by-genre: all recordings are of one genre (give --emotify or --vgmidi as well)")
    return list(members.values())
