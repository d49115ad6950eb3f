"""The numbers of threads of torch and of BLAS as context managers, and pools of threads that work side by side."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS: Final = 4
"""More of them wait for memory and for each other."""


def working_threads() -> int:
    """In so many threads one track is worked on: one for each core that this process may use, MOST_THREADS at most.

    OMP_NUM_THREADS bounds it, as it bounds torch and BLAS: processes that share a machine set it to one.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    most = int(asked) if asked.isdecimal() and int(asked) > 0 else MOST_THREADS
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, most, MOST_THREADS)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set the number of torch's intra-op threads within the block.

    Parameters
    ----------
    count
        1 or more.
    """
    import torch

    previous = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


@contextmanager
def worker_threads() -> Iterator[Executor]:
    """Give a pool of as many threads as torch has, each limited to one torch thread; BLAS has one thread meanwhile.

    Faster than one piece of work at a time on all threads; and which values are summed together does not depend on
    their number. At the end what has not begun is cancelled.
    """
    import torch

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    # torch_threads restores the number, which the workers' initializer sets for the whole process. BLAS threads slow
    # small systems of equations down, many times so on a busy machine.
    with torch_threads(threads), one_blas_thread():
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


def each_of(function: Callable[..., Result], *values: Iterable[Any], threads: int) -> list[Result]:
    """What `map` gives, in its order; so many threads work side by side, with one in the caller's own."""
    if threads == 1:
        return list(map(function, *values))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, *values))


def in_order(function: Callable[[Item], Result], items: Iterable[Item], *, threads: int) -> Iterator[Result]:
    """What `map` gives, one after the other: so many threads are at work, and few results wait for their turn.

    Items are taken by the caller's own thread, as their results are asked for.
    """
    if threads == 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def one_blas_thread() -> AbstractContextManager[Any]:
    """Limit NumPy's matrix products to one thread within the block.

    The products of a prediction are small: a second thread waits more than it works, many times so on a busy machine,
    and the rounding of a product can depend on the number of threads.
    """
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited


@cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
