"""Narrow fields: what they look like, and that they put right at the network what handles leave undone."""

import numpy as np
import pytest
import torch
from moodfader.engine.file_targets.gain_map import Trajectory, gain_map
from moodfader.engine.file_targets.narrow_fields import narrow_fields
from moodfader.engine.file_targets.targets import Targets, fields_beside, solve_targets, target_excerpts
from moodfader.engine.steering.excerpts import Excerpts
from moodfader.engine.steering.handles import HANDLES
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.inference.checkpoint import load_model

RATE = 22050
TARGETS = Targets({"tender": 0.15}, ("energy", "happy"))


@pytest.fixture(scope="module")
def listeners():
    return own_listeners(load_model())


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Chords that change every second over soft noise, struck twice a second: 6 s."""
    rng = np.random.default_rng(8)
    time = np.arange(6 * RATE) / RATE
    roots = np.array([220.0, 174.6, 196.0, 220.0, 146.8, 164.8])[time.astype(int)]
    tones = sum(np.sin(2 * np.pi * roots * ratio * time) for ratio in (1, 1.25, 1.5, 2, 4.02)) / 5
    strokes = np.exp(-4 * (time % 0.5)) * np.minimum(1, 200 * (time % 0.5))
    return np.asarray(0.6 * strokes * tones + rng.normal(0, 0.02, len(time)), np.float32)


class Louder:
    """Says of a spectrogram the level of its lower and of its upper bands."""

    name = "louder"

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return torch.stack((spectrogram[:, :70].mean(), spectrogram[:, 80:].mean()))


def test_a_field_is_the_smoothed_gradient_of_its_own_output() -> None:
    picture = np.random.default_rng(0).uniform(0.1, 0.3, (40, 149)).astype(np.float32)
    low, high = narrow_fields(picture, Louder(), [0, 1])
    for field, own, other in ((low, slice(0, 66), slice(76, None)), (high, slice(84, None), slice(0, 70))):
        assert (field[:, own] > 0).all()
        np.testing.assert_array_equal(field[:, other], 0)
        assert np.abs(field).max() <= 1
    assert np.abs(np.diff(low[:, :66], axis=0)).max() < 0.2 * low[:, :66].mean()


def test_the_network_is_put_right_and_the_others_stay(sound, listeners) -> None:
    rows = [len(MIDLEVEL) + EMOTIONS.index(name) for name in TARGETS.names]
    found = {}
    for kind, excerpts in (
        ("handles", Excerpts([sound], listeners)),
        ("both", target_excerpts([sound], listeners, TARGETS)),
    ):
        coefficients = solve_targets(excerpts, TARGETS, max_rms_db=3.0)
        assert excerpts.rms_db(coefficients) <= 3.01
        found[kind] = (excerpts.measure(coefficients) - excerpts.before)[:, rows]
    wanted = np.array([0.15, 0.0, 0.0])
    missed = {kind: float(np.abs(moved[0] - wanted).max()) for kind, moved in found.items()}
    assert missed["both"] < 0.75 * missed["handles"], missed
    assert np.abs(found["both"][1:, 0] - found["handles"][1:, 0]).max() < 0.03


def test_fields_of_a_long_map_are_those_of_its_pieces(sound, listeners) -> None:
    """The map of a track that is longer than a piece: made, without a seam, and of every field."""
    excerpts = target_excerpts([sound], listeners, TARGETS)
    picture = np.tile(np.random.default_rng(1).uniform(0.05, 0.3, (300, 149)).astype(np.float32), (9, 1))
    more = fields_beside(listeners[0], TARGETS.names)
    coefficients = np.zeros(len(HANDLES) + len(TARGETS.names))
    coefficients[len(HANDLES)] = 6.0
    assert len(coefficients) == len(excerpts.metric)
    made = gain_map(picture, Trajectory(np.zeros(1), coefficients[None]), more=more)
    assert made.labels.shape == picture.shape
    assert 0.5 < made.rms_db < 6.0
