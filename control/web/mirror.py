"""The web process's copy of the parameter store: values come through a pipe, and what clients set goes back.

At most one batch is under way; what is set meanwhile waits, the newest value of each address and all that acts. So
neither a flood of messages nor a busy program fills memory, and the newest value always acts next.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, Final

from ...engine.processes.lasting_loop import fault_line
from ...engine.processes.messages import Notice
from ..parameters.table import Value, find_parameter
from ..parameters.waiting_changes import WaitingChanges
from .messages import Changes, SetBatch, SetRequest

MAX_WAITING: Final = 256
"""Requests that wait for the next batch; the oldest are dropped."""
_SYNC_S: Final = 1.0


class Mirror:
    """Values by address as last told; looks like a session to what reads and sets it.

    Parameters
    ----------
    connection : Connection
        This end of the pipe to the program.
    values : dict
        The values at the start.
    """

    def __init__(self, connection: "Connection[Any, Any]", values: dict[str, Value]) -> None:
        self._connection = connection
        self._values = values
        self._waiting: WaitingChanges[SetRequest] = WaitingChanges()
        self._number, self._under_way = 0, False
        self._wanted: list[asyncio.Future[None]] = []  # of the next batch
        self._awaited: list[asyncio.Future[None]] = []  # of the batch under way
        self.on_change: list[Callable[[dict[str, Value]], None]] = []
        self.on_refusal: list[Callable[[int, str, str], None]] = []
        self.on_analysis: list[Callable[[int, str], None]] = []
        self.ended = asyncio.Event()

    def get(self, address: str) -> Value:
        """The value of an address. Raises InputError for an unknown one."""
        return self._values[find_parameter(address).address]

    def state(self) -> dict[str, Value]:
        """A copy of all values."""
        return dict(self._values)

    def set(self, address: str, value: object, *, source: str = "", client: int = 0) -> None:
        """Set a value that its parameter has validated. What the program refuses comes by `on_refusal`."""
        request = SetRequest(address, value, client, source)  # type: ignore[arg-type]
        self._waiting.put(find_parameter(address), request)
        while len(self._waiting) > MAX_WAITING:
            self._waiting.drop_oldest()
        asyncio.get_running_loop().call_soon(self._send)  # (what one message sets goes together)

    async def sync(self) -> None:
        """Wait until the values are those that the program holds now, one second at most."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted.append(done)
        self._send()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done, _SYNC_S)

    def receive(self) -> None:
        """Take one message from the pipe, which has one."""
        try:
            message = self._connection.recv()
        except (EOFError, OSError):
            self.ended.set()
            return
        if isinstance(message, Changes):
            self._take(message)

    def _take(self, message: Changes) -> None:
        self._values.update(message.values)
        for track, path in message.analyses.items():
            self._tell(self.on_analysis, track, path)
        if message.values:
            self._tell(self.on_change, message.values)
        for refusal in message.refused:
            self._tell(self.on_refusal, *refusal)
        if message.answers:
            self._under_way = False
            for done in self._awaited:
                if not done.done():
                    done.set_result(None)
            self._send()

    def _tell(self, observers: Sequence[Callable[..., object]], *news: object) -> None:
        """Tell all of them: a fault of one must not keep the others, nor the batch that this answers, waiting."""
        for tell in observers:
            try:
                tell(*news)
            except Exception as error:
                with contextlib.suppress(OSError):
                    self._connection.send(Notice(fault_line("web page", error), is_error=True))

    def _send(self) -> None:
        """Send what waits, unless a batch is under way."""
        if self._under_way or not (self._waiting or self._wanted):
            return
        self._number += 1
        self._under_way = True
        self._awaited, self._wanted = self._wanted, []
        batch = SetBatch(self._number, tuple(self._waiting.take()))
        try:
            self._connection.send(batch)
        except OSError:
            self.ended.set()
