"""Supervises the processes of a player: receives what they send, and starts those again that end or stand still.

One thread does all of it, and waits for none of the processes but in `recv`. What cannot be started (no memory, too
many open files) is tried again every two seconds, and what ends again and again is given up; both are told in a line.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final, TypeAlias

from ...models.common.errors import InputError
from ..processes.lasting_loop import fault_line, run_rounds
from ..processes.messages import Notice, PlayerCallback, ProcessName, ProcessStatus
from ..processes.restarts import PROCESS_TEXTS, Pulse, RestartLimit

_ROUND_S: Final = 0.2
_POLL_S: Final = 0.02  # while something waits to be started
_RETRY_S: Final = 2.0
_GONE: Final = "the sound card is gone; looking for it every second"
Pipe: TypeAlias = "Connection[Any, Any]"


@dataclass(frozen=True)
class Supervised:
    """A process, as its supervisor needs it.

    Attributes
    ----------
    start : callable
        Starts it (again) and returns the pipe to it; None: that comes by `Supervisor.listen`. Raises InputError.
    kill : callable, optional
        Ends it by force.
    beat : callable, optional
        A number that it changes as long as it works; None: there is nothing to expect of it just now.
    longest_still_s : float
        For so long the number may stay the same.
    """

    start: "Callable[[], Pipe | None]"
    kill: Callable[[], object] = lambda: None
    beat: Callable[[], int | None] = lambda: None
    longest_still_s: float = 8.0


class Supervisor:
    """Supervises processes from `run` on, until `closing` is set.

    Parameters
    ----------
    processes : mapping
        By name.
    take : callable
        Called with each message.
    tell : PlayerCallback
        Told what becomes of the processes.
    closing : threading.Event
        Ends it: what ends from then on is left alone.
    """

    def __init__(
        self,
        processes: Mapping[ProcessName, Supervised],
        *,
        take: Callable[[object], object],
        tell: PlayerCallback,
        closing: threading.Event,
    ) -> None:
        self._processes, self._take, self._tell, self._closing = processes, take, tell, closing
        self._pipes: dict[ProcessName, Pipe] = {}
        self._to_start: dict[ProcessName, Callable[[], bool]] = {}
        self._missing: set[ProcessName] = set()  # that were told to have ended, or not to start
        self._refused: set[ProcessName] = set()  # of these: that were told not to start
        self._given_up: set[ProcessName] = set()
        self._restarts = {name: RestartLimit() for name in processes}
        self._pulses: dict[ProcessName, Pulse] = {}

    def listen(self, name: ProcessName, pipe: Pipe) -> None:
        """Take the messages that come by that pipe; from any thread."""
        self._pulses[name] = Pulse(self._processes[name].longest_still_s)
        self._pipes[name] = pipe

    def start_when(self, name: ProcessName, condition: Callable[[], bool]) -> None:
        """Start a process as soon as a condition holds."""
        self._to_start[name] = condition

    def give_up(self, name: ProcessName) -> None:
        """Do not start a process again when it ends."""
        self._given_up.add(name)

    def run(self, last: Callable[[], Pipe]) -> None:
        """Body of the thread. At the end it takes what the process of the pipe `last` has left."""
        run_rounds(self._round, self._closing, who="the player", tell=lambda text: self._tell(Notice(text, True)))
        pipe = last()
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = pipe.recv()
                with contextlib.suppress(Exception):  # (told before, if it is the same again)
                    self._take(message)

    def _round(self) -> None:
        for name, condition in list(self._to_start.items()):
            if condition():
                self._start(name)
        names = {pipe: name for name, pipe in list(self._pipes.items())}
        ready: list[Any] = wait(list(names), timeout=_POLL_S if self._to_start else _ROUND_S)
        for pipe in ready:
            try:
                message = pipe.recv()
            except (EOFError, OSError):
                self._lose(names[pipe])
            else:
                self._take(message)
        for name in list(self._pipes):
            if self._pulses[name].stands_still(self._processes[name].beat()):
                self._processes[name].kill()
                self._lose(name, "stands still")

    def _lose(self, name: ProcessName, how: str = "has ended") -> None:
        """A process has ended, or was ended because it stood still: have it started again."""
        del self._pipes[name]
        if self._closing.is_set() or name in self._given_up:
            return
        text, consequence = PROCESS_TEXTS[name]
        if name != "output" and not self._restarts[name].allows():
            self._given_up.add(name)
            text = f"{text} ends again and again and is not started any more: {consequence} (play again)"
            self._tell(ProcessStatus(name, "failed", text))
            return
        self._missing.add(name)
        self._to_start[name] = lambda: True
        if name == "output":
            self._tell(ProcessStatus(name, "gone", _GONE))
        else:
            self._tell(ProcessStatus(name, "restarting", f"{text} {how}; it is started again"))

    def _start(self, name: ProcessName) -> None:
        """Start a process. One that cannot be started now is told of, and tried again later."""
        del self._to_start[name]
        text, consequence = PROCESS_TEXTS[name]
        try:
            pipe = self._processes[name].start()
        except Exception as error:
            if self._closing.is_set():
                return
            later = time.monotonic() + _RETRY_S
            self._to_start[name] = lambda: time.monotonic() >= later
            if name not in self._refused:
                self._missing.add(name)
                self._refused.add(name)
                reason = str(error) if isinstance(error, InputError) else fault_line(text, error)
                reason = f"{text} cannot be started ({reason}): {consequence}; it is tried again every two seconds"
                self._tell(ProcessStatus(name, "failed", reason))
            return
        if pipe is None:
            return
        self.listen(name, pipe)
        self.started(name, f"{text} is there again")

    def started(self, name: ProcessName, text: str) -> None:
        """Tell that a process is there again, if it was told to be missing."""
        self._refused.discard(name)
        if name in self._missing:
            self._missing.discard(name)
            self._tell(ProcessStatus(name, "running", text))
