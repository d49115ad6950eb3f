"""Narrow fields: what they look like, and that they put right at the network what handles leave undone."""

import numpy as np
import pytest
import torch
from helpers.gain_fields import map_field
from moodfader.engine.file_targets.gain_map import GainMap, KeptFields, Trajectory, gain_map
from moodfader.engine.file_targets.narrow_fields import NarrowFields
from moodfader.engine.file_targets.targets import Targets, TargetSolution, narrow_fields, solve_targets
from moodfader.engine.file_targets.trajectory import joined
from moodfader.engine.steering.handle_excerpts import HandleExcerpts
from moodfader.engine.steering.handles import HANDLES
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.inference.threads import torch_threads
from moodfader.models.network.spectrogram import LogSpectrogram

RATE = 22050
TARGETS = Targets({"tender": 0.1}, ("energy", "happy"))
ROWS = [len(MIDLEVEL) + EMOTIONS.index(name) for name in TARGETS.names]
WANTED = np.array([0.1, 0.0, 0.0])


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


@pytest.fixture(scope="module")
def excerpts(sound, listeners) -> HandleExcerpts:
    return HandleExcerpts([sound], listeners)


@pytest.fixture(scope="module")
def solution(excerpts) -> TargetSolution:
    return solve_targets(excerpts, TARGETS, max_rms_db=3.0)


class Louder:
    """Says of a spectrogram the level of its lower and of its upper bands."""

    name = "louder"

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return torch.stack((spectrogram[:, :70].mean(), spectrogram[:, 80:].mean()))


def test_a_field_is_the_smoothed_gradient_of_its_own_output() -> None:
    picture = np.random.default_rng(0).uniform(0.1, 0.3, (40, 149)).astype(np.float32)
    picture[:, 70:80] = 1.5  # where nearly all the power is, so that fields hardly change the loudness elsewhere
    low, high = NarrowFields(Louder(), [0, 1]).at(picture)
    for field, own, other in ((low, slice(0, 66), slice(84, None)), (high, slice(84, None), slice(0, 66))):
        assert (field[:, own] > 0).all()
        assert (field[:, other] <= 0).all()  # (the whole is as loud as before)
        assert field[:, own].mean() > 4 * np.abs(field[:, other]).mean()
        assert np.abs(field).max() <= 1
    assert np.abs(np.diff(low[:, :66], axis=0)).max() < 0.2 * low[:, :66].mean()


def test_fields_are_other_ones_under_a_gain_field(sound, listeners) -> None:
    picture = np.asarray(LogSpectrogram()(torch.from_numpy(sound)))
    makes = NarrowFields(listeners[0], ROWS[:1])
    (plain,), (under,) = makes.at(picture), makes.at(picture, np.where(np.arange(149) < 60, 6.0, -6.0) + 0 * picture)
    assert plain.shape == under.shape
    assert np.corrcoef(plain.ravel(), under.ravel())[0, 1] < 0.9


def test_the_network_is_put_right_and_the_others_stay(excerpts, solution, sound, listeners) -> None:
    handles = np.zeros_like(solution.coefficients)
    handles[: len(HANDLES)] = solution.coefficients[: len(HANDLES)]
    moved = {
        kind: (excerpts.measure(coefficients) - excerpts.before)[:, ROWS]
        for kind, coefficients in (("handles", handles), ("all", solution.coefficients))
    }
    assert excerpts.rms_db(solution.coefficients) <= 3.01
    missed = {kind: float(np.abs(shifts[0] - WANTED).max()) for kind, shifts in moved.items()}
    assert missed["all"] < 0.06 * 0.1 < 0.5 * missed["handles"], missed
    assert solution.missed == pytest.approx(missed["all"] / 0.1, abs=1e-3)
    assert np.abs(moved["all"][1:, 0] - moved["handles"][1:, 0]).max() < 0.05


