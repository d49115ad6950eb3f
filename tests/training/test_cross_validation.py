"""Cross-validation: every clip is judged by a network that has not heard it, and an interrupted run goes on."""

import numpy as np
import pytest
from moodfader.models.common.constants import EMOTIONS, N_BANDS
from moodfader.models.datasets.clip_dataset import ClipDataset, build_targets, material_digest
from moodfader.models.datasets.table import Clip
from moodfader.models.training.batches import TrainingSource
from moodfader.models.training.cross_validation import FoldEnsemble, single_model, train_folds
from moodfader.models.training.settings import TrainingSettings

TINY = TrainingSettings(threads=1, epochs=1, steps_per_epoch=1, seed=3)
PARTS = [[0, 1, 2], [3, 4, 5]]


@pytest.fixture(scope="module")
def material():
    rng = np.random.default_rng(0)
    spectrograms = [rng.random((60, N_BANDS)).astype(np.float16) for _ in range(6)]
    clips = [Clip(path=None, group="", ratings={n: float(rng.uniform()) for n in EMOTIONS}) for _ in range(6)]
    return ClipDataset(spectrograms, build_targets(clips))


class Sources:
    """Remembers what each network was given to learn from."""

    def __init__(self, material):
        self.material, self.asked = material, []

    def __call__(self, kept):
        self.asked.append(list(kept))
        return [TrainingSource("made", self.material.subset(kept), 2)]


def run(material, sources, folder=None, settings=TINY):
    digest = material_digest(material)
    return FoldEnsemble((tuple(train_folds(PARTS, 6, sources, settings, material=digest, folder=folder)),))


def test_no_clip_is_judged_by_a_network_that_learned_it(material):
    sources = Sources(material)
    jury = run(material, sources)
    assert sources.asked == [[3, 4, 5], [0, 1, 2]]
    midlevel, emotions = jury.predict_out_of_fold(material)
    assert midlevel.shape == (1, 6, 7)
    assert np.isfinite(emotions).all()
    first, second = (judge.network for judge in jury.runs[0])
    np.testing.assert_allclose(
        emotions[0, :3], single_model(first, 6).predict_out_of_fold(material)[1][0, :3], atol=1e-6
    )
    np.testing.assert_allclose(
        emotions[0, 3:], single_model(second, 6).predict_out_of_fold(material)[1][0, 3:], atol=1e-6
    )
    assert jury.predict_unseen(material)[0].shape == (2, 6, 7)


def test_some_of_the_clips_in_another_order(material):
    jury = run(material, Sources(material))
    whole = jury.predict_out_of_fold(material)[1]
    some = jury.predict_out_of_fold(material.subset([4, 1]), [4, 1])[1]
    np.testing.assert_allclose(some, whole[:, [4, 1]], atol=1e-6)


def test_clips_of_parts_that_were_not_tested_have_no_judge(material):
    jury = FoldEnsemble((run(material, Sources(material)).runs[0][:1],))
    emotions = jury.predict_out_of_fold(material)[1]
    assert np.isfinite(emotions[0, :3]).all()
    assert np.isnan(emotions[0, 3:]).all()


def test_finished_networks_are_not_trained_again(material, tmp_path):
    first = run(material, Sources(material), tmp_path).predict_out_of_fold(material)[1]
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == 2
    assert all(name.endswith(".safetensors") for name in kept)
    sources = Sources(material)
    again = run(material, sources, tmp_path).predict_out_of_fold(material)[1]
    assert sources.asked == []
    np.testing.assert_array_equal(first, again)
    (tmp_path / kept[1]).unlink()
    assert np.array_equal(run(material, sources, tmp_path).predict_out_of_fold(material)[1], first)
    assert sources.asked == [[0, 1, 2]], "only what was missing"


def test_other_settings_or_material_are_other_networks(material, tmp_path):
    run(material, Sources(material), tmp_path)
    other = ClipDataset(material.spectrograms, {**material.targets, "emotions": material.targets["emotions"] + 0.01})
    longer = TrainingSettings(threads=1, epochs=1, steps_per_epoch=2, seed=3)
    for changed, settings in ((other, TINY), (material, longer)):
        sources = Sources(changed)
        run(changed, sources, tmp_path, settings)
        assert len(sources.asked) == 2
    assert len(list(tmp_path.iterdir())) == 6


def test_a_damaged_network_is_not_believed(material, tmp_path):
    from moodfader.models.common.errors import InputError

    run(material, Sources(material), tmp_path)
    path = sorted(tmp_path.iterdir())[0]
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=path.name):
        run(material, Sources(material), tmp_path)
