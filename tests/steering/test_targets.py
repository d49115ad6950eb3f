"""Targets: what is refused, and the solver on problems whose answer is known."""

import numpy as np
import pytest
from moodfader.engine.file_targets.curve import read_curve
from moodfader.engine.file_targets.targets import Targets, hardly_apart
from moodfader.engine.steering.newton import newton_rounds
from moodfader.engine.steering.solver import solve
from moodfader.models.common.constants import EMOTIONS
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model


@pytest.mark.parametrize(
    ("toward", "keep", "message"),
    [
        ({}, (), "no emotion is asked for"),
        ({"tendr": 0.1}, (), "did you mean tender"),
        ({"tender": 0.1}, ("Tender",), "to be moved and to be kept"),
        ({"tender": float("nan")}, (), "out of range"),
        ({"tender": 10.0}, (), "out of range"),
        ({"tender": 0.1}, ("energetic",), "no emotion is called"),
        ({"tender": 0.0}, (), "zero"),
    ],
)
def test_refused_targets(toward, keep, message) -> None:
    with pytest.raises(InputError, match=message):
        Targets(toward, keep)


def test_what_can_hardly_be_told_apart_is_said_beforehand() -> None:
    model = load_model()
    all_others = tuple(name for name in EMOTIONS if name != "tender")
    line = hardly_apart(model, Targets({"tender": 0.1}, all_others))
    assert line is not None
    assert "tender +0.10 with valence, energy" in line
    assert "would have to move by" in line
    assert hardly_apart(model, Targets({"tender": 0.1}, ("energy",))) is None
    assert hardly_apart(model, Targets({"tender": 0.05, "tension": 0.05})) is None
    assert hardly_apart(model, Targets({"tender": 0.4, "tension": 0.4})) is not None


def test_names_are_forgiving() -> None:
    targets = Targets({" Tender ": 0.1}, ("ENERGY", "energy"))
    assert dict(targets.toward) == {"tender": 0.1}
    assert targets.keep == ("energy",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with the line"),
        ("time,tender\n0,0.1\n", "begins with the line"),
        ("time_s\n0\n", "begins with the line"),
        ("time_s,tender\n", "0 rows"),
        ("time_s,tendr\n0,0.1\n", "did you mean tender"),
        ("time_s,tender,tender\n0,0.1,0.1\n", "two columns"),
        ("time_s,tender\n0,0.1\n2\n", "row 3: 1 cells"),
        ("time_s,tender\n0,0.1\n2,\n", "row 3: tender is '', not a number"),
        ("time_s,tender\n0,nan\n", "not a number"),
        ("time_s,tender\n0,0.1\n2,0.2\n1,0.3\n", "row 4: time_s 1 does not follow"),
        ("time_s,tender\n-1,0.1\n", "row 2"),
        ("time_s,tender\n0,7\n", "outside"),
        ("time_s,tender\n0,0\n5,0\n", "all its shifts are zero"),
        ("time_s,tender\n30,0.1\n", "in seconds"),
    ],
)
def test_refused_curves(text, message, tmp_path) -> None:
    path = tmp_path / "cue.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_curve(path, duration_s=10.0)
    assert str(path) in str(error.value) or "emotion is called" in str(error.value)


def test_curve_is_read(tmp_path) -> None:
    path = tmp_path / "cue.csv"
    path.write_text("\ufeffTime_S, tender ,Tension\n0,0,0\n\n4,0.1,-0.05\n", encoding="utf-8")
    curve = read_curve(path)
    assert curve.emotions == ("tender", "tension")
    np.testing.assert_allclose(curve.times_s, [0, 4])
    assert curve.mean(4.0)["tender"] == pytest.approx(0.05, abs=1e-4)
    assert curve.mean(8.0)["tension"] == pytest.approx(-0.0375, abs=1e-4)


def test_a_miss_that_is_not_shown_is_none() -> None:
    targets = Targets({"tension": 0.0005})
    assert targets.reached({"tension": 0.0009})
    assert not targets.reached({"tension": 0.0012})


def solved(measure, jacobian, targets, metric, **more):
    return solve(
        measure,
        jacobian,
        targets,
        metric,
        **{"rms_of": lambda c: float(np.sqrt(c @ metric @ c)), "max_rms_db": 100.0, **more},
    )


def test_linear_problem_takes_one_try_and_the_least_gain() -> None:
    rng = np.random.default_rng(0)
    jacobian, targets = rng.normal(size=(3, 15)), rng.normal(size=3)
    root = rng.normal(size=(15, 15))
    metric = root @ root.T
    found = solved(lambda c: jacobian @ c, jacobian, targets, metric, ridge=0.0)
    assert found.tries == 1
    np.testing.assert_allclose(jacobian @ found.coefficients, targets, atol=1e-5)
    inverse = np.linalg.inv(metric)
    least = inverse @ jacobian.T @ np.linalg.solve(jacobian @ inverse @ jacobian.T, targets)
    np.testing.assert_allclose(found.coefficients, least, rtol=1e-3, atol=1e-5)


