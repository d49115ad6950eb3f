"""What a network says of whole clips, and its plain correlation with ratings; agreement.py has all that follows."""

import itertools

import numpy as np
import torch

from ..common.arrays import Floats
from ..datasets.augmentation import long_enough
from ..datasets.clip_dataset import Material
from ..network.model import MidlevelNetwork

BATCH = 16


def predict_material(network: MidlevelNetwork, material: Material) -> tuple[Floats, Floats]:
    """Mid-levels [clips, 7] and emotions [clips, 8] of whole clips, shorter ones repeated as they are to learn from.

    Neighbours of one length go in one batch, on the network's device.
    """
    network.eval()
    midlevel, emotions = [np.zeros((0, 7))], [np.zeros((0, 8))]
    with torch.inference_mode():
        for _, alike in itertools.groupby(map(long_enough, material.spectrograms), key=len):
            sounds = np.stack(list(alike))
            for start in range(0, len(sounds), BATCH):
                m, e = network(torch.from_numpy(sounds[start : start + BATCH].astype(np.float32)).to(network.device))
                midlevel.append(m.cpu().numpy())
                emotions.append(e.cpu().numpy())
    return np.concatenate(midlevel).astype(float), np.concatenate(emotions).astype(float)
