"""The pool of processes: one dead worker costs one task, workers are kept, large ones are replaced."""

import os
import signal
import time
from concurrent.futures import wait

import pytest
from moodfader.engine.batch.common.errors import WorkerDiedError
from moodfader.engine.batch.executors.process_pool import ProcessPool


@pytest.fixture
def pool():
    opened = ProcessPool(2)
    yield opened
    opened.shutdown(cancel_futures=True)


def test_workers_are_started_once(pool):
    futures = [pool.submit(os.getpid) for _ in range(40)]
    assert {future.result() for future in futures} <= set(pool.pids)
    assert pool.replaced == 0


def test_a_dead_worker_costs_its_task_only(pool):
    before = [pool.submit(abs, -number) for number in range(10)]
    dead = pool.submit(os.kill, 0, 0)  # (to its own group: nothing happens)
    killed = [pool.submit(os._exit, 7), pool.submit(os.abort)]
    after = [pool.submit(abs, -number) for number in range(10)]
    assert [future.result() for future in before + after] == [*range(10), *range(10)]
    assert dead.result() is None
    with pytest.raises(WorkerDiedError, match="code 7"):
        killed[0].result()
    with pytest.raises(WorkerDiedError, match=f"signal {signal.SIGABRT.value}"):
        killed[1].result()


def test_a_worker_that_is_killed_while_it_waits_costs_nothing(pool):
    assert pool.submit(abs, -1).result() == 1
    os.kill(pool.pids[0], signal.SIGKILL)
    assert [pool.submit(abs, -number).result() for number in range(6)] == list(range(6))


def test_errors_come_back(pool):
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result()
    assert pool.submit(divmod, 7, 2).result() == (3, 1)


def test_a_worker_that_has_grown_is_replaced():
    fresh = ProcessPool(1)  # (its size depends on what other tests of this process have preloaded)
    fresh.submit(abs, 1).result()
    fresh.shutdown()
    pool = ProcessPool(1, memory_limit=fresh.largest_bytes + 100_000_000)
    first = pool.submit(os.getpid).result()
    assert pool.submit(os.getpid).result() == first
    pool.submit(exec, "import builtins; builtins.held = bytearray(b'x') * 300_000_000").result()
    assert pool.submit(os.getpid).result() != first
    assert pool.largest_bytes > 300_000_000
    pool.shutdown()


def test_shutdown_ends_what_runs(pool):
    slow = [pool.submit(time.sleep, 600) for _ in range(4)]
    pids = pool.pids
    pool.shutdown(cancel_futures=True)
    assert not wait(slow, timeout=120).not_done
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(RuntimeError):
        pool.submit(abs, 1)
