"""Data augmentation of spectrograms: random crops; random level, equalisation, tuning and masking."""

import numpy as np
import numpy.typing as npt

from ..common.arrays import FloatArray
from ..common.constants import CLIP_FRAMES


def tile_to_length(spectrogram: npt.NDArray[np.float16], frames: int = CLIP_FRAMES) -> npt.NDArray[np.float16]:
    """Repeat a spectrogram [frames, bands] until it has at least `frames` frames.

    Zero padding would change the mean of the outputs.
    """
    length = len(spectrogram)
    return spectrogram if length >= frames else np.take(spectrogram, np.arange(frames) % length, axis=0)


def crop(spectrogram: npt.NDArray[np.float16], rng: np.random.Generator, frames: int = CLIP_FRAMES) -> FloatArray:
    """Return a random excerpt, float32 [frames, bands]; a shorter spectrogram is repeated."""
    tiled = tile_to_length(spectrogram, frames)
    if len(tiled) > len(spectrogram):
        return tiled.astype(np.float32)
    start = int(rng.integers(len(tiled) - frames + 1))
    return tiled[start : start + frames].astype(np.float32)


def augment(batch: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Change level, equalisation and tuning of each clip at random, and mask bands and frames; ratings stay valid.

    Level -8..4 dB; equalisation with 2.5 dB standard deviation at six bands; tuning up to two bands (a semitone);
    with probability 0.5 each, up to 11 bands and up to 15 frames are set to zero.

    Parameters
    ----------
    batch
        log10(1 + magnitude) spectrograms, [clips, frames, bands].
    rng
        Random generator.

    Returns
    -------
    numpy.ndarray
        float32, of the same shape.
    """
    clips, frames, bands = batch.shape
    out = np.empty_like(batch)
    knots = np.linspace(0, bands - 1, 6)
    level_db: FloatArray = rng.uniform(-8, 4, (clips, 1)).astype(np.float32)
    eq_db = rng.normal(0, 2.5, (clips, 6))
    shifts = rng.integers(-2, 3, (clips, 1))
    for i in range(clips):
        gain = 10 ** ((level_db[i, 0] + np.interp(np.arange(bands), knots, eq_db[i])) / 20)
        out[i] = np.log10(1 + (10 ** np.roll(batch[i], int(shifts[i, 0]), axis=1) - 1) * gain.astype(np.float32))
        if rng.random() < 0.5:
            band = int(rng.integers(bands - 12))
            out[i, :, band : band + int(rng.integers(1, 12))] = 0
        if rng.random() < 0.5:
            frame = int(rng.integers(frames - 16))
            out[i, frame : frame + int(rng.integers(1, 16))] = 0
    return out
