"""Work in several threads: in order, bounded, and as many threads as there are cores for."""

import os
import threading

import pytest
from moodfader.models.inference.threads import MOST_THREADS, in_order, working_threads


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_order_and_few_are_ahead(threads) -> None:
    taken = []

    def items():
        for number in range(20):
            taken.append(number)
            yield number

    for expected, result in enumerate(in_order(lambda number: number**2, items(), threads=threads)):
        assert result == expected**2
        assert len(taken) <= expected + 1 + threads
    assert len(taken) == 20


def test_what_is_raised_is_raised_in_its_turn_and_ends_the_threads() -> None:
    before = threading.active_count()

    def divided(number: int) -> float:
        return 1 / (3 - number)

    results = in_order(divided, range(10), threads=2)
    assert [next(results) for _ in range(3)] == [1 / 3, 1 / 2, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert threading.active_count() == before


def test_a_reader_that_stops_early_ends_the_threads() -> None:
    before = threading.active_count()
    results = in_order(lambda number: number, range(100), threads=2)
    next(results)
    results.close()
    assert threading.active_count() == before


def test_there_are_no_more_threads_than_cores_or_than_were_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    for asked, threads in (("1", 1), ("3", 3), ("2,1", 2), ("99", MOST_THREADS), ("many", MOST_THREADS), ("0", 4)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert working_threads() == threads
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert working_threads() == MOST_THREADS
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert working_threads() == 2
