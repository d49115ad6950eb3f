"""Group k-fold: cross-validation folds that keep groups (albums, artists) together."""

from collections.abc import Iterable

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
