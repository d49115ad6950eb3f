"""The numbers of threads of torch and of BLAS as context managers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


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
