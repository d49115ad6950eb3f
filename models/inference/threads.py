"""The numbers of threads of torch and of BLAS as context managers, and a pool of threads that work side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


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
