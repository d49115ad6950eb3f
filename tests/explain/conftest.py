"""Fixtures of the tests of explanations: a small spectrogram, and a network that is linear in it."""

import dataclasses

import numpy as np
import pytest
from moodfader.models.common.constants import N_BANDS
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import new_network
from torch import nn


@pytest.fixture(scope="session")
def spectrogram():
    """Forty frames with some structure, so that segments are not all alike."""
    rng = np.random.default_rng(4)
    rough = rng.random((8, 15)).repeat(5, 0).repeat(10, 1)[:, :N_BANDS]
    return (rough + 0.2 * rng.random(rough.shape)).astype(np.float32)


@pytest.fixture(scope="session")
def linear_model(random_model):
    """A network of a trunk alone, without its ReLUs: its prediction is linear in the spectrogram."""
    network = new_network(TrainingSettings(architecture="small", seed=5)).eval().requires_grad_(False)
    network.trunk = nn.Sequential(*(nn.Identity() if isinstance(m, nn.ReLU) else m for m in network.trunk))
    model = dataclasses.replace(random_model)
    vars(model)["network"] = network  # (where it is kept once it is built)
    return model