def test_a_stage_more_comes_nearer_to_what_a_correction_asks(sound, listeners) -> None:
    excerpts = HandleExcerpts([sound], listeners)
    first = solve_targets(excerpts, TARGETS, max_rms_db=3.0)
    then = solve_targets(excerpts, TARGETS, max_rms_db=3.0, correction={"tender": 0.02}, start=first)
    moved = (excerpts.measure(then.coefficients) - excerpts.before)[0, ROWS]
    np.testing.assert_allclose(moved, [0.12, 0, 0], atol=0.06 * 0.1)
    assert len(first.bases) < len(then.bases) <= len(first.bases) + 2


def test_what_is_far_beyond_the_gain_ends_soon(sound, listeners) -> None:
    excerpts = HandleExcerpts([sound], listeners)
    found = solve_targets(excerpts, Targets({"happy": 0.9}), max_rms_db=0.5)
    assert found.missed > 0.5
    assert found.coefficients[: len(HANDLES)].any()
    assert excerpts.rms_db(found.coefficients) <= 0.5001


def trajectory_of(solution: TargetSolution) -> Trajectory:
    return Trajectory(np.zeros(1), solution.coefficients[None], tuple(base[None] for base in solution.bases))


def test_the_map_of_a_track_has_the_fields_of_its_excerpts(sound, listeners, excerpts, solution) -> None:
    picture = np.asarray(LogSpectrogram()(torch.from_numpy(sound)))
    made = gain_map(picture, trajectory_of(solution), narrow=narrow_fields(listeners[0], TARGETS.names))
    off = (map_field(made) - excerpts.fields_db(solution.coefficients)[0]).abs()
    assert float(off.mean()) < 0.05  # (rounded to tenths)
    assert float(off.max()) < 0.6  # (a unit of the network that turns on by rounding moves a few pixels)
    assert made.rms_db == pytest.approx(excerpts.rms_db(solution.coefficients), rel=0.01)


def test_fields_of_a_long_map_are_those_of_its_pieces(listeners, solution) -> None:
    """The map of a track that is longer than a piece: made, of every field, with any number of threads."""
    picture = np.tile(np.random.default_rng(1).uniform(0.05, 0.3, (300, 149)).astype(np.float32), (9, 1))
    narrow = narrow_fields(listeners[0], TARGETS.names)

    def made(threads: int) -> GainMap:
        with torch_threads(threads):
            return gain_map(picture, trajectory_of(solution), narrow=narrow)

    one, two = made(1), made(2)
    assert one.labels.shape == picture.shape
    assert 0.5 < one.rms_db < 8.0
    np.testing.assert_array_equal(one.labels, two.labels)
    assert one.rms_db == pytest.approx(two.rms_db)


def test_a_map_that_goes_on_from_another_is_the_same_with_kept_fields(sound, listeners, solution) -> None:
    picture = np.asarray(LogSpectrogram()(torch.from_numpy(sound)))
    narrow = narrow_fields(listeners[0], TARGETS.names)
    further = TargetSolution(
        np.concatenate((0.9 * solution.coefficients, [5.0, 1.0, -2.0])), (*solution.bases, solution.coefficients)
    )
    kept = KeptFields()
    gain_map(picture, trajectory_of(solution), narrow=narrow, kept=kept)
    assert kept.fields(0, trajectory_of(solution).bases) is not None
    assert kept.fields(0, trajectory_of(solution).bases[1:]) is None
    plain, quick = (gain_map(picture, trajectory_of(further), narrow=narrow, kept=one) for one in (None, kept))
    np.testing.assert_allclose(map_field(quick), map_field(plain), atol=0.6)
    assert float((map_field(quick) - map_field(plain)).abs().mean()) < 0.01


def test_solutions_with_other_numbers_of_stages_are_joined() -> None:
    handles = len(HANDLES)
    plain = TargetSolution(np.zeros(handles))
    staged = TargetSolution(np.arange(handles + 2.0), (np.arange(handles) + 1.0,))
    path = joined(np.array([0.0, 10.0]), [plain, staged], outputs=2)
    assert path.coefficients.shape == (2, handles + 2)
    np.testing.assert_array_equal(path.coefficients[0], 0)
    np.testing.assert_array_equal(path.bases[0], [np.zeros(handles), np.arange(handles) + 1.0])
