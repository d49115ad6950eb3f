"""The processes that a player starts, and their ends."""

import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any


class Children:
    """Starts processes that speak over a pipe, and ends them all."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[Any] = []

    def start(self, target: Callable[..., None], *arguments: object) -> tuple[Any, "Connection[Any, Any]"]:
        """Run target(*arguments, connection) in a process of its own; returns it and our end of the pipe."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=target, args=(*arguments, theirs), daemon=True)
        with _without_main():
            process.start()
        theirs.close()
        self._processes = [*(one for one in self._processes if one.is_alive()), process]
        return process, ours

    def kill(self, process: Any) -> None:  # noqa: ANN401
        """End one of them now."""
        process.kill()
        process.join(1.0)

    def join(self, patience_s: float) -> None:
        """Wait for their ends, each so long; then end them."""
        for process in self._processes:
            process.join(patience_s)
            if process.is_alive():
                self.kill(process)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """A child that is started meanwhile does not run this program's main module first: it needs nothing of it."""
    main = sys.modules["__main__"]
    kept = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    for name in kept:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)
