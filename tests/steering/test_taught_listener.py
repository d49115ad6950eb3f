"""The taught listener: how it is fitted to what a teacher answers, and what the weights that ship say."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from moodfader.control.experiments.listeners import make_taught_listener
from moodfader.control.experiments.listeners.responses import (
    EXCERPT_S,
    FIELDS,
    excerpt_of,
    fit_to_responses,
    heard_under_fields,
    random_field,
)
from moodfader.engine.steering.handles import HANDLES, LIMIT_DB
from moodfader.engine.steering.listeners import LinearListener, all_statistics, broad_statistics
from moodfader.models.common.constants import N_BANDS, SAMPLE_RATE


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


def test_slopes_are_found_by_how_a_teacher_answers_fields() -> None:
    """Not by how clean excerpts differ, of which it says something else."""
    rng = np.random.default_rng(0)
    slopes = rng.normal(0, 1, (5, 15))
    clean = rng.normal(0, 3, (60, 1, 5))
    moved = rng.normal(0, 0.3, (60, FIELDS, 1, 5)) * np.array([[1.0], [-1.0]])
    statistics = np.concatenate((clean, clean + moved.reshape(60, -1, 5)), 1)
    values = np.concatenate((np.zeros((60, 1, 15)), moved.reshape(60, -1, 5) @ slopes), 1)
    values += rng.normal(0, 5, (60, 1, 15))  # what it says of the excerpt itself
    found = fit_to_responses(statistics.astype(np.float32), values.astype(np.float32), ridge=1e-9)
    np.testing.assert_allclose(found["slopes"] / found["deviation"][:, None], slopes, atol=1e-4)
    np.testing.assert_allclose(found["offset"], values[:, 0].mean(0), atol=1e-5)


def test_fields_are_heard_both_ways_and_as_loud_as_without() -> None:
    """The teacher is given sound, of which it says level and brightness; white noise keeps the one."""

    def teacher(sound: np.ndarray) -> np.ndarray:
        return np.array([np.sqrt((sound**2).mean()), np.abs(np.diff(sound)).mean() / np.abs(sound).mean()])

    rng = np.random.default_rng(3)
    statistics, values = heard_under_fields([(noise(1.5), rng)], broad_statistics, teacher)
    assert statistics.shape == (1, 1 + 2 * FIELDS, 80)
    assert values.shape == (1, 1 + 2 * FIELDS, 2)
    plain, moved = values[0, 0], values[0, 1:] - values[0, 0]
    assert plain[0] == pytest.approx(0.1, abs=0.002)
    assert np.abs(moved[:, 0]).max() < 0.02  # as loud to the ear, about as loud to the teacher
    both = moved[:, 1].reshape(FIELDS, 2)
    assert (both[:, 0] * both[:, 1] < 0).any()  # brighter by a field, darker by the opposite one
    assert np.ptp(both) > 0.01


def test_random_fields_are_of_the_size_that_faders_have() -> None:
    handles = np.random.default_rng(0).uniform(-1, 1, (len(HANDLES), 40, N_BANDS)).astype(np.float32)
    sizes = [float(np.sqrt((random_field(handles, np.random.default_rng(seed)) ** 2).mean())) for seed in range(40)]
    assert 1.5 < min(sizes) < max(sizes) <= 5.0
    assert np.abs(random_field(handles, np.random.default_rng(0))).max() <= LIMIT_DB


def test_excerpts_are_of_one_length_and_of_long_sounds_only() -> None:
    rng = np.random.default_rng(0)
    sound = noise(EXCERPT_S + 2)
    excerpt = excerpt_of(sound, rng)
    assert excerpt is not None
    assert len(excerpt) == round(EXCERPT_S * SAMPLE_RATE)
    assert excerpt_of(sound[:SAMPLE_RATE], rng) is None


def test_weights_that_ship_say_what_they_said_when_they_were_made() -> None:
    listener = LinearListener("taught", all_statistics)
    picture = torch.from_numpy(np.random.default_rng(5).uniform(0, 0.5, (60, N_BANDS)).astype(np.float32))
    said = listener(picture)
    assert said.shape == (15,)
    np.testing.assert_allclose(said[:4].numpy(), REFERENCE, atol=2e-3)
    slopes = listener.gradients(picture, [1])[0]
    step = 3e-4 * slopes / slopes.abs().max()
    moved = float(listener(picture + step)[1] - said[1])
    assert moved == pytest.approx(float((slopes * step).sum()), rel=0.1)


REFERENCE = (0.5127, 0.4632, 0.5469, 0.5001)
"""The first four features, by the weights of version 0.16.0."""


def test_recordings_of_the_tables_are_left_out() -> None:
    assert {"038", "108", "180", "248", "319", "rock_061", "pop_001"} <= make_taught_listener.LEFT_OUT
    assert len(make_taught_listener.LEFT_OUT) == 32


def test_what_is_missing_is_said_in_a_line(tmp_path) -> None:
    command = [sys.executable, "-m", "moodfader.control.experiments.listeners.make_taught_listener"]
    few = subprocess.run(command, capture_output=True, text=True, check=False)
    assert few.returncode == 2
    assert "six paths are needed" in few.stderr
    names = ("data", "known", "known", "musicnn.safetensors", "vgg.safetensors", "out")
    none = [str(tmp_path / name) for name in names]
    run = subprocess.run([*command, *none], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "musicnn.safetensors: not the weights of MSD_musicnn" in run.stderr
    assert "Traceback" not in run.stderr
