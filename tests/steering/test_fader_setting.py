"""Several faders as one setting, also where the masks alone cannot bring it about."""

from importlib.resources import files

import numpy as np
import pytest
import soundfile
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.segment_mask import SEGMENT_LIMIT_DB
from moodfader.engine.excerpts.stretches import placed_excerpts, spread_stretches
from moodfader.engine.steering.faders.levels import LEVELS_DB
from moodfader.engine.steering.faders.segment_excerpts import SegmentExcerpts
from moodfader.engine.steering.faders.setting import sum_of_faders
from moodfader.engine.steering.faders.setting_solver import (
    GOOD,
    STARTS,
    correct_setting,
    solve_setting,
    starting_setting,
)
from moodfader.engine.steering.faders.slope_fields import even_fields
from moodfader.engine.steering.listeners import NetworkListener
from moodfader.engine.steering.newton import damped_newton
from moodfader.models.inference.checkpoint import load_model

ASKED_PER_DB = 0.003


@pytest.fixture(scope="module")
def excerpts(tmp_path_factory):
    """Four seconds of the track that ships, in segments of 16 frames and 15 bands."""
    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=4 * 44100)
    path = tmp_path_factory.mktemp("music") / "demo.wav"
    soundfile.write(path, sound, rate, subtype="FLOAT")
    track = load_track(path)
    frames, bands = np.divmod(np.arange(127 * 149), 149)
    segments = (frames // 16 * 10 + bands // 15).reshape(127, 149).astype(np.int32)
    return SegmentExcerpts(placed_excerpts(track, spread_stretches(track)), segments, [NetworkListener(load_model())])


def few_masks(excerpts) -> tuple[np.ndarray, np.ndarray]:
    """Faders whose masks are three fields in all, and no mask of the explanation: seven features cannot be met."""
    fields = np.random.default_rng(3).normal(0, 0.5, (len(excerpts.sizes), 3)).astype(np.float32)
    return fields[:, np.arange(14) % 3], np.zeros((len(fields), 7), np.float32)


def linear_response() -> np.ndarray:
    """What the faders say of themselves: their own feature, ASKED_PER_DB for each dB."""
    return np.asarray(LEVELS_DB, np.float32)[None, :, None] * ASKED_PER_DB * np.eye(7, dtype=np.float32)[:, None, :]


def test_what_masks_cannot_do_gradients_add(excerpts) -> None:
    faders = np.array([4, -6, -3, 0, -5, 0, 0], np.float32)
    masks, explained = few_masks(excerpts)
    found = solve_setting(faders, masks, explained, linear_response(), None, excerpts, lambda: excerpts)
    np.testing.assert_allclose(found.asked, ASKED_PER_DB * faders, atol=1e-6)
    assert found.error < GOOD
    moved = excerpts.predict(found.gains_db) - excerpts.before  # (as it says, and gains within the limit)
    np.testing.assert_allclose(found.moved, moved[0, :7], atol=1e-5)


def test_no_gradient_fields_where_the_excerpts_are_a_part_of_the_track(excerpts, monkeypatch) -> None:
    """Then all gains are sums of masks, so that the rest of the track gets them too."""
    masks, explained = few_masks(excerpts)
    monkeypatch.setattr("moodfader.engine.steering.faders.setting_solver.NARROW_COVER", 1.1)
    faders = np.array([4, -6, -3, 0, -5, 0, 0], np.float32)
    found = solve_setting(faders, masks, explained, linear_response(), None, excerpts, lambda: excerpts)
    fields = masks[:, :3].astype(np.float64)
    left = found.gains_db - fields @ np.linalg.lstsq(fields, found.gains_db, rcond=None)[0]
    assert np.abs(left).max() < 1e-3
    assert found.error > GOOD


def test_a_setting_is_put_right_by_more_of_the_track(excerpts) -> None:
    """Faders added up miss what they ask of these excerpts; what is kept of the correction says what was added."""
    masks = np.random.default_rng(4).normal(0, 0.5, (len(excerpts.sizes), 14)).astype(np.float32)
    by_segment = excerpts.slopes([(0, output) for output in range(7)], np.zeros(len(masks), np.float32))
    explained = (by_segment / np.abs(by_segment).max(1, keepdims=True)).T.astype(np.float32)
    slopes = by_segment @ np.concatenate((masks, explained), axis=1)
    added = sum_of_faders(np.array([4, -3, 0, 0, 2, 0, 0], np.float32), masks, linear_response())
    missed = np.linalg.norm((excerpts.predict(added.gains_db) - excerpts.before)[0, :7] - added.asked)
    found = correct_setting(added, masks, explained, slopes.astype(np.float32), excerpts)
    moved = excerpts.predict(found.gains_db) - excerpts.before
    np.testing.assert_allclose(found.moved, moved[0, :7], atol=1e-5)
    assert np.linalg.norm(found.moved - found.asked) < missed / 3
    np.testing.assert_allclose(found.gains_db - found.correction_db, added.gains_db, atol=1e-4)


def test_effects_of_the_segments_add_what_masks_cannot_do(excerpts) -> None:
    """Masks of three fields in all: with seven more a setting comes near, within the limit of the gains."""
    masks, explained = few_masks(excerpts)
    by_segment = excerpts.slopes([(0, output) for output in range(7)], np.zeros(len(masks), np.float32))
    slopes = (by_segment @ np.concatenate((masks, explained), axis=1)).astype(np.float32)
    even = even_fields(by_segment, excerpts.sizes)
    begun = sum_of_faders(np.array([3, -4, -2, 0, -3, 0, 0], np.float32), masks, linear_response(), share=STARTS[1])
    plain = correct_setting(begun, masks, explained, slopes, excerpts)
    more = correct_setting(begun, masks, explained, slopes, excerpts, extra=(even, by_segment @ even.T))
    moved = excerpts.predict(more.gains_db) - excerpts.before
    np.testing.assert_allclose(more.moved, moved[0, :7], atol=1e-5)
    assert more.error < 0.3
    assert more.error < plain.error / 2
    assert np.abs(more.gains_db).max() <= SEGMENT_LIMIT_DB


def test_even_fields_go_along_the_slopes_and_hardly_further_where_these_are_steep() -> None:
    rng = np.random.default_rng(8)
    slopes, sizes = rng.normal(size=(3, 200)) ** 3, rng.uniform(0.5, 1.5, 200)
    sizes[:20] = 0
    sizes /= sizes.sum()
    found = even_fields(slopes, sizes)
    np.testing.assert_allclose(found**2 @ sizes, 1)
    np.testing.assert_array_equal(found[:, :20], 0)
    np.testing.assert_array_equal(np.sign(found[:, 20:]), np.sign(slopes[:, 20:]))
    steep = np.abs(slopes[:, 20:] / sizes[20:])
    assert (np.abs(found).max(1) < steep.max(1) / np.sqrt((steep**2).mean(1))).all()


def test_what_a_segment_adds_to_the_level_is_taken_back_from_all(excerpts) -> None:
    """All segments alike change nothing, and a segment's share of the power is what filters say it is."""
    slopes = np.random.default_rng(9).normal(size=(7, len(excerpts.sizes)))
    found = excerpts.loudness_matched_slopes(slopes)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-9)
    shares = ((slopes - found) / slopes.sum(1)[:, None])[0]
    strongest = np.argsort(shares)[-8:]
    (path,), (labels,) = excerpts._paths, excerpts._labels
    for segment in strongest:
        louder = path.steered((labels == segment).astype(np.float32))[1].sum() / path.energies.sum()
        assert 10 * np.log10(louder) == pytest.approx(shares[segment], rel=0.3)


