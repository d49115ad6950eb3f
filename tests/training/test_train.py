"""Training: the same seed gives the same weights, an interrupted run ends where a whole one does, and it learns."""

import numpy as np
import pytest
import torch
from moodfader.models.common.constants import CLIP_FRAMES, EMOTIONS, MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError
from moodfader.models.datasets.augmentation import augment, crop
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets, load_spectrograms
from moodfader.models.datasets.perceptual import SCALE_TO_FEATURE
from moodfader.models.datasets.table import Clip
from moodfader.models.evaluation.metrics import column_correlations
from moodfader.models.inference.checkpoint import read_checkpoint, save_model
from moodfader.models.inference.predict_clips import predict_clips
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.training.batches import TrainingSource
from moodfader.models.training.losses import (
    MAX_FEATURE_CORRELATION,
    SYNTHETIC_FEATURE_WEIGHTS,
    LabelCalibration,
    correlation_penalty,
    load_published_layer,
    training_loss,
)
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import new_network, train, training_record

TINY = TrainingSettings(threads=1, epochs=2, steps_per_epoch=2, seed=3)


def material(count, *, frames=60, seed=0):
    """Spectrograms whose roughness is their energy; the rest is by chance."""
    rng = np.random.default_rng(seed)
    clips, spectrograms = [], []
    for _ in range(count):
        level, rough = rng.uniform(0.1, 0.9, 2)
        pixels = level * (1 - rough * rng.random((frames, N_BANDS)))
        spectrograms.append(pixels.astype(np.float16))
        ratings = dict.fromkeys(EMOTIONS, 0.4) | {"energy": rough, "known_modality": level}
        clips.append(Clip(path=None, group="g", ratings=ratings))
    return ClipDataset(spectrograms, build_targets(clips))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    sources = [TrainingSource("made", material(6), 4)]
    first = train(sources, TINY)
    assert same(first, train(sources, TINY))
    assert not same(first, train(sources, TrainingSettings(threads=1, epochs=2, steps_per_epoch=2, seed=4)))


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    sources = [TrainingSource("made", material(6), 4)]
    whole = train(sources, TrainingSettings(threads=1, epochs=3, steps_per_epoch=2))

    class StoppedError(Exception):
        pass

    def stop(epoch, loss):
        if epoch == 2:
            raise StoppedError

    state = tmp_path / "run.state"
    with pytest.raises(StoppedError):
        train(sources, TrainingSettings(threads=1, epochs=3, steps_per_epoch=2), state=state, progress=stop)
    finished = []
    resumed = train(
        sources,
        TrainingSettings(threads=1, epochs=3, steps_per_epoch=2),
        state=state,
        progress=lambda e, _: finished.append(e),
    )
    assert finished == [3], "two epochs were already done"
    assert same(resumed, whole)
    with pytest.raises(InputError, match="other settings or material"):
        train(sources, TINY, state=state)
    state.write_bytes(b"broken")
    with pytest.raises(InputError, match="cannot be read"):
        train(sources, TrainingSettings(threads=1, epochs=3, steps_per_epoch=2), state=state)


def test_it_learns_what_can_be_heard():
    made = material(24)
    losses = []
    settings = TrainingSettings(
        threads=1,
        epochs=3,
        steps_per_epoch=25,
        averaging=0.5,
        dropout=0.0,
        layer="free",
        consistency=0,
        architecture="small",
    )
    network = train([TrainingSource("made", made, 8)], settings, progress=lambda _, loss: losses.append(loss))
    energy = [EMOTIONS.index("energy")]
    predicted = predict_clips(network, made)[1][:, energy]
    assert column_correlations(predicted, made.targets["emotions"][:, energy])[0] > 0.5
    assert losses[-1] < losses[0] / 2


def test_a_fixed_layer_stays_as_published():
    network = train(
        [TrainingSource("made", material(4), 4)],
        TrainingSettings(threads=1, epochs=1, steps_per_epoch=2, layer="fixed"),
    )
    weight, bias = load_published_layer()
    torch.testing.assert_close(network.emotions.weight.detach(), weight, atol=0, rtol=0)
    torch.testing.assert_close(network.emotions.bias.detach(), bias, atol=0, rtol=0)
    assert weight[EMOTIONS.index("happy"), MIDLEVEL.index("modality")] < 0, "minor is not happy"


def test_a_start_is_taken_over_but_for_its_last_layer(tmp_path):
    path = tmp_path / "start.safetensors"
    before = new_network(TrainingSettings(seed=8))
    with torch.no_grad():
        before.emotions.weight.fill_(9.0)
        before.emotions.bias.fill_(9.0)
    save_model(before, path, record={})
    settings = TrainingSettings(seed=1, start=path)
    begun = new_network(settings)
    kept, taken = before.state_dict(), begun.state_dict()
    for name in taken:
        assert torch.equal(taken[name], kept[name]) == (not name.startswith("emotions."))
    torch.testing.assert_close(begun.emotions.weight, load_published_layer()[0])
    record = training_record([TrainingSource("made", material(6), 4)], settings)
    assert record["settings"]["start"] == read_checkpoint(path).digest
    with pytest.raises(InputError, match="its architecture is modulation, not small"):
        new_network(TrainingSettings(architecture="small", start=path))


