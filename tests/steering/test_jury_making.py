"""How judges are made: on small material whose answer is known."""

import numpy as np
import pytest
import torch
from moodfader.models.jury.fit import fit_readout
from moodfader.models.jury.judges import LinearReadout
from moodfader.models.jury.material import JuryMaterial, Source
from moodfader.models.jury.networks import JudgeNetwork
from moodfader.models.jury.train import train_judge
from moodfader.models.training.losses import load_published_layer


def material(clips: int = 40, seconds: float = 1.0) -> tuple[JuryMaterial, np.ndarray]:
    """Sounds that hold seven numbers, which are the features; and how to read them."""
    rng = np.random.default_rng(0)
    layer, bias = (tensor.numpy() for tensor in load_published_layer())

    def source(kind: str) -> Source:
        features = rng.uniform(0.2, 0.8, (clips, 7)).astype(np.float32)
        noise = rng.normal(0, 0.1, (clips, round(22050 * seconds))).astype(np.float32)
        noise[:, :7] = features
        targets = features @ layer.T + bias if kind == "emotions" else features
        return Source(list(noise), targets.astype(np.float32))

    made = JuryMaterial(source("emotions"), source("emotions"), source("features"), source("features"))
    return made, layer


@pytest.mark.parametrize("axes", [None, 7])
def test_readout_finds_the_features_behind_emotions(axes) -> None:
    made, layer = material()
    readout = LinearReadout(fit_readout(made, lambda sound: sound[:7], ridge=1e-6, axes=axes))
    features = np.random.default_rng(1).uniform(0.3, 0.7, (5, 7)).astype(np.float32)
    said = np.stack([readout(row) for row in features])
    np.testing.assert_allclose(said[:, :7] - said[:1, :7], features - features[:1], atol=0.02)
    np.testing.assert_allclose(said[:, 7:] - said[:1, 7:], (features - features[:1]) @ layer.T, atol=0.01)


@pytest.mark.parametrize("kind", ["statistics", "recurrent"])
def test_network_learns_the_same_from_the_same_seed(kind) -> None:
    made, _ = material(12)
    first, again = (train_judge(made, kind, steps=3, seed=4) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    network = JudgeNetwork(kind)
    network.load_state_dict(first)
    midlevel, emotions = network.eval()(torch.zeros(1, 100, 96))
    assert midlevel.shape == (1, 7)
    assert emotions.shape == (1, 8)
    other = train_judge(made, kind, steps=3, seed=5)
    assert any(not torch.equal(first[name], other[name]) for name in first)