def test_damping_comes_near_where_whole_steps_go_astray() -> None:
    """One row hardly answers at the start, and bends; the slopes are a little wrong, as stored ones are."""

    def measure(x):
        return np.array([np.tanh(x[0]) + 0.1 * x[1] ** 2, 0.02 * x[1] + 0.05 * x[1] ** 3])

    targets = np.array([0.5, 0.1])
    slopes = np.array([[0.9, 0.05], [0.0, 0.03]])
    coefficients, moved = damped_newton(
        measure, slopes, targets, np.eye(2), start=np.zeros(2), tries=20, tolerance=0.01
    )
    np.testing.assert_allclose(moved, measure(coefficients))
    assert np.linalg.norm(moved - targets) <= 0.01 * np.linalg.norm(targets)


def test_a_last_small_step_is_not_measured() -> None:
    """It goes where a measured one would have gone, and what it moves is what the slopes say."""
    measured = []

    def measure(x):
        measured.append(x)
        return np.array([x[0] + 0.1 * x[0] ** 2, x[1]])

    targets, slopes = np.array([1.0, 0.4]), np.array([[0.9, 0.0], [0.1, 1.0]])
    tries = {}
    for unmeasured in (0.0, 0.1):
        measured.clear()
        found = damped_newton(
            measure,
            slopes,
            targets,
            np.eye(2),
            start=np.zeros(2),
            tries=9,
            tolerance=0.004,
            unmeasured=unmeasured,
        )
        tries[unmeasured] = len(measured)
        np.testing.assert_allclose(found[1], targets, atol=0.01)
        np.testing.assert_allclose(measure(found[0]), targets, atol=0.03)
    assert tries[0.1] < tries[0.0]


def test_several_faders_begin_with_a_share_of_their_sum(excerpts) -> None:
    masks = np.random.default_rng(6).normal(0, 0.5, (len(excerpts.sizes), 14)).astype(np.float32)
    for faders in ([6, 0, 0, 0, 0, 0, 0], [6, 0, -3, 0, 0, 0, 0]):
        several = np.array(faders, np.float32)
        begun, whole = (make(several, masks, linear_response()) for make in (starting_setting, sum_of_faders))
        share = STARTS[0] if np.count_nonzero(faders) > 1 else 1.0
        np.testing.assert_allclose(begun.gains_db, share * whole.gains_db, atol=1e-4)
        np.testing.assert_allclose(begun.gains_db - begun.correction_db, whole.gains_db, atol=1e-4)
        np.testing.assert_array_equal(begun.asked, whole.asked)
    nothing = starting_setting(np.array([1, 1, 0, 0, 0, 0, 0], np.float32), masks, linear_response() * 0.01)
    np.testing.assert_allclose(nothing.correction_db, 0, atol=1e-6)
