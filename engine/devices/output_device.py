"""The process that hands sound to the card: on the first back end that works, and again when the card is back."""

import contextlib
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from ...models.common.errors import InputError
from ..processes.ipc import ChildProcesses
from ..processes.messages import DeviceOpened, OutputJob
from .backends import run_output_process

_BOOT_S: Final = 15.0
_AGAIN_S: Final = 1.0
_AUTO: Final = ("jack", "portaudio")


class OutputDevice:
    """The audio process of a player; `sample_rate` and `block_length` are the device's."""

    sample_rate: int
    block_length: int
    connection: "Connection[Any, Any]"

    def __init__(self, children: ChildProcesses, job: OutputJob, *, file_rate: int) -> None:
        """Back end "auto" takes the first that is there; a device without a rate of its own plays at `file_rate`.

        Raises InputError when there is none.
        """
        self._children = children
        reasons = []
        for name in _AUTO if job.backend == "auto" else (job.backend,):
            rate = job.sample_rate if name in ("jack", "pyo") else job.sample_rate or file_rate
            self._job = OutputJob(name, rate, job.channels, job.block_length, job.device)
            try:
                self._boot()
            except InputError as error:
                reasons.append(f"{name}: {error}")
            else:
                return
        raise InputError("; ".join(reasons) + " (moodfader devices tells more; --backend null plays without a card)")

    def attach(self, ring: str) -> None:
        """Let it play from the ring of that name."""
        self._ring = ring
        with contextlib.suppress(OSError):  # it has gone already: the end of its pipe tells
            self.connection.send(ring)

    def reconnect(self, closing: threading.Event) -> bool:
        """Look for it every second until it plays again, or until closing.

        Raises InputError when it is back at another rate.
        """
        rate = self.sample_rate
        while not closing.wait(_AGAIN_S):
            try:
                self._boot()
            except InputError:
                continue
            if self.sample_rate != rate:
                found, self.sample_rate = self.sample_rate, rate
                self._children.kill(self._process)
                raise InputError(f"the sound card is back at {found} Hz, {rate} Hz are needed: stop and play again")
            self.attach(self._ring)
            return True
        return False

    def _boot(self) -> None:
        self._process, connection = self._children.start(run_output_process, self._job)
        try:
            if not connection.poll(_BOOT_S):
                raise InputError("the sound card's process does not answer")
            answer = connection.recv()
        except (EOFError, OSError) as error:
            raise InputError("the sound card's process ended while it opened the device") from error
        if not isinstance(answer, DeviceOpened):
            raise InputError(answer.reason)
        rate, self.block_length = answer.sample_rate, answer.block_length
        if self._job.sample_rate not in (None, rate):
            self._children.kill(self._process)
            raise InputError(f"it runs at {rate} Hz, not at {self._job.sample_rate} Hz (leave --rate away?)")
        self.sample_rate = int(rate)
        self.connection = connection
