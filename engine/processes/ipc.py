"""Child processes of a player, their pipes, and a message sender that never blocks its caller."""

import atexit
import contextlib
import multiprocessing
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Final

from ...models.common.errors import InputError
from .child_signals import ignore_signals, signals_held_back
from .lasting_loop import fault_line
from .messages import Notice

_PARENT = os.getppid()
_PUT_AWAY_S: Final = 0.3
"""For so long a process that nobody needs may put away what it has opened: sound servers notice who just vanishes."""
_START_S: Final = 2.0
_ENDING: Final = "the processes are being ended, none is started any more"


def parent_exited() -> bool:
    """Whether the process that started this one has gone."""
    return os.getppid() != _PARENT


class ChildProcesses:
    """Starts child processes with a pipe each, and ends them."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[Any] = []
        self._prepared: dict[str, tuple[Any, Connection[Any, Any]]] = {}
        self._starting = threading.Lock()
        self._ended = False
        # (multiprocessing's own end asks daemons to end by SIGTERM, which these ignore, and waits for them)
        atexit.register(self._kill_all)

    def prepare(self, target: Callable[..., None]) -> None:
        """Start a process whose only argument is its connection, for the next `start` of the same target."""
        self._prepared[target.__name__] = self.start(target)

    def fork(self, target: Callable[..., None]) -> None:
        """As `prepare`, by a copy of this process, where that is safe: what is imported is there in the copy.

        The caller sees to it that nothing is open that the copy should not have, but these pipes.
        """
        if not _may_fork():
            self.prepare(target)
            return
        ours, theirs = self._context.Pipe()
        others = [ours, *(connection for _, connection in self._prepared.values())]
        context: Any = multiprocessing.get_context("fork")
        arguments = (target, os.getpid(), others, theirs)
        process = context.Process(target=_forked, name=target.__name__, args=arguments, daemon=True)
        with signals_held_back(spawns=False):
            process.start()
            self._processes.append(process)
            self._prepared[target.__name__] = process, ours
        theirs.close()

    def tell(self, target: Callable[..., None], message: object) -> None:
        """Send a message to a prepared process."""
        with contextlib.suppress(OSError):  # (it has ended: its pipe tells whoever starts it)
            self._prepared[target.__name__][1].send(message)

    def start(self, target: Callable[..., None], *arguments: object) -> tuple[Any, "Connection[Any, Any]"]:
        """Run target(*arguments, connection) in a new process.

        Returns
        -------
        process, connection
            The process, named like its target, and this end of its pipe.

        Raises
        ------
        InputError
            Where they are being ended (nobody would end one that is started now), or the system starts none.
        """
        if self._ended:
            raise InputError(_ENDING)
        if not arguments and (prepared := self._prepared.pop(target.__name__, None)) is not None:
            return prepared
        with self._starting:
            if self._ended:
                raise InputError(_ENDING)
            try:
                process, ours = self._spawn(target, arguments)
            except OSError as error:  # (a limit of processes, open files or memory)
                raise InputError(f"no process can be started ({error.strerror or error})") from error
            self._processes = [*(one for one in self._processes if one.is_alive()), process]
        return process, ours

    def _spawn(
        self, target: Callable[..., None], arguments: tuple[object, ...]
    ) -> tuple[Any, "Connection[Any, Any]"]:
        ours, theirs = self._context.Pipe()
        try:
            process = self._context.Process(
                target=target, name=target.__name__, args=(*arguments, theirs), daemon=True
            )
            with _without_main(), signals_held_back():
                process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return process, ours

    def kill(self, process: Any) -> None:  # noqa: ANN401
        """Kill one of them."""
        process.kill()
        process.join(1.0)

    def join(self, patience_s: float) -> None:
        """Wait for each of them up to `patience_s` seconds, then kill it; first end those that nobody has taken."""
        self._let_start()
        for process, connection in self._prepared.values():
            connection.close()
            process.join(_PUT_AWAY_S)
        for process in self._processes:
            process.join(patience_s)
            if process.is_alive():
                self.kill(process)
        atexit.unregister(self._kill_all)

    def _kill_all(self) -> None:
        """At the end of the program, however that came: kill what nobody has ended."""
        self._let_start()
        for process in self._processes:
            if process.is_alive():
                self.kill(process)

    def _let_start(self) -> None:
        """Let no other one start, and wait for one that a thread is starting, which would find half of its job."""
        self._ended = True
        if self._starting.acquire(timeout=_START_S):
            self._starting.release()


def _may_fork() -> bool:
    """Whether a copy of this process would be whole: Linux, and no thread but this one (others would be lost)."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    except OSError:
        return False


def _forked(
    target: Callable[..., None],
    parent: int,
    others: "list[Connection[Any, Any]]",
    connection: "Connection[Any, Any]",
) -> None:
    """Body of a process that was forked: without the ends of pipes that are its parent's (they would never close)."""
    global _PARENT
    _PARENT = parent
    ignore_signals()
    for other in others:
        other.close()
    target(connection)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep children that are started within from importing this program's main module."""
    main = sys.modules["__main__"]
    kept = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    for name in kept:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)


class MessageSender:
    """Sends messages in order from a thread of its own, until the pipe is closed."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="outbox", daemon=True)
        self._thread.start()

    def send(self, message: object) -> None:
        """Queue a message; returns at once."""
        self._waiting.put(message)

    def close(self, patience_s: float = 1.0) -> None:
        """Wait up to `patience_s` seconds until the queued messages have been sent."""
        self._waiting.put(None)
        self._thread.join(patience_s)

    def _send(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                self._connection.send(message)
            except OSError:
                return
            except Exception as error:  # (one that cannot be sent: those behind it can)
                self._waiting.put(Notice(fault_line(type(message).__name__, error), is_error=True))
