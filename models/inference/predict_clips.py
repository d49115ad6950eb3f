"""Batch prediction of the clips of a data set."""

import itertools

import numpy as np
import torch

from ..common.arrays import Floats
from ..datasets.augmentation import tile_to_length
from ..datasets.clip_dataset import ClipDataset
from ..network.model import MidlevelNetwork

BATCH = 16


def predict_clips(network: MidlevelNetwork, material: ClipDataset) -> tuple[Floats, Floats]:
    """Predict whole clips, in batches of consecutive clips of equal length.

    Parameters
    ----------
    network
        The network; its device is used.
    material
        The clips; those shorter than a training excerpt are repeated, as in training.

    Returns
    -------
    midlevel, emotions : numpy.ndarray
        [clips, 7] and [clips, 8], 0..1.
    """
    network.eval()
    midlevel, emotions = [np.zeros((0, 7))], [np.zeros((0, 8))]
    with torch.inference_mode():
        for _, group in itertools.groupby(map(tile_to_length, material.spectrograms), key=len):
            clips = np.stack(list(group))
            for start in range(0, len(clips), BATCH):
                m, e = network(torch.from_numpy(clips[start : start + BATCH].astype(np.float32)).to(network.device))
                midlevel.append(m.cpu().numpy())
                emotions.append(e.cpu().numpy())
    return np.concatenate(midlevel).astype(float), np.concatenate(emotions).astype(float)
