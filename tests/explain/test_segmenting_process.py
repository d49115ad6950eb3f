"""A track that another process segments, while this one imports torch."""

import sys

import numpy as np
import pytest
from moodfader.engine.audio.track import load_track
from moodfader.engine.segmenting import helper_process
from moodfader.engine.segmenting.helper_process import is_worth_it, segmented_elsewhere
from moodfader.engine.segmenting.segmented_track import segmented_track


@pytest.fixture
def track(song):
    return load_track(song)


def test_the_other_process_segments_as_this_one(track):
    with segmented_elsewhere(track, method="watershed") as result:
        found = result()
    expected = segmented_track(track, method="watershed")
    assert found is not None
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.flags.writeable
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("executable", ["/bin/false", "/nowhere/python"])
def test_without_the_other_process_there_is_no_result(track, executable, monkeypatch):
    monkeypatch.setattr(sys, "executable", executable)
    with segmented_elsewhere(track, method="watershed") as result:
        assert result() is None


def test_a_process_that_ends_early_gives_no_result(track, monkeypatch):
    begun = []
    begin = helper_process._begun
    monkeypatch.setattr(helper_process, "_begun", lambda *values: begun.append(begin(*values)) or begun[0])
    with segmented_elsewhere(track, method="watershed") as result:
        begun[0].kill()
        assert result() is None


def test_an_interruption_ends_the_other_process(track, monkeypatch):
    begun = []
    begin = helper_process._begun
    monkeypatch.setattr(helper_process, "_begun", lambda *values: begun.append(begin(*values)) or begun[0])
    with pytest.raises(KeyboardInterrupt), segmented_elsewhere(track, method="watershed"):
        raise KeyboardInterrupt
    assert begun[0].returncode is not None


def test_it_is_for_when_torch_is_still_to_be_imported(track, monkeypatch):
    monkeypatch.setattr(helper_process, "working_threads", lambda: 2)
    assert not is_worth_it(track)  # (it is there)
    monkeypatch.delitem(sys.modules, "torch")
    assert is_worth_it(track)
    monkeypatch.setattr(helper_process, "working_threads", lambda: 1)
    assert not is_worth_it(track)
