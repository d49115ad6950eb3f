"""A Dask cluster as an executor: a running one by the address of its scheduler, or one of this machine's processes.

The scheduler holds nothing that matters. When it goes away, the futures that it had get SchedulerLostError, and the
next submit waits until it can be reached again; who submitted does so once more.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final

from ....models.common.errors import InputError
from ....models.common.extras import require
from ..common.errors import SchedulerLostError, StorageLostError, WorkerDiedError, one_line

LOCAL: Final = "local"
"""The address that means a cluster of processes on this machine."""
PATIENCE_S: Final = 600.0
"""Seconds to wait for a scheduler that has gone away."""
_CONNECT_S: Final = 15
_FIRST_CONNECT_S: Final = 10
"""Seconds after which the address that was given counts as wrong."""


class DaskExecutor(Executor):
    """Executor of tasks on a Dask cluster.

    Parameters
    ----------
    address
        Of the scheduler, as `tcp://host:8786`; "local" for a cluster of this machine.
    jobs
        Worker processes of a local cluster.

    Raises
    ------
    InputError
        If there is no scheduler at the address.
    """

    def __init__(self, address: str, *, jobs: int = 1) -> None:
        require("distributed")
        self._cluster: Any = None
        self._address = address
        self._pending: dict[Future[Any], Any] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        if address == LOCAL:
            from distributed import LocalCluster

            self._cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=None,
                memory_limit=0,
                silence_logs=logging.ERROR,
            )
            self._address = self._cluster.scheduler_address
        try:
            self._client = self._connected(_FIRST_CONNECT_S)
        except Exception as error:
            raise InputError(f"--scheduler {address}: no Dask scheduler answers there ({one_line(error)})") from error
        threading.Thread(target=self._watch, name="scheduler", daemon=True).start()

    def _connected(self, timeout_s: float = _CONNECT_S) -> Any:  # noqa: ANN401
        from distributed import Client

        return Client(self._address, timeout=timeout_s, set_as_default=False)

    @property
    def workers(self) -> int:
        """Threads of all workers that the scheduler has now."""
        with contextlib.suppress(Exception):
            return sum(worker["nthreads"] for worker in self._client.scheduler_info(n_workers=-1)["workers"].values())
        return 0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> "Future[Any]":  # noqa: ANN401
        """Let a worker of the cluster call a function. Raises StorageLostError where no scheduler comes back."""
        future: Future[Any] = Future()
        until = time.monotonic() + PATIENCE_S
        while not self._closed.is_set():
            try:
                if not self._alive():
                    self._reconnect()
                submitted = self._client.submit(function, *arguments, pure=False, **keywords)
                break
            except Exception as error:
                if time.monotonic() > until:
                    text = f"the scheduler at {self._address} is gone ({one_line(error)})"
                    raise StorageLostError(text) from error
                self._closed.wait(1)
        else:
            raise RuntimeError("the executor is closed")
        future.set_running_or_notify_cancel()
        with self._lock:
            self._pending[future] = submitted
        submitted.add_done_callback(lambda done: self._settle(future, done))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the connection; the cluster itself goes on, unless it is a local one."""
        if wait and not cancel_futures:
            while any(not future.done() for future in list(self._pending)):
                time.sleep(0.05)
        self._closed.set()
        with contextlib.suppress(Exception):
            if cancel_futures:
                self._client.cancel(list(self._pending.values()), force=True)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=5)

    def _settle(self, future: "Future[Any]", done: Any) -> None:  # noqa: ANN401
        with self._lock:
            if self._pending.pop(future, None) is None:
                return  # (given up already)
        status = done.status
        try:
            if status == "finished":
                future.set_result(done.result(timeout=60))
            elif status == "error":
                future.set_exception(_own(done.exception(timeout=60)))
            else:
                future.set_exception(SchedulerLostError(f"the scheduler at {self._address} went away"))
        except Exception as error:  # (the connection was lost while the result was on its way)
            if not future.done():
                future.set_exception(SchedulerLostError(one_line(error)))

    def _alive(self) -> bool:
        comm = self._client.scheduler_comm
        return self._client.status == "running" and comm is not None and not comm.closed()

    def _reconnect(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)
        self._client = self._connected()

    def _watch(self) -> None:
        """Give up what was submitted to a scheduler that has gone without a word."""
        while not self._closed.wait(1):
            if self._alive():
                continue
            with self._lock:
                given_up, self._pending = list(self._pending), {}
            for future in given_up:
                if not future.done():
                    future.set_exception(SchedulerLostError(f"the scheduler at {self._address} went away"))


def _own(error: BaseException) -> BaseException:
    """The error of a task; Dask's word for a task whose workers died again and again in ours."""
    if type(error).__name__ == "KilledWorker":
        return WorkerDiedError("several workers of the cluster died while they had this track")
    return error
