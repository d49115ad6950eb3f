"""From rated clips to batches: spectrograms in memory, random ten-second crops, changes that keep the rating."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ..common.constants import CLIP_FRAMES, EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ..network.spectrogram import FloatArray, LogSpectrogram
from .midlevel import Clip

SoundReader = Callable[[Path], FloatArray]
"""Reads a file as mono at SAMPLE_RATE, scaled to a peak of one."""

HEARD_AS: Final = {
    "articulation": ("articulation", -1),  # rated from staccato to legato
    "key_clarity": ("tonal_stability", 1),
    "pulse_clarity": ("rhythmic_stability", 1),
    "mode": ("modality", -1),  # rated from minor to major
    "harmonic_complexity": ("dissonance", 1),
    "density": ("rhythmic_complexity", 1),
}
"""Which scale of Eerola's perceptual ratings speaks for which feature, and in which direction."""

HEADS: Final = ("emotions", "midlevel", "known", "heard")
"""What can be asked of a clip: emotions and mid-levels on their own scale, known and heard up to a rising line."""


@dataclass(frozen=True)
class Material:
    """Spectrograms and targets of clips. targets: by head, [clips, 8 or 7], NaN where there is no rating."""

    spectrograms: list[npt.NDArray[np.float16]]
    targets: dict[str, npt.NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.spectrograms)

    def subset(self, indices: Iterable[int]) -> "Material":
        chosen = list(indices)
        targets = {head: values[chosen] for head, values in self.targets.items()}
        return Material([self.spectrograms[i] for i in chosen], targets)


def targets_of(clips: Sequence[Clip]) -> dict[str, npt.NDArray[np.float32]]:
    """The ratings of the clips as one array a head, see Material."""
    targets = {
        head: np.full((len(clips), len(EMOTIONS if head == "emotions" else MIDLEVEL)), np.nan, np.float32)
        for head in HEADS
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
            elif kind == "heard" and scale in HEARD_AS:
                feature, sign = HEARD_AS[scale]
                targets["heard"][row, MIDLEVEL.index(feature)] = value if sign > 0 else 1 - value
    return targets


def prepare(clips: Sequence[Clip], read: SoundReader, progress: Callable[[float], None] | None = None) -> Material:
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
    return Material(spectrograms, targets_of(clips))


def long_enough(spectrogram: npt.NDArray[np.float16], frames: int = CLIP_FRAMES) -> npt.NDArray[np.float16]:
    """[frames or more, bands]: an excerpt that is shorter is repeated, for its mean must not hear added silence."""
    length = len(spectrogram)
    return spectrogram if length >= frames else np.take(spectrogram, np.arange(frames) % length, axis=0)


def crop(spectrogram: npt.NDArray[np.float16], rng: np.random.Generator, frames: int = CLIP_FRAMES) -> FloatArray:
    """A random stretch float32 [frames, bands] of what is long enough."""
    whole = long_enough(spectrogram, frames)
    if len(whole) > len(spectrogram):
        return whole.astype(np.float32)
    start = int(rng.integers(len(whole) - frames + 1))
    return whole[start : start + frames].astype(np.float32)


def changed(batch: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Level, tone control, tuning and small gaps, each clip its own: nothing that a listener would rate otherwise.

    batch: [clips, frames, bands] of log10(1 + x).
    """
    clips, frames, bands = batch.shape
    out = np.empty_like(batch)
    places = np.linspace(0, bands - 1, 6)
    level_db: FloatArray = rng.uniform(-8, 4, (clips, 1)).astype(np.float32)
    tone_db = rng.normal(0, 2.5, (clips, 6))
    shifts = rng.integers(-2, 3, (clips, 1))
    for i in range(clips):
        gain = 10 ** ((level_db[i, 0] + np.interp(np.arange(bands), places, tone_db[i])) / 20)
        out[i] = np.log10(1 + (10 ** np.roll(batch[i], int(shifts[i, 0]), axis=1) - 1) * gain.astype(np.float32))
        if rng.random() < 0.5:
            band = int(rng.integers(bands - 12))
            out[i, :, band : band + int(rng.integers(1, 12))] = 0
        if rng.random() < 0.5:
            frame = int(rng.integers(frames - 16))
            out[i, frame : frame + int(rng.integers(1, 16))] = 0
    return out
