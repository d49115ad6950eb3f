"""Do features mean what they are called: made-up listeners and made-up music, whose answers are known."""

import numpy as np
import pytest
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.datasets.perceptual import PERCEPTUAL_SCALES
from moodfader.models.datasets.table import Clip
from moodfader.models.evaluation.construct_validity import (
    closest_pair,
    feature_correlations,
    perceptual_ratings,
    scale_validity,
)
from moodfader.models.evaluation.parameter_sweeps import label_correlations, sweep_responses

ARTICULATION, TONAL, MODALITY = (MIDLEVEL.index(n) for n in ("articulation", "tonal_stability", "modality"))


@pytest.fixture
def rated():
    """60 excerpts: listeners agree with articulation and mode, and hear as key clarity what is called modality."""
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 1, (60, 7))
    ratings = {
        "articulation": 1 - predicted[:, ARTICULATION],
        "mode": 1 - predicted[:, MODALITY],
        "key_clarity": predicted[:, MODALITY],
    }
    clips = [
        Clip(path=None, group=str(i // 2), ratings={f"heard_{name}": v[i] for name, v in ratings.items()})
        for i in range(60)
    ]
    return predicted, clips


def test_scales_are_turned_so_that_positive_is_right(rated):
    predicted, clips = rated
    scales = perceptual_ratings(clips)
    assert np.isnan(scales[:, PERCEPTUAL_SCALES.index("density")]).all()
    np.testing.assert_allclose(scales[:, PERCEPTUAL_SCALES.index("mode")], predicted[:, MODALITY])
    found = scale_validity(predicted[None], scales, [clip.group for clip in clips], seed=0)
    assert set(found) == {"articulation", "mode", "key_clarity"}
    assert found["mode"].own == "modality"
    assert found["mode"].r["modality"].value == pytest.approx(1)
    assert found["mode"].is_valid
    assert found["articulation"].is_valid


def test_a_scale_that_goes_with_another_feature_does_not_hold(rated):
    predicted, clips = rated
    found = scale_validity(predicted[None], perceptual_ratings(clips), [clip.group for clip in clips], seed=0)[
        "key_clarity"
    ]
    assert found.own == "tonal_stability"
    assert found.closest_other == "modality"
    assert found.margin["modality"].high < 0
    assert not found.is_valid


def test_two_features_that_are_one():
    rng = np.random.default_rng(1)
    predicted = rng.normal(size=(2, 50, 7))
    predicted[:, :, TONAL] = -predicted[:, :, MODALITY]
    predicted[1, 7] = np.nan  # a clip without a judge
    between = feature_correlations(predicted)
    assert between.shape == (7, 7)
    assert closest_pair(between) == ("tonal_stability", "modality", pytest.approx(-1))


@pytest.fixture
def turned():
    """Eight series of articulation and eight of modality, five steps each; the network hears the first in both."""
    rng = np.random.default_rng(3)
    known, qualities, series = [], [], []
    for column, quality in ((ARTICULATION, "articulation"), (MODALITY, "modality")):
        for number in range(8):
            others = rng.uniform(0, 1, 7)
            for value in np.linspace(0, 1, 5):
                others[column] = value
                known.append(others.copy())
                qualities.append(quality)
                series.append(f"{quality} {number}")
    known = np.array(known)
    predicted = np.full((1, len(known), 7), 0.5) + 0.001 * rng.normal(size=(1, len(known), 7))
    predicted[0, :, ARTICULATION] += 0.4 * known[:, ARTICULATION]
    predicted[0, :, MODALITY] += 0.2 * known[:, ARTICULATION]  # the wrong one
    return predicted, known, qualities, series


def test_a_quality_that_is_heard_and_one_that_is_not(turned):
    found = sweep_responses(*turned, turned[3], seed=0)
    assert set(found) == {"articulation", "modality"}
    right, wrong = found["articulation"], found["modality"]
    assert (right.clips, right.series) == (40, 8)
    assert right.within.value == pytest.approx(1, abs=0.05)
    assert right.pooled.value > 0.95
    assert right.slopes["articulation"].value == pytest.approx(0.4, abs=0.01)
    assert right.slopes["modality"].value == pytest.approx(0.2, abs=0.01), "it leaks, and the matrix shows it"
    assert abs(wrong.slopes["modality"].value) < 0.01
    assert wrong.pooled.low < 0.5


def test_a_prediction_that_does_not_move_has_no_order(turned):
    predicted, known, qualities, series = turned
    still = sweep_responses(np.full_like(predicted, 0.5), known, qualities, series, series, seed=0)
    assert still["modality"].within.value == 0


def test_known_music_without_series(turned):
    predicted, known, _, series = turned
    assert sweep_responses(predicted, known, [""] * 80, [""] * 80, series, seed=0) == {}
    found = label_correlations(predicted, known, series, seed=0)
    assert found["articulation"].value > 0.99
    assert set(found) == set(MIDLEVEL)
