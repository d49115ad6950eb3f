"""Blocks that a background thread reads ahead or writes behind, while the caller computes.

An interrupt may come at any moment of the thread that waits, also just after it has taken a lock and before it knows.
With what Python's library writes in Python (`queue.Queue`, `concurrent.futures`, the start of `threading.Thread`) the
lock then stays taken, the other thread waits for it for ever, and who is interrupted for the other thread. Here all
waiting is done by `queue.SimpleQueue`, in one step that an interrupt cannot divide.
"""

import _thread
import sys
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

Block = TypeVar("Block")

_AHEAD: Final = 4
"""Blocks that are being made or wait, at most; memory stays bounded."""


def read_ahead(blocks: Iterable[Block]) -> Generator[Block, None, None]:
    """The same blocks in the same order, made by a thread while the ones before them are used.

    What the thread raises is raised here. Where the reader stops early, so does the thread.
    """
    ready: SimpleQueue[tuple[bool, Block | BaseException | None]] = SimpleQueue()
    places: SimpleQueue[None] = SimpleQueue()
    ended: SimpleQueue[None] = SimpleQueue()
    stopped = started = False
    at_its_end = sys.is_finalizing  # (threads do not run any more then: waiting would never end)
    for _ in range(_AHEAD):
        places.put(None)

    def work() -> None:
        iterator = iter(blocks)
        try:
            for block in iterator:
                ready.put((True, block))
                places.get()
                if stopped:
                    break
            else:
                ready.put((False, None))
        except BaseException as error:
            ready.put((False, error))
        finally:
            try:
                if close := getattr(iterator, "close", None):
                    close()
            finally:
                ended.put(None)

    try:
        _thread.start_new_thread(work, ())
        started = True
        while True:
            there, item = ready.get()
            if there:
                places.put(None)
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        stopped = True
        places.put(None)
        if started and not at_its_end():
            ended.get()


class WriteBehind(Generic[Block]):
    """Calls a function with one block after the other in a thread; used in a `with` block.

    What the function raises is raised by the next call, or at the end.
    """

    def __init__(self, write: Callable[[Block], None]) -> None:
        self._write = write
        self._blocks: SimpleQueue[tuple[Block] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[BaseException | None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()
        self._is_writing = False

    def __enter__(self) -> "WriteBehind[Block]":
        _thread.start_new_thread(self._work, ())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._blocks.put(None)
        self._ended.get()
        if kind is None:
            self._wait()

    def __call__(self, block: Block) -> None:
        """Write a block, which must not be changed afterwards; waits for the one before it."""
        self._wait()
        self._is_writing = True
        self._blocks.put((block,))

    def _wait(self) -> None:
        """Wait for the block that is being written. Raises what the function has raised."""
        if not self._is_writing:
            return
        outcome = self._outcomes.get()
        self._is_writing = False
        if outcome is not None:
            raise outcome

    def _work(self) -> None:
        while (item := self._blocks.get()) is not None:
            try:
                self._write(*item)
            except BaseException as error:
                self._outcomes.put(error)
            else:
                self._outcomes.put(None)
        self._ended.put(None)
