"""Handle of the audio output process, in the process of the player: opens a back end that works, and reconnects."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, Final

from ...models.common.errors import InputError
from ..processes.ipc import ChildProcesses
from ..processes.lasting_loop import fault_line
from ..processes.messages import DeviceOpened, OutputJob
from .backends import run_output_process

_OPEN_TIMEOUT_S: Final = 15.0
_RETRY_S: Final = 1.0
_OTHER_RATE_S: Final = 3.0
_AUTO_ORDER: Final = ("jack", "portaudio")


class OutputDevice:
    """An open output device in a process of its own.

    Attributes
    ----------
    sample_rate, block_length : int
        Of the device, in Hz and samples.
    connection : Connection
        This end of the pipe to its process.
    connections : tuple of tuple of str
        What its outputs are connected to at JACK, as its process has told; the next one connects them so again.
    """

    sample_rate: int
    block_length: int
    connection: "Connection[Any, Any]"

    def __init__(self, children: ChildProcesses, job: OutputJob, *, file_rate: int) -> None:
        """Open a device. Back end "auto" takes the first that works.

        Parameters
        ----------
        children : ChildProcesses
            Starts the process.
        job : OutputJob
            Back end, device, rate, channels and block length.
        file_rate : int
            Rate in Hz for a device that has none of its own.

        Raises
        ------
        InputError
            If no device can be opened.
        """
        self._children = children
        self._process: Any = None
        self.connections: tuple[tuple[str, ...], ...] = ()
        reasons = []
        for name in _AUTO_ORDER if job.backend == "auto" else (job.backend,):
            # JACK has a rate of its own, and pyo plays through JACK
            rate = job.sample_rate if name in ("jack", "pyo") else job.sample_rate or file_rate
            self._job = OutputJob(name, rate, job.channels, job.block_length, job.device)
            try:
                self._open()
            except InputError as error:
                reasons.append(f"{name}: {error}")
            else:
                return
        raise InputError("; ".join(reasons) + " (moodfader devices tells more; --backend null plays without a card)")

    def attach(self, ring: str) -> None:
        """Start playing from the ring buffer of that name."""
        self._ring = ring
        with contextlib.suppress(OSError):  # it has ended already: the pipe reports end of file
            self.connection.send(ring)

    def reconnect(self, closing: threading.Event, tell: Callable[[str], object]) -> bool:
        """Try to open the device again every second, until it plays or `closing` is set.

        A device that is back at another sample rate is left alone; `tell` gets a line about it, once for each rate.
        """
        rate, told, fault = self.sample_rate, 0, ""
        while not closing.wait(_OTHER_RATE_S if told else _RETRY_S):
            try:
                self._open()
            except InputError:
                continue
            except Exception as error:  # (whatever it is, the device may be there again in a second)
                if (text := fault_line("the sound card", error)) != fault:
                    tell(text)
                fault = text
                continue
            if self.sample_rate == rate:
                self.attach(self._ring)
                return True
            found, self.sample_rate = self.sample_rate, rate
            self.kill()
            if found != told:
                tell(f"the sound card is back at {found} Hz: the show goes on when it is set to {rate} Hz, as before")
                told = found
        return False

    def kill(self) -> None:
        """End its process by force."""
        if self._process is not None:
            self._children.kill(self._process)

    def _open(self) -> None:
        """Start a process that opens it. Raises InputError, also where the player is being closed."""
        self._process, connection = self._children.start(run_output_process)
        try:
            self._connect(connection)
        except BaseException:
            self.kill()  # (one that does not answer may hang in the library of a sound server)
            raise

    def _connect(self, connection: "Connection[Any, Any]") -> None:
        """Have the process open the device. Raises InputError."""
        try:
            connection.send(replace(self._job, connections=self.connections))
            if not connection.poll(_OPEN_TIMEOUT_S):
                raise InputError("the sound card's process does not answer")
            answer = connection.recv()
        except (EOFError, OSError) as error:
            raise InputError("the sound card's process ended while it opened the device") from error
        if not isinstance(answer, DeviceOpened):
            raise InputError(answer.reason)
        rate, self.block_length = answer.sample_rate, answer.block_length
        if self._job.sample_rate not in (None, rate):
            raise InputError(f"it runs at {rate} Hz, not at {self._job.sample_rate} Hz (leave --rate away?)")
        self.sample_rate = int(rate)
        self.connection = connection
