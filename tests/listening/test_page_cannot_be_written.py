"""A listening test that cannot be written leaves no sounds behind, and an earlier one as it was."""

import contextlib
import resource

import numpy as np
import pytest
from moodfader.control.listening.page import PAGE, SOUNDS, write_page
from moodfader.control.listening.pairs import Pair
from moodfader.models.common.errors import InputError

RATE = 22050


def pairs(seconds: float) -> list[Pair]:
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * RATE), 1)).astype(np.float32)
    short = sound[: RATE // 10]
    return [Pair("first", "happy", 1, short, short, RATE), Pair("second", "happy", 1, sound, sound, RATE)]


@contextlib.contextmanager
def files_of_at_most(size: int):
    """As on a disk that is full: writing fails beyond so many bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_left_of_a_test_that_does_not_fit_on_the_disk(tmp_path):
    with files_of_at_most(20_000), pytest.raises(InputError, match="cannot be written"):
        write_page(tmp_path / "test", pairs(2.0), seed=0)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_test_stays_where_the_new_one_does_not_fit(tmp_path):
    folder = tmp_path / "test"
    write_page(folder, pairs(0.2), seed=0)
    before = contents(folder)
    with files_of_at_most(20_000), pytest.raises(InputError, match="cannot be written"):
        write_page(folder, pairs(2.0), seed=1)
    assert contents(folder) == before


def test_sounds_of_an_earlier_test_go_when_the_new_one_is_complete(tmp_path):
    folder = tmp_path / "test"
    write_page(folder, pairs(0.2), seed=0)
    write_page(folder, pairs(0.3), seed=1)
    page = (folder / PAGE).read_text("utf-8")
    names = [path.name for path in (folder / SOUNDS).iterdir()]
    assert len(names) == 4
    assert all(name in page for name in names)
