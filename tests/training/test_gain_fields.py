"""Adversarial gain fields: their size, what they leave alone, that they fool, what training against them does."""

import numpy as np
import pytest
import torch
from moodfader.models.common.constants import EMOTIONS, N_BANDS
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets
from moodfader.models.datasets.table import Clip
from moodfader.models.network.layers import ChannelDropout, set_copies
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.network.spectrogram import apply_gain_db
from moodfader.models.training.batches import TrainingSource
from moodfader.models.training.gain_fields import (
    GAIN_LIMIT_DB,
    PerturbationBudget,
    adversarial_fields,
    in_cells,
    remove_level_and_tone,
    scaled,
    smooth,
)
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import train


def rms(fields):
    return fields.square().mean((1, 2)).sqrt()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MidlevelNetwork("small").eval().requires_grad_(False)


@pytest.fixture(scope="module")
def sounds():
    return torch.from_numpy(np.random.default_rng(1).random((6, 96, N_BANDS), np.float32))


def test_fields_are_as_large_as_asked_and_narrow(network, sounds):
    size = torch.full((6, 1, 1), 0.5)
    fields = adversarial_fields(network, sounds, size, np.random.default_rng(2))
    assert fields.abs().max() <= GAIN_LIMIT_DB
    torch.testing.assert_close(rms(fields), torch.tensor([0.5, 1.25] * 3), rtol=0.02, atol=0)
    assert fields.mean(2).abs().max() < 0.1 * fields.std(), "no frame gets louder as a whole"


def test_what_is_broad_is_taken_out():
    """Level, a tilt, an envelope go; narrow noise stays."""
    bands, frames = torch.linspace(-1, 1, N_BANDS), torch.linspace(0, 20, 96)
    noise = smooth(torch.randn(1, 96, N_BANDS, generator=torch.Generator().manual_seed(0)))
    broad = (1 + bands + 2 * torch.sin(frames)[:, None])[None]
    assert rms(remove_level_and_tone(broad)) < 0.15 * rms(broad)
    assert rms(remove_level_and_tone(noise)) > 0.95 * rms(noise)


def test_fields_move_the_features_more_than_random_ones(network, sounds):
    rng = np.random.default_rng(3)
    size = torch.full((6, 1, 1), 0.5)
    found = adversarial_fields(network, sounds, size, rng)
    noise = torch.from_numpy(rng.standard_normal(sounds.shape, np.float32))
    by_chance = scaled(remove_level_and_tone(smooth(noise)), rms(found).view(-1, 1, 1))
    before = network.pooled(sounds)
    moved = [(network.pooled(apply_gain_db(sounds, fields)) - before).abs().mean() for fields in (found, by_chance)]
    assert moved[0] > 3 * moved[1]


def test_finding_fields_leaves_the_network_as_it_was(sounds):
    torch.manual_seed(0)
    network = MidlevelNetwork("small", dropout=0.2).train()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    adversarial_fields(network, sounds, torch.ones(6, 1, 1), np.random.default_rng(0))
    assert network.training
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())


def test_the_same_seed_finds_the_same_fields(network, sounds):
    one, other = (adversarial_fields(network, sounds, torch.ones(6, 1, 1), np.random.default_rng(7)) for _ in "ab")
    assert torch.equal(one, other)


def test_cells_hold_the_sums_of_their_pixels():
    fields = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 60, N_BANDS), np.float32))
    cells = in_cells(fields, np.random.default_rng(1))
    for one, sums in zip(fields, cells, strict=True):
        for value in sums.unique():
            torch.testing.assert_close(one[sums == value].sum(), value, atol=1e-3, rtol=1e-3)
    assert 30 < len(cells[0].unique()) < 1000


def test_the_budget_grows():
    budget = PerturbationBudget((0.2, 1.5), (0.3, 3.0))
    for done, low, high in ((0.0, 0.2, 1.5), (1.0, 0.3, 3.0)):
        drawn = budget.draw(2000, done, np.random.default_rng(0))
        assert drawn.shape == (2000, 1, 1)
        assert low <= drawn.min() < low * 1.05
        assert high * 0.95 < drawn.max() <= high


def test_copies_lose_the_same_channels():
    dropout = ChannelDropout(0.5).train()
    x = torch.ones(6, 40, 3)
    set_copies(dropout, torch.tensor([2, 0]))
    torch.manual_seed(0)
    out = dropout(x)
    assert torch.equal(out[4:], out[[2, 0]])
    assert not torch.equal(out[0], out[1])
    assert out.mean() == pytest.approx(1, abs=0.15)
    assert torch.equal(dropout.eval()(x), x)


@pytest.mark.slow
def test_trained_against_them_a_network_is_moved_less():
    rng = np.random.default_rng(5)
    clips = [
        Clip(path=None, group="g", ratings=dict.fromkeys(EMOTIONS, 0.4) | {"energy": level})
        for level in rng.uniform(0.1, 0.9, 24)
    ]
    pixels = [(clip.ratings["energy"] * (0.5 + rng.random((60, N_BANDS)))).astype(np.float16) for clip in clips]
    source = TrainingSource("made", ClipDataset(pixels, build_targets(clips)), 8)
    moved = []
    for consistency in (0.0, 20.0):
        settings = TrainingSettings(
            architecture="small", threads=1, epochs=1, steps_per_epoch=30, consistency=consistency, copies=8
        )
        network = train([source], settings)
        sounds = torch.from_numpy(np.stack([np.resize(p, (96, N_BANDS)) for p in pixels[:8]])).float()
        with torch.no_grad():
            before = network.pooled(sounds)
        fields = adversarial_fields(network, sounds, torch.ones(8, 1, 1), np.random.default_rng(9))
        with torch.no_grad():
            moved.append(float((network.pooled(apply_gain_db(sounds, fields)) - before).abs().mean()))
    assert moved[1] < 0.8 * moved[0]
