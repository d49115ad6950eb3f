"""The last layer fitted at once, felt emotions through a line, and a teacher's embeddings."""

import numpy as np
import pytest
import torch
from moodfader.models.common.constants import EMOTIONS, N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets
from moodfader.models.datasets.table import Clip
from moodfader.models.datasets.teacher_embeddings import read_embeddings, with_embeddings
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.training.batches import TrainingSource, draw, with_components
from moodfader.models.training.distillation import COMPONENTS, EmbeddingHead, embedding_loss, principal_components
from moodfader.models.training.emotion_layer import RatedFeatures, refit, ridge_towards
from moodfader.models.training.feature_scale import widen_features
from moodfader.models.training.losses import LabelCalibration, training_loss
from torch import nn


def test_ridge_towards_a_prior_lies_between_it_and_least_squares():
    rng = np.random.default_rng(0)
    features, weights = rng.random((200, 7)), rng.uniform(0.5, 2, 200)
    truth = rng.standard_normal(8)
    ratings = features @ truth[:-1] + truth[-1]
    design = np.column_stack([features, np.ones(200)])
    prior = np.zeros(8)
    np.testing.assert_allclose(ridge_towards(prior, design, ratings, weights, strength=1e-12), truth, atol=1e-6)
    held = ridge_towards(prior, design, ratings, weights, strength=1e9)
    np.testing.assert_allclose(held[:-1], 0, atol=1e-6)
    assert held[-1] == pytest.approx(np.average(ratings, weights=weights)), "the constant is free"
    np.testing.assert_allclose(ridge_towards(truth, design, ratings, weights, strength=5.0), truth, atol=1e-9)


def test_features_that_are_all_but_constant_leave_the_slopes_near_the_prior():
    rng = np.random.default_rng(2)
    features = 0.5 + 1e-4 * rng.standard_normal((200, 7))  # of a network that has learned nothing yet
    design = np.column_stack([features, np.ones(200)])
    prior = rng.standard_normal(8)
    fitted = ridge_towards(prior, design, rng.random(200), np.ones(200), strength=0.2)
    np.testing.assert_allclose(fitted[:-1], prior[:-1], atol=0.1)


def test_the_layer_is_refitted_where_there_are_ratings():
    rng = np.random.default_rng(1)
    layer = nn.Linear(7, 8)
    before = layer.weight.detach().clone()
    truth = rng.standard_normal((8, 7))
    features = rng.random((60, 7))
    ratings = features @ truth.T
    ratings[:, 3] = np.nan
    ratings[::2, 4] = np.nan
    refit(layer, [RatedFeatures(features, ratings, np.ones_like(ratings))], strength=1e-9)
    rated = [k for k in range(8) if k != 3]
    np.testing.assert_allclose(layer.weight.detach().numpy()[rated], truth[rated], atol=1e-3)
    assert torch.equal(layer.weight[3], before[3])


def test_ratings_of_another_scale_do_not_move_the_constant():
    rng = np.random.default_rng(3)
    layer, truth = nn.Linear(7, 8), rng.standard_normal((8, 7))
    features = rng.random((90, 7))
    ratings = features @ truth.T + 0.2
    weights = np.ones_like(ratings)
    parts = [
        RatedFeatures(features[:20], ratings[:20], weights[:20]),
        RatedFeatures(features[20:], ratings[20:] + 5.0, weights[20:], absolute=False),
    ]
    refit(layer, parts, strength=1e-9)
    np.testing.assert_allclose(layer.weight.detach().numpy(), truth, atol=1e-3)
    np.testing.assert_allclose(layer.bias.detach().numpy(), 0.2, atol=1e-3)


def test_felt_emotions_are_tied_by_a_line_and_weighted():
    clips = [
        Clip(path=None, group="", ratings={"felt_tender": v, "felt_happy": 0.5}, weight=w)
        for v, w in ((0.9, 1), (0.1, 3))
    ]
    targets = {head: torch.from_numpy(values) for head, values in build_targets(clips).items()}
    torch.manual_seed(0)
    network, heads = MidlevelNetwork("small").eval(), LabelCalibration()
    k = EMOTIONS.index("tender")
    assert targets["felt"][:, k].tolist() == pytest.approx([0.9, 0.1])
    with torch.no_grad():
        heads.slope["felt"][k], heads.offset["felt"][k] = np.log(2.0), 0.1
        back, slope = heads.undone("felt", heads("felt", torch.full((2, 8), 0.3)))
        torch.testing.assert_close(back, torch.full((2, 8), 0.3))
        assert slope[k] == pytest.approx(2.0)
        pooled = torch.rand(2, 7)
        _, emotions = network.read(pooled)
        errors = (heads("felt", emotions) - torch.nan_to_num(targets["felt"])) ** 2
        errors = errors[:, [EMOTIONS.index("happy"), k]].sum(1)
        once = training_loss(network, heads, pooled, targets, torch.ones(2))
        weighted = training_loss(network, heads, pooled, targets, torch.tensor([1.0, 3.0]))
        torch.testing.assert_close(weighted - once, 2 * errors[1] / 2)


