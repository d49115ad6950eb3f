"""The short-time Fourier transform of the mask filter: length and overlap of its frames, fades over a hop."""

import math

import numpy as np

OVERLAP = 4
"""Frames that reach a sample: a new one begins every quarter of a frame."""
_FRAME_S = 2048 / 44100


def frame_length(sample_rate: int) -> int:
    """The power of two nearest to 46 ms at this rate: 2048 samples at 44.1 and 48 kHz."""
    return int(2 ** round(math.log2(sample_rate * _FRAME_S)))


def linear_fade(hop_length: int) -> np.ndarray:
    """How far a moving fader has come at each sample of a hop: float32 [hop_length], linear, the last one 1."""
    return ((np.arange(hop_length, dtype=np.float32) + 1) / np.float32(hop_length)).astype(np.float32)
