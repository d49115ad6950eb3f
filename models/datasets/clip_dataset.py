"""From rated clips to batches: spectrograms in memory, random ten-second crops, changes that keep the rating."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ..common.arrays import FloatArray
from ..common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ..network.spectrogram import LogSpectrogram
from .perceptual import SCALE_TO_FEATURE
from .table import Clip

SoundReader = Callable[[Path], FloatArray]
"""Reads a file as mono at SAMPLE_RATE, scaled to a peak of one."""


TARGET_SETS: Final = ("emotions", "midlevel", "known", "heard", "felt", "vgmidi", "emopia")
"""The sets of ratings that a clip may have: emotions and mid-levels on the scale of the predictions; known and heard,
which are features, and felt (Emotify), vgmidi and emopia, which are emotions, up to a rising line each."""
EMOTION_SETS: Final = ("emotions", "felt", "vgmidi", "emopia")
"""Those that rate emotions; the others rate features."""
RELATIVE_EMOTION_SETS: Final = EMOTION_SETS[1:]
"""Those that rate emotions on a scale of their own, tied to the predictions by rising lines."""


@dataclass(frozen=True)
class ClipDataset:
    """Spectrograms and targets of clips.

    targets: by head, [clips, 8 or 7], NaN where there is no rating. weights: [clips], what an error in the ratings of
    each counts (all alike: None). embeddings: [clips, values] of a teacher, if there is one.
    """

    spectrograms: list[npt.NDArray[np.float16]]
    targets: dict[str, npt.NDArray[np.float32]]
    weights: npt.NDArray[np.float32] | None = None
    embeddings: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.spectrograms)

    def subset(self, indices: Iterable[int]) -> "ClipDataset":
        """The clips with these indices, in their order."""
        chosen = list(indices)
        targets = {head: values[chosen] for head, values in self.targets.items()}
        return ClipDataset(
            [self.spectrograms[i] for i in chosen],
            targets,
            None if self.weights is None else self.weights[chosen],
            None if self.embeddings is None else self.embeddings[chosen],
        )


def clip_digests(dataset: ClipDataset) -> list[str]:
    """Twelve hex digits for each clip, by which a model's record names what it has learned from.

    Of the length and of the mean level of each band in steps of 1/32: the same on every machine, whose last bits of a
    spectrogram may differ.
    """
    return [
        hashlib.sha256(
            f"{len(spectrogram)} ".encode()
            + np.rint(spectrogram.mean(axis=0, dtype=np.float64) * 32).astype("<i4").tobytes()
        ).hexdigest()[:12]
        for spectrogram in dataset.spectrograms
    ]


def build_targets(clips: Sequence[Clip]) -> dict[str, npt.NDArray[np.float32]]:
    """The ratings of the clips as one array a head, see Material."""
    targets = {
        head: np.full((len(clips), len(EMOTIONS if head in EMOTION_SETS else MIDLEVEL)), np.nan, np.float32)
        for head in TARGET_SETS
    }
    for row, clip in enumerate(clips):
        for name, value in clip.ratings.items():
            kind, _, scale = name.partition("_")
            if name in EMOTIONS:
                targets["emotions"][row, EMOTIONS.index(name)] = value
            elif name in MIDLEVEL:
                targets["midlevel"][row, MIDLEVEL.index(name)] = value
            elif kind == "known":
                targets["known"][row, MIDLEVEL.index(scale)] = value
            elif kind in RELATIVE_EMOTION_SETS and scale in EMOTIONS:
                targets[kind][row, EMOTIONS.index(scale)] = value
            elif kind == "heard" and scale in SCALE_TO_FEATURE:
                feature, sign = SCALE_TO_FEATURE[scale]
                targets["heard"][row, MIDLEVEL.index(feature)] = value if sign > 0 else 1 - value
    return targets


def load_spectrograms(
    clips: Sequence[Clip], read: SoundReader, progress: Callable[[float], None] | None = None
) -> ClipDataset:
    """Read the clips and keep their spectrograms in half precision (1 MB for 110 s of sound)."""
    transform = LogSpectrogram()
    sounds: dict[Path, npt.NDArray[np.float16]] = {}
    spectrograms = []
    for index, clip in enumerate(clips):
        if clip.path not in sounds:
            with torch.inference_mode():
                sounds[clip.path] = transform(torch.from_numpy(read(clip.path))).half().numpy()
        first = round(clip.start_s * SAMPLE_RATE / HOP_LENGTH)
        length = None if clip.length_s is None else round(clip.length_s * SAMPLE_RATE / HOP_LENGTH)
        spectrograms.append(sounds[clip.path][first : None if length is None else first + length])
        if progress:
            progress((index + 1) / len(clips))
    return dataset_of(clips, spectrograms)


def dataset_of(clips: Sequence[Clip], spectrograms: list[npt.NDArray[np.float16]]) -> ClipDataset:
    """The data set of clips whose spectrograms have been computed; without weights where all count alike."""
    weights = np.array([clip.weight for clip in clips], np.float32)
    return ClipDataset(spectrograms, build_targets(clips), None if (weights == 1).all() else weights)


def material_digest(material: ClipDataset) -> str:
    """SHA-256 in hex over the spectrograms, all ratings, their weights and the embeddings."""
    digest = hashlib.sha256()
    for head, values in sorted(material.targets.items()):
        digest.update(f"{head} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    for further in (material.weights, material.embeddings):
        if further is not None:
            digest.update(f"{further.shape}".encode())
            digest.update(np.ascontiguousarray(further).tobytes())
    for spectrogram in material.spectrograms:
        digest.update(f"{spectrogram.shape}".encode())
        digest.update(np.ascontiguousarray(spectrogram).tobytes())
    return digest.hexdigest()