@pytest.mark.slow
def test_music_of_known_qualities_alone_is_learned_on_its_own_scale():
    """Without any other scale the line between mid-levels and qualities stays what it is: none."""
    sources = [TrainingSource("known:0:made", material(6), 4)]
    targets = sources[0].material.targets
    targets["emotions"][:] = np.nan
    network = train(sources, TrainingSettings(threads=1, epochs=12, steps_per_epoch=10, learning_rate=1e-2))
    predicted, _ = predict_clips(network, sources[0].material)
    k = MIDLEVEL.index("modality")
    assert np.abs(predicted[:, k] - targets["known"][:, k]).mean() < 0.12


@pytest.mark.parametrize("rated", [0, 1])
def test_an_error_in_the_mode_or_the_key_counts_more(rated):
    network, heads = new_network(TINY).eval(), LabelCalibration()
    made = material(3)
    made.targets["known"][:] = np.random.default_rng(5).random((3, len(MIDLEVEL)))
    made.targets["known"][:rated] = np.nan
    batch = torch.from_numpy(np.stack(made.spectrograms).astype(np.float32))
    targets = {head: torch.from_numpy(values) for head, values in made.targets.items()}
    known = targets["known"].requires_grad_()
    training_loss(network, heads, network.pooled(batch), targets, torch.ones(3)).backward()
    assert SYNTHETIC_FEATURE_WEIGHTS["modality"] > SYNTHETIC_FEATURE_WEIGHTS["tonal_stability"] > 1
    error = (known - network(batch)[0])[rated:].detach()
    counts = torch.tensor([SYNTHETIC_FEATURE_WEIGHTS[name] for name in MIDLEVEL])
    torch.testing.assert_close(known.grad[rated:], 2 * counts * error / len(error))


def test_features_may_not_be_one():
    rng = torch.Generator().manual_seed(0)
    apart = torch.randn(4000, 7, generator=rng)
    assert correlation_penalty(apart) == 0
    one = apart.clone()
    one[:, 3] = 0.2 - 0.5 * one[:, 1]
    assert correlation_penalty(one).item() == pytest.approx((1 - MAX_FEATURE_CORRELATION) ** 2, rel=1e-3)


def test_ratings_find_their_heads():
    clips = [
        Clip(path=None, group="", ratings={"valence": 0.7, "modality": 0.2, "known_modality": 0.9, "heard_mode": 0.8})
    ]
    targets = build_targets(clips)
    column = MIDLEVEL.index("modality")
    assert targets["emotions"][0, EMOTIONS.index("valence")] == pytest.approx(0.7)
    assert targets["midlevel"][0, column] == pytest.approx(0.2)
    assert targets["known"][0, column] == pytest.approx(0.9)
    assert targets["heard"][0, column] == pytest.approx(0.2), "rated from minor to major: turned around"
    assert np.isnan(targets["heard"][0]).sum() == 6
    assert {feature for feature, _ in SCALE_TO_FEATURE.values()} <= set(MIDLEVEL)


def test_crops_and_changes_keep_what_must_be_kept():
    rng = np.random.default_rng(0)
    short = np.arange(50)[:, None].repeat(N_BANDS, 1).astype(np.float16)
    looped = crop(short, rng)
    assert looped.shape == (CLIP_FRAMES, N_BANDS)
    np.testing.assert_array_equal(looped[:, 0], np.arange(CLIP_FRAMES) % 50)
    batch = np.stack([crop(np.tile(short, (10, 1)) / 100, rng) for _ in range(4)])
    out = augment(batch, rng)
    assert out.shape == batch.shape
    assert out.dtype == np.float32
    assert (out >= 0).all()
    assert not augment(np.zeros((1, CLIP_FRAMES, N_BANDS), np.float32), rng).any(), "silence stays silence"


def test_a_short_excerpt_is_judged_as_it_was_learned_from_and_not_with_silence_around():
    network = MidlevelNetwork("small").eval()
    rng = np.random.default_rng(1)
    sounds = [rng.random((frames, N_BANDS)).astype(np.float16) for frames in (150, 400)]
    material = ClipDataset([sounds[0], np.tile(sounds[0], (3, 1))[:CLIP_FRAMES], sounds[1]], {})
    short, whole, longer = predict_clips(network, material)[0]
    np.testing.assert_array_equal(short, whole)
    with torch.inference_mode():
        expected = network(torch.from_numpy(sounds[1][None].astype(np.float32)))[0]
    np.testing.assert_allclose(longer, expected[0].numpy(), atol=1e-6)


def test_reading_clips_and_their_stretches(tmp_path):
    sound = np.sin(np.arange(4 * 22050) / 7).astype(np.float32)
    clips = [Clip(path=tmp_path / "a", group=""), Clip(path=tmp_path / "a", group="", start_s=1.0, length_s=2.0)]
    reads = []
    whole, part = load_spectrograms(clips, lambda path: reads.append(path) or sound).spectrograms
    assert len(reads) == 1, "a file is read once"
    first = round(22050 / 704)
    np.testing.assert_array_equal(part, whole[first : first + round(2 * 22050 / 704)])


def test_correlations_leave_out_what_is_not_rated():
    predicted = np.array([[1.0], [2], [3], [9]])
    assert column_correlations(predicted, [[2.0], [4], [6], [np.nan]])[0] == pytest.approx(1)
    assert np.isnan(column_correlations(predicted, [[2.0], [4], [np.nan], [np.nan]])[0])
