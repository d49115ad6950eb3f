"""Which stretches of a track stand for it: all of a short one, of a long one evenly spread parts."""

from dataclasses import dataclass

import numpy as np
import pytest
from moodfader.engine.excerpts.stretches import (
    EXCERPT_S,
    WHOLE_S,
    WIDE_S,
    few_stretches,
    spread_stretches,
    wide_stretches,
)
from moodfader.models.common.constants import SAMPLE_RATE

LENGTHS_S = (0.4, 4.0, 9.99, 10.0, 10.01, 45.4, 59.9, 60.0, 60.01, 61.7, 119.0, 225.175, 299.9, 300.0, 300.1, 3600.0)


@dataclass(frozen=True)
class Sounding:
    """What the functions ask of a track: between which samples it sounds."""

    sounding: tuple[int, int]

    @property
    def sounding_s(self) -> float:
        return (self.sounding[1] - self.sounding[0]) / SAMPLE_RATE


def track_of(length_s: float) -> Sounding:
    """A track that begins with seven seconds of silence."""
    first = 7 * SAMPLE_RATE
    return Sounding((first, first + round(length_s * SAMPLE_RATE)))


@pytest.mark.parametrize("starts", [few_stretches, spread_stretches, wide_stretches])
@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_stretches_lie_between_the_silent_ends_and_are_evenly_spread(starts, length_s) -> None:
    track = track_of(length_s)
    first, end = (sample / SAMPLE_RATE for sample in track.sounding)
    begins, lengths = np.array(starts(track)).T
    assert (lengths > 0).all()
    assert begins[0] >= first
    assert begins[-1] + lengths[-1] <= end + 1e-6
    np.testing.assert_allclose(lengths, lengths[0])
    np.testing.assert_allclose(np.diff(begins), (begins[-1] - begins[0]) / max(len(begins) - 1, 1), rtol=1e-9)
    assert (np.diff(begins) >= lengths[0] - 1e-6).all(), "no moment counts twice"
    assert begins[0] - first == pytest.approx(end - begins[-1] - lengths[-1], abs=1e-6), (
        "as much is left at both ends"
    )


@pytest.mark.parametrize(
    ("starts", "whole_s"), [(few_stretches, EXCERPT_S), (spread_stretches, WHOLE_S), (wide_stretches, WIDE_S)]
)
@pytest.mark.parametrize("length_s", LENGTHS_S)
def test_short_tracks_are_taken_whole_and_as_much_of_long_ones(starts, whole_s, length_s) -> None:
    track = track_of(length_s)
    found = starts(track)
    if length_s <= whole_s:
        assert len(found) == 1
        assert found[0][0] == 7.0
        assert sum(length for _, length in found) == pytest.approx(track.sounding_s)
    else:
        assert len(found) > 1
        assert sum(length for _, length in found) == pytest.approx(whole_s)