@pytest.mark.parametrize("architecture", ["modulation", "small"])
def test_widened_features_leave_the_emotions_as_they_are(architecture):
    torch.manual_seed(3)
    network = MidlevelNetwork(architecture).eval()
    sounds = torch.rand(12, 64, N_BANDS) * torch.linspace(0.2, 1.2, 12).view(-1, 1, 1)
    with torch.inference_mode():
        before = network.pooled(sounds)
        emotions = network.emotions(before)
    factors = widen_features(network, before.double().numpy(), spread=0.1)
    with torch.inference_mode():
        after = network.pooled(sounds)
        torch.testing.assert_close(network.emotions(after), emotions, atol=1e-4, rtol=1e-4)
    assert (factors > 1).all(), "those of a network that has learned nothing are narrow"
    np.testing.assert_allclose(after.double().numpy().std(0), 0.1, rtol=1e-3)
    torch.testing.assert_close(after.mean(0), before.mean(0), atol=1e-4, rtol=1e-4)
    assert (widen_features(network, after.double().numpy(), spread=0.05) == 1).all()


def test_components_and_their_head():
    rng = np.random.default_rng(2)
    low = rng.standard_normal((80, 5)) @ rng.standard_normal((5, 30))
    embeddings = low.astype(np.float32)
    embeddings[7] = np.nan
    parts = principal_components(embeddings)
    assert parts.shape == (80, COMPONENTS)
    assert np.isnan(parts[7]).all()
    kept = np.delete(parts, 7, 0)
    assert kept.var(0).sum() == pytest.approx(1, rel=1e-3)
    assert np.abs(kept[:, 5:]).max() < 1e-3, "what has five dimensions has five components"

    network = MidlevelNetwork("modulation").train()
    head = EmbeddingHead(network)
    network.pooled(torch.rand(3, 64, N_BANDS))
    predicted = head()
    assert predicted.shape == (3, COMPONENTS)
    target = torch.zeros(3, COMPONENTS)
    target[1] = float("nan")
    loss = embedding_loss(predicted, target)
    torch.testing.assert_close(loss, predicted[[0, 2]].square().sum(1).mean())
    loss.backward()
    assert network.trunk[0].weight.grad.abs().max() > 0
    assert embedding_loss(predicted.detach(), torch.full((3, COMPONENTS), float("nan"))) == 0


def test_a_teachers_embeddings_are_found_by_name(tmp_path):
    path = tmp_path / "teacher.npz"
    np.savez(
        path,
        film_numbers=[2, 31],
        film_mean=np.arange(8.0).reshape(2, 4),
        songs_files=["audio/rock_001.ogg"],
        songs_mean=np.ones((1, 4)),
        songs_tags=np.ones((1, 3)),
    )
    found = read_embeddings(path)
    clips = [
        Clip(path=tmp_path / name, group="", length_s=length)
        for name, length in (("002.ogg", None), ("rock_001.mp3", None), ("x.ogg", None), ("031.ogg", 5.0))
    ]
    sounds = [np.zeros((40, N_BANDS), np.float16)] * 4
    dataset = with_embeddings(ClipDataset(sounds, build_targets(clips)), clips, found)
    assert dataset.embeddings[0].tolist() == [0, 1, 2, 3]
    assert dataset.embeddings[1].tolist() == [1, 1, 1, 1]
    assert np.isnan(dataset.embeddings[2:]).all(), "no such clip; a stretch of one"
    batch = draw(with_components([TrainingSource("a", dataset, 3)]), np.random.default_rng(0), "cpu")
    assert batch.components.shape == (3, COMPONENTS)
    assert with_embeddings(dataset, clips[2:3], found) is dataset
    np.savez(path, film_mean=np.ones((2, 4)))
    with pytest.raises(InputError, match="film_mean needs"):
        read_embeddings(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a readable"):
        read_embeddings(path)
