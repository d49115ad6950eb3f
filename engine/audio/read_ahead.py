"""Blocks made or written in a thread of their own, beside what is computed with them."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, TypeVar

Block = TypeVar("Block")

_AHEAD: Final = 3
"""Blocks that wait at most; memory stays bounded."""


def read_ahead(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks in the same order, made by a thread while the ones before them are used.

    What the thread raises is raised here. Where the reader stops early, so does the thread.
    """
    waiting: queue.Queue[tuple[bool, Block | BaseException | None]] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: tuple[bool, Block | BaseException | None]) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        iterator = iter(blocks)
        try:
            for block in iterator:
                if not put((True, block)):
                    break
            else:
                put((False, None))
        except BaseException as error:
            put((False, error))
        finally:
            if close := getattr(iterator, "close", None):
                close()

    thread = threading.Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            there, item = waiting.get()
            if there:
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        stopped.set()
        thread.join()


class WriteBehind(Generic[Block]):
    """Calls a function with one block after the other in a thread; used in a `with` block.

    What the function raises is raised by the next call, or at the end.
    """

    def __init__(self, write: Callable[[Block], None]) -> None:
        self._write = write
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._pending: Future[None] | None = None

    def __enter__(self) -> "WriteBehind[Block]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._pool.shutdown(wait=True)
        if kind is None and self._pending is not None:
            self._pending.result()

    def __call__(self, block: Block) -> None:
        """Write a block, which must not be changed afterwards; waits for the one before it."""
        if self._pending is not None:
            self._pending.result()
        self._pending = self._pool.submit(self._write, block)