def test_broyden_corrects_what_bends() -> None:
    rng = np.random.default_rng(1)
    jacobian = rng.normal(size=(2, 15)) * 0.01
    targets = np.array([0.1, -0.05])

    def bent(c):
        straight = jacobian @ c
        return straight - 1.5 * straight * np.abs(straight)

    plain = solved(bent, jacobian, targets, np.eye(15), tries=1)
    found = solved(bent, jacobian, targets, np.eye(15))
    assert plain.error > 0.1
    assert found.error < 0.02
    assert found.tries <= 6


def test_gain_is_not_exceeded_and_the_nearest_is_taken() -> None:
    jacobian = np.full((1, 15), 0.001)
    found = solved(lambda c: jacobian @ c, jacobian, np.array([1.0]), np.eye(15), max_rms_db=5.0)
    size = float(np.sqrt(found.coefficients @ found.coefficients))
    assert 4.5 < size <= 5.0
    assert found.moved[0] == pytest.approx(0.001 * np.sqrt(15) * size, rel=1e-6)


def test_firm_rows_are_met_and_soft_ones_take_what_gain_is_left() -> None:
    """Two soft rows, one of which answers to little: it is reached as far as the other, more or less."""
    rng = np.random.default_rng(2)
    slopes = 0.02 * rng.normal(size=(4, 15))
    slopes[3] *= 0.3
    targets = np.array([0.05, 0.0, 0.5, 0.5])
    soft = np.array([False, False, True, True])
    small = solved(lambda c: slopes @ c, slopes, targets, np.eye(15), soft=soft, max_rms_db=3.0)
    large = solved(lambda c: slopes @ c, slopes, targets, np.eye(15), soft=soft, max_rms_db=6.0)
    for found in (small, large):
        np.testing.assert_allclose(found.moved[:2], targets[:2], atol=1e-3)
    assert np.linalg.norm(small.coefficients) <= 3.0
    assert (large.moved[2:] > small.moved[2:]).all()
    alone = solved(lambda c: slopes[:3] @ c, slopes[:3], targets[:3], np.eye(15), soft=soft[:3], max_rms_db=3.0)
    assert small.moved[3] > slopes[3] @ alone.coefficients


def corrected(measure, jacobian, targets, *, start, **more):
    return newton_rounds(
        measure,
        lambda c: jacobian,
        targets,
        np.eye(jacobian.shape[1]),
        start=start,
        **{"rms_of": np.linalg.norm, "max_rms_db": 100.0, "rounds": 2, **more},
    )


def test_correction_ends_at_once_where_all_is_right() -> None:
    slopes = np.array([[0.01, 0.0], [0.0, 0.02]])
    found = corrected(lambda c: slopes @ c, slopes, np.array([0.1, 0.1]), start=np.array([10.0, 5.0]))
    assert found.tries == 1
    np.testing.assert_array_equal(found.coefficients, [10.0, 5.0])


def test_correction_takes_the_smallest_steps() -> None:
    rng = np.random.default_rng(6)
    slopes = 0.01 * rng.normal(size=(3, 15))
    targets, start = np.array([0.1, 0.0, 0.0]), rng.normal(size=15)

    def bent(c):
        straight = slopes @ c
        return straight - straight * np.abs(straight)

    found = corrected(bent, slopes, targets, start=start)
    assert 1 < found.tries <= 7
    assert found.error < 0.02
    step = found.coefficients - start
    along = np.linalg.pinv(slopes) @ (slopes @ step)  # (what moves no row is not moved)
    np.testing.assert_allclose(step, along, atol=1e-3)


@pytest.mark.parametrize(
    "content",
    [
        b"time_s;tender\r\n0;0,05\r\n\r\n4;-0,1\r\n",
        b"sep=;\r\ntime_s;tender\r\n0;0.05\r\n4;-0.1\r\n",
        "time_s\ttender\n0\t0,05\n4\t-0,1\n".encode("utf-16"),
    ],
)
def test_a_curve_saved_by_a_spreadsheet_is_read(tmp_path, content) -> None:
    path = tmp_path / "cue.csv"
    path.write_bytes(content)
    curve = read_curve(path)
    np.testing.assert_allclose(curve.times_s, [0, 4])
    np.testing.assert_allclose(curve.shifts[:, 0], [0.05, -0.1])


def test_rows_of_a_curve_are_counted_as_a_spreadsheet_does(tmp_path) -> None:
    path = tmp_path / "cue.csv"
    path.write_text("time_s,tender\n\n0,0.1\n\n2,x\n")
    with pytest.raises(InputError, match="row 5: tender is 'x'"):
        read_curve(path)


def test_an_emotion_of_a_curve_that_is_none_is_told_with_the_file(tmp_path) -> None:
    path = tmp_path / "cue.csv"
    path.write_text("time_s,hapy\n0,0.1\n")
    with pytest.raises(InputError, match=r"cue\.csv: no emotion is called 'hapy': did you mean happy"):
        read_curve(path)
