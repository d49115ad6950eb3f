"""Worker processes of this machine, started once and kept warm, each with one task at a time.

`concurrent.futures.ProcessPoolExecutor` gives up as a whole when one of its processes dies. Here every worker has a
pipe of its own, so it is known which task a dead one had: that task's future gets WorkerDiedError, another worker
takes its place, and nobody else notices.

Workers are forked from a server process that has imported the work's modules, so one more costs milliseconds.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from ...processes.child_signals import signals_held_back
from ..common.errors import WorkerDiedError
from .process_worker import STARTED, available_fraction, resident_bytes, serve

MEMORY_LIMIT: Final = 1_200_000_000
"""Bytes: a worker that holds more after a task is replaced by a fresh one."""
_MIN_AVAILABLE: Final = 0.04
"""Share of the machine's memory below which the largest worker is ended, before the system ends anything."""
_WATCH_S: Final = 1.0
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class _Worker:
    process: Any
    connection: Connection
    future: "Future[Any] | None" = None
    message: Any = None
    started: bool = False
    reason: str = ""


class ProcessPool(Executor):
    """Executor of worker processes.

    Parameters
    ----------
    workers
        How many.
    preload
        Names of modules that the work needs; imported once, before the first worker is forked.
    memory_limit
        Bytes that a worker may hold after a task without being replaced.
    """

    def __init__(self, workers: int, *, preload: Sequence[str] = (), memory_limit: int = MEMORY_LIMIT) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        with _one_thread_each(), signals_held_back():
            multiprocessing.forkserver.ensure_running()
        self._limit = memory_limit
        self._queue: deque[tuple[Future[Any], Any]] = deque()
        self._lock = threading.Lock()
        self._closing = False
        self._abandoned = False
        self._wake_reader, self._wake_writer = multiprocessing.Pipe(duplex=False)
        self._workers = [self._start() for _ in range(workers)]
        self.largest_bytes = 0
        """The most that a worker held after a task."""
        self.replaced = 0
        """Workers that died or grew too large."""
        self._thread = threading.Thread(target=self._dispatch, name="batch workers", daemon=True)
        self._thread.start()

    @property
    def pids(self) -> list[int]:
        """Process numbers of the workers."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> "Future[Any]":  # noqa: ANN401
        """Let a worker call a function; both must be possible to pickle. Keyword arguments are not taken."""
        if keywords:
            raise TypeError("keyword arguments are not sent to workers")
        future: Future[Any] = Future()
        with self._lock:
            if self._closing:
                raise RuntimeError("the pool is closed")
            self._queue.append((future, (function, arguments)))
        self._wake()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers: after their tasks, or at once with `cancel_futures`."""
        with self._lock:
            self._closing = True
            self._abandoned |= cancel_futures
        with contextlib.suppress(OSError):
            self._wake()
        if wait:
            self._thread.join()

    def _start(self) -> _Worker:
        mine, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, mine)

    def _wake(self) -> None:
        self._wake_writer.send_bytes(b"")

    def _dispatch(self) -> None:
        watched = time.monotonic()
        try:
            while self._assign():
                waiting = [worker.connection for worker in self._workers]
                for ready in multiprocessing.connection.wait([self._wake_reader, *waiting], timeout=_WATCH_S):
                    if ready is self._wake_reader:
                        self._wake_reader.recv_bytes()
                        continue
                    self._take(next(worker for worker in self._workers if worker.connection is ready))
                if time.monotonic() - watched > _WATCH_S:
                    watched = time.monotonic()
                    self._watch_memory()
        finally:
            self._end()

    def _assign(self) -> bool:
        """Give tasks to workers without one; False when all is done and the pool is closing."""
        with self._lock:
            if self._abandoned:
                return False
            for worker in self._workers:
                while worker.future is None and self._queue:
                    future, message = self._queue.popleft()
                    if not future.running() and not future.set_running_or_notify_cancel():
                        continue
                    worker.future, worker.message, worker.started = future, message, False
                    with contextlib.suppress(OSError):  # (of a worker that died: its end of the pipe says so)
                        worker.connection.send(message)
            return not (self._closing and not self._queue and all(worker.future is None for worker in self._workers))

    def _take(self, worker: _Worker) -> None:
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            answer = None
        if answer == STARTED:
            worker.started = True
            return
        future, worker.future = worker.future, None
        if answer is None:
            self._replace(worker)
            if future is not None and not worker.started:
                self._queue.appendleft((future, worker.message))
            elif future is not None:
                future.set_exception(WorkerDiedError(worker.reason or _ended(worker.process.exitcode)))
            return
        good, value, held = answer
        self.largest_bytes = max(self.largest_bytes, held)
        if held > self._limit:
            self._replace(worker)
        if future is not None:
            if good:
                future.set_result(value)
            else:
                future.set_exception(value)

    def _replace(self, worker: _Worker) -> None:
        worker.connection.close()
        worker.process.join(1)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        self.replaced += 1
        self._workers[self._workers.index(worker)] = self._start()

    def _watch_memory(self) -> None:
        """End the largest worker where the machine has hardly any memory left."""
        if available_fraction() >= _MIN_AVAILABLE:
            return
        largest = max(self._workers, key=lambda worker: resident_bytes(worker.process.pid))
        gigabytes = resident_bytes(largest.process.pid) / 1e9
        largest.reason = f"ended at {gigabytes:.1f} GB, because the machine's memory was used up (fewer --jobs?)"
        largest.process.kill()

    def _end(self) -> None:
        for worker in self._workers:
            if worker.future is not None:
                worker.process.terminate()
                worker.future.set_exception(WorkerDiedError("the batch was stopped"))
            worker.connection.close()
        for future, _ in self._queue:
            if future.running():
                future.set_exception(WorkerDiedError("the batch was stopped"))
            elif future.cancel():
                future.set_running_or_notify_cancel()
        for worker in self._workers:
            worker.process.join(2)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        why = ": out of memory?" if code == -9 else ""
        return f"the worker was ended by signal {-code} while it had this track{why}"
    return f"the worker ended with code {code} while it had this track"


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started in this block compute with one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
