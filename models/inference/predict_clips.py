"""What a network says of whole clips, and its plain correlation with ratings; agreement.py has all that follows."""

import itertools

import numpy as np
import torch

from ..common.arrays import Floats
from ..datasets.augmentation import tile_to_length
from ..datasets.clip_dataset import ClipDataset
from ..network.model import MidlevelNetwork

BATCH = 16


def predict_clips(network: MidlevelNetwork, material: ClipDataset) -> tuple[Floats, Floats]:
    """Mid-levels [clips, 7] and emotions [clips, 8] of whole clips, shorter ones repeated as they are to learn from.

    Neighbours of one length go in one batch, on the network's device.
    """
    network.eval()
    midlevel, emotions = [np.zeros((0, 7))], [np.zeros((0, 8))]
    with torch.inference_mode():
        for _, alike in itertools.groupby(map(tile_to_length, material.spectrograms), key=len):
            sounds = np.stack(list(alike))
            for start in range(0, len(sounds), BATCH):
                m, e = network(torch.from_numpy(sounds[start : start + BATCH].astype(np.float32)).to(network.device))
                midlevel.append(m.cpu().numpy())
                emotions.append(e.cpu().numpy())
    return np.concatenate(midlevel).astype(float), np.concatenate(emotions).astype(float)
