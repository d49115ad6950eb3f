"""Cross-validation folds in which no group (album, artist) is split."""

from collections.abc import Iterable

import numpy as np

from ..common.errors import InputError
from .table import Clip


def group_folds(clips: Iterable[Clip], folds: int, *, seed: int) -> list[list[int]]:
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
