"""Data augmentation: random crops, and changes of level, tone, tuning and gaps that keep the rating."""

import numpy as np
import numpy.typing as npt

from ..common.arrays import FloatArray
from ..common.constants import CLIP_FRAMES


def tile_to_length(spectrogram: npt.NDArray[np.float16], frames: int = CLIP_FRAMES) -> npt.NDArray[np.float16]:
    """[frames or more, bands]: an excerpt that is shorter is repeated, for its mean must not hear added silence."""
    length = len(spectrogram)
    return spectrogram if length >= frames else np.take(spectrogram, np.arange(frames) % length, axis=0)


def crop(spectrogram: npt.NDArray[np.float16], rng: np.random.Generator, frames: int = CLIP_FRAMES) -> FloatArray:
    """A random stretch float32 [frames, bands] of what is long enough."""
    whole = tile_to_length(spectrogram, frames)
    if len(whole) > len(spectrogram):
        return whole.astype(np.float32)
    start = int(rng.integers(len(whole) - frames + 1))
    return whole[start : start + frames].astype(np.float32)


def augment(batch: FloatArray, rng: np.random.Generator) -> FloatArray:
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
