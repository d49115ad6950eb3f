"""Blocks made and written in threads: in order, with their errors, and without threads that stay."""

import _thread
import signal
import subprocess
import sys
import threading

import pytest
from helpers.waiting import until
from moodfader.engine.audio.read_ahead import WriteBehind, read_ahead


def test_blocks_come_in_order_and_whole():
    assert list(read_ahead(range(1000))) == list(range(1000))
    assert list(read_ahead([])) == []


def test_an_error_comes_after_the_blocks_before_it():
    def blocks():
        yield 1
        yield 2
        raise ValueError("broken")

    reading = read_ahead(blocks())
    assert [next(reading), next(reading)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(reading)


def test_a_reader_that_stops_closes_the_source():
    closed = threading.Event()

    def blocks():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = _thread._count()
    reading = read_ahead(blocks())
    assert next(reading) == 0
    reading.close()
    assert closed.is_set()
    until(lambda: _thread._count() <= before)


def test_blocks_are_written_in_order():
    written = []
    with WriteBehind(written.append) as write:
        for block in range(100):
            write(block)
    assert written == list(range(100))


@pytest.mark.parametrize("more", [0, 3])
def test_an_error_of_the_writer_is_raised(more):
    def full(_block):
        raise OSError("full")

    def write_all():
        with WriteBehind(full) as write:
            for block in range(1 + more):
                write(block)

    with pytest.raises(OSError, match="full"):
        write_all()


def test_a_program_that_ends_does_not_wait_for_a_reader_that_nobody_has_closed():
    """At the interpreter's end other threads stand still."""
    code = """
import itertools
from moodfader.engine.audio.read_ahead import read_ahead

circle = [read_ahead(itertools.count())]
circle.append(circle)
next(circle[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


INTERRUPTED = """
import itertools, os, random, signal, sys, time
from moodfader.engine.audio.read_ahead import WriteBehind, read_ahead

random.seed(int(sys.argv[1]))
signal.signal(signal.SIGALRM, signal.default_int_handler)
interrupted, blocks = 0, None
while interrupted < 1000:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0003, 0.003))
        blocks = read_ahead(itertools.count())
        with WriteBehind(lambda block: None) as write:
            for block in blocks:
                write(block)
    except KeyboardInterrupt:
        interrupted += 1
        if blocks is not None:
            blocks.close()
print(interrupted)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer of the system's here")
def test_an_interrupt_at_any_moment_ends_both_threads():
    """Of the locks of `queue` and `concurrent.futures` about one interrupt in 200 left one taken for ever."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "0"], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("1000\n", "")
