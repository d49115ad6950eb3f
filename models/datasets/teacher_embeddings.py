"""Embeddings of clips by another network (the teacher of distillation), computed beforehand.

The file is a NumPy archive. For every set NAME of clips it holds NAME_mean [clips, values] and either NAME_files,
paths of the sound files, or NAME_numbers, their numbers (Soundtracks: 2 is 002.ogg or 002.mp3). Clips are found by
the file's name without its ending.
"""

import dataclasses
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from ..common.arrays import FloatArray
from ..common.errors import InputError
from ..common.parsing import BAD_ARCHIVE
from .clip_dataset import ClipDataset
from .table import Clip

_LARGEST_UNPACKED: Final = 256 << 20  # bytes
_LONGEST_NAME: Final = 1000


def read_embeddings(path: Path) -> dict[str, FloatArray]:
    """Embeddings [values] by clip name. Raises InputError for a file that is missing or holds something else."""
    if not path.is_file():
        raise InputError(f"{path}: no such file of a teacher's embeddings")
    try:
        with zipfile.ZipFile(path) as members:
            if sum(member.file_size for member in members.infolist()) > _LARGEST_UNPACKED:
                raise InputError(
                    f"{path}: unpacks to more than {_LARGEST_UNPACKED >> 20} MiB, too much for embeddings"
                )
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except BAD_ARCHIVE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a readable .npz file (damaged, or something else?)") from error
    found: dict[str, FloatArray] = {}
    for kind in [name.removesuffix("_mean") for name in arrays if name.endswith("_mean")]:
        names = arrays.get(f"{kind}_files", arrays.get(f"{kind}_numbers"))
        values = arrays[f"{kind}_mean"]
        if names is None or values.dtype.kind != "f" or values.ndim != 2 or not _fit(names, values):
            raise InputError(f"{path}: {kind}_mean needs {kind}_files or {kind}_numbers, a name for each of its rows")
        try:
            texts = [_clip_name(str(name)[:_LONGEST_NAME]) for name in names]
        except BAD_ARCHIVE as error:
            raise InputError(f"{path}: {kind}_files holds what is no text") from error
        found |= dict(zip(texts, values.astype(np.float32), strict=True))
    if len({len(row) for row in found.values()}) != 1:
        raise InputError(f"{path}: needs tables NAME_mean of embeddings that are all of one length")
    return found


def _fit(names: FloatArray, values: FloatArray) -> bool:
    """Whether there is a name for each row, and every number is finite as a float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return names.shape == values.shape[:1] and bool(np.isfinite(values.astype(np.float32)).all())


def with_embeddings(dataset: ClipDataset, clips: Sequence[Clip], embeddings: Mapping[str, FloatArray]) -> ClipDataset:
    """The data set with the embeddings of its clips, NaN where there is none; as it is if there are none at all.

    Stretches of a clip have none: the teacher heard all of it.
    """
    names = [None if clip.length_s is not None else _clip_name(clip.path.name) for clip in clips]
    if not any(name in embeddings for name in names):
        return dataset
    none = np.full(len(next(iter(embeddings.values()))), np.nan, np.float32)
    rows = [embeddings.get(name, none) if name is not None else none for name in names]
    return dataclasses.replace(dataset, embeddings=np.stack(rows))


def _clip_name(name: str) -> str:
    """The name of a file without folders and ending; a number as such."""
    stem = PurePosixPath(name).stem
    return str(int(stem)) if re.fullmatch(r"\d+", stem) else stem
