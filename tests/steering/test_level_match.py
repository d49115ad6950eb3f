"""Excerpts under gains are as loud as before by the measure that written files are matched by."""

import numpy as np
import pytest
from moodfader.engine.audio.loudness import LoudnessMeter
from moodfader.engine.excerpts.array_path import ArrayPath
from moodfader.engine.excerpts.level_match import level_match
from moodfader.models.common.filterbank import frame_count

RATE = 22050


def loudness(sounds) -> float:
    meter = LoudnessMeter(RATE, 1)
    for sound in sounds:
        meter.add(np.asarray(sound, np.float32)[:, None])
    return meter.integrated()


def noise(seconds: float, level: float, seed: int) -> np.ndarray:
    return (level * np.random.default_rng(seed).normal(0, 1, round(seconds * RATE))).astype(np.float32)


def lifted(sound: np.ndarray, gains_db) -> np.ndarray:
    """A gain field whose gain changes from part to part of the sound."""
    frames = frame_count(len(sound)) + 1
    parts = np.asarray(gains_db, np.float32)[np.arange(frames) * len(gains_db) // frames]
    return np.repeat(parts[:, None], 149, axis=1)


@pytest.mark.parametrize("gains_db", [(0, 12), (12, 0), (-9, 6), (3, 20)])
def test_quiet_parts_that_get_louder_count_as_in_the_file(gains_db) -> None:
    """Half of it lies 20 dB below the rest, under the gate: lifting it adds power, but no loudness."""
    sound = np.concatenate((noise(4, 0.1, 0), noise(4, 0.01, 1)))
    path = ArrayPath(sound)
    steered, energies = path.steered(lifted(sound, gains_db))
    gain = level_match([path.energies], [energies])
    assert loudness([gain * steered]) == pytest.approx(loudness([sound]), abs=0.1)


def test_excerpts_are_one_track() -> None:
    """One that is lifted above the other stays so, and all of them together are as loud as before."""
    sounds = [noise(3, 0.05, 2), noise(3, 0.05, 3)]
    paths = [ArrayPath(sound) for sound in sounds]
    steered = [path.steered(lifted(sound, [db])) for path, sound, db in zip(paths, sounds, (6, -6), strict=True)]
    gain = level_match([path.energies for path in paths], [energies for _, energies in steered])
    first, second = (gain * sound for sound, _ in steered)
    assert loudness([first, second]) == pytest.approx(loudness(sounds), abs=0.1)
    assert loudness([first]) - loudness([second]) == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.0])
def test_short_and_silent_sounds(seconds) -> None:
    """Shorter than a block of 400 ms: all of it counts. Silence stays as it is."""
    path = ArrayPath(noise(seconds, 0.1, 4))
    assert level_match([path.energies], [path.energies]) == pytest.approx(1.0)
    assert level_match([path.energies], [4 * path.energies]) == pytest.approx(0.5)
    silent = ArrayPath(np.zeros(round(seconds * RATE), np.float32))
    assert level_match([silent.energies], [silent.energies]) == 1.0
