"""JACK back end through JACK-Client: blocks reach the ports unchanged, and xruns are counted.

The library libjack is the system's; without it, the back end falls back to pyo, which brings its own.
"""

import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from ..processes.ipc import parent_exited
from ..processes.messages import DeviceFailed, DeviceOpened, OutputJob, PortsConnected
from ..processes.realtime import lock_memory_and_freeze_gc
from ..processes.ring_buffer import RingBuffer
from .jack_client import open_client
from .jack_connections import JackConnections

_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 2.0
"""Time without a cycle after which the server counts as gone."""
_LOOK_S: Final = 0.5
"""Time between two looks at what is connected."""
_LONGEST_BLOCK: Final = 1 << 14

_prepared: "list[JackOutput]" = []


class JackOutput:
    """A client of the server (jack_client.py); silent, also while it is connected, until it has a ring buffer."""

    def __init__(self, client: Any) -> None:  # noqa: ANN401
        self._client = client
        self.gone = threading.Event()
        self.cycles = 0
        """Cycles of the server so far."""
        self._is_active = False
        self._ring: RingBuffer | None = None
        self._first_cycle = 0
        self._ports: tuple[tuple[Any, ...], np.ndarray] = ((), np.zeros((_LONGEST_BLOCK, 0), dtype=np.float32))
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._note_late)
        client.set_blocksize_callback(self._note_block_length)
        client.set_shutdown_callback(lambda status, reason: self.gone.set())

    @property
    def opened(self) -> DeviceOpened:
        """What the server runs at."""
        return DeviceOpened(int(self._client.samplerate), int(self._client.blocksize))

    def start(self, channels: int, *, connected: Sequence[Sequence[str]] = ()) -> JackConnections:
        """Have so many ports, be active, and be connected to the loudspeakers, or as another process was before."""
        if channels == len(self._ports[0]):
            return JackConnections(self._client, self._ports[0])
        kept = self._have_ports(channels)
        connections = JackConnections(self._client, self._ports[0], connected)
        if not connections.restore():
            speakers = self._client.get_ports(is_physical=True, is_input=True, is_audio=True)
            for number, (port, speaker) in enumerate(zip(self._ports[0], speakers, strict=False)):
                if number >= kept:
                    port.connect(speaker)
        self._first_cycle = self.cycles + 2  # (the one that runs now has the connections of before)
        return connections

    def _have_ports(self, channels: int) -> int:
        """Have so many ports, and be active; how many of them were there before."""
        ports = list(self._client.outports)
        kept, output = tuple(ports[:channels]), np.zeros((_LONGEST_BLOCK, channels), dtype=np.float32)
        self._ports = kept, output
        for port in ports[channels:]:
            port.unregister()
        more = [self._client.outports.register(f"output_{number + 1}") for number in range(len(ports), channels)]
        self._ports = (*kept, *more), output
        if not self._is_active:
            self._client.activate()  # the server sets the priority of its thread
            self._is_active = True
        return len(kept)

    def play(self, ring: RingBuffer) -> None:
        """Play from a ring buffer, from the next cycle on for which it has enough."""
        ring.block_length = int(self._client.blocksize)
        self._ring = ring

    def close(self) -> None:
        """Leave the server."""
        if self._is_active:
            self._client.deactivate()
        self._client.close()

    def _process(self, frames: int) -> None:
        self.cycles += 1
        ring, (ports, output) = self._ring, self._ports
        block = output[:frames]
        if ring is not None and self.cycles >= self._first_cycle and (ring.read or ring.fill >= 2 * frames):
            ring.read_into(block)
        for channel, port in enumerate(ports):
            port.get_array()[:] = block[:, channel]

    def _note_late(self, _delayed_us: float) -> None:
        if self._ring is not None:
            self._ring.late += 1

    def _note_block_length(self, frames: int) -> None:
        if self._ring is not None:
            self._ring.block_length = frames


def prepare(client: Any, channels: int) -> None:  # noqa: ANN401
    """Let a client play silence, for a job that is likely to follow: to become active takes a while."""
    output = JackOutput(client)
    output.start(channels)
    _prepared.append(output)


def discard() -> None:
    """Give up what `prepare` has opened."""
    while _prepared:
        _prepared.pop().close()


def run(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Play until `stop` is set; if the server ends before, send DeviceFailed."""
    try:
        if _prepared and job.name == OutputJob.name:
            output = _prepared.pop()
        else:
            output = JackOutput(open_client(job.name))
            lock_memory_and_freeze_gc()  # (before the first cycle: it holds the interpreter lock for longer than one)
    except ConnectionError as error:
        connection.send(DeviceFailed(str(error)))
        return
    except OSError:  # no libjack on this system
        from . import portaudio_backend

        portaudio_backend.run(job, connection)
        return
    if output.gone.is_set():
        connection.send(DeviceFailed("the JACK server has ended"))
        return
    connection.send(output.opened)
    ring = RingBuffer(job.channels, name=connection.recv())
    connections = output.start(job.channels, connected=job.connections)
    output.play(ring)
    seen, since, looked_at = -1, time.monotonic(), time.monotonic()
    while not ring.stop and not parent_exited():
        if output.gone.wait(_POLL_S):
            connection.send(DeviceFailed("the JACK server has ended"))
            return
        if time.monotonic() - looked_at > _LOOK_S:
            looked_at = time.monotonic()
            if connections.have_changed() and not output.gone.is_set():  # (a server that ends takes them away)
                connection.send(PortsConnected(connections.names))
        if output.cycles != seen:
            seen, since = output.cycles, time.monotonic()
        elif time.monotonic() - since > _TIMEOUT_S:
            connection.send(DeviceFailed("JACK has stopped asking for sound"))
            return
    output.close()
