"""Waiting for what a test expects, however long a loaded machine takes for it."""

import time

PATIENCE_S = 120


def until(read, seconds=PATIENCE_S, *, step_s=0.02, instead=str):
    """Wait until `read` gives what is true; that. Where it does not: an error with what `instead` gives."""
    end = time.monotonic() + seconds
    while not (now := read()):
        assert time.monotonic() < end, f"it did not come to pass {instead()}"
        time.sleep(step_s)
    return now


def settled(read, seconds=PATIENCE_S):
    """What `read` gives once it gives the same twice, a third of a second apart."""
    end, last = time.monotonic() + seconds, read()
    while True:
        time.sleep(0.35)
        if (now := read()) == last:
            return now
        assert time.monotonic() < end, "it does not come to rest"
        last = now
