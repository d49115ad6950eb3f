"""JACK back end through JACK-Client: blocks reach the ports unchanged, and xruns are counted.

The library libjack is the system's; without it, the back end falls back to pyo, which brings its own.
"""

import contextlib
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from ..processes.ipc import parent_exited
from ..processes.messages import DeviceFailed, DeviceOpened, OutputJob
from ..processes.realtime import lock_memory_and_freeze_gc
from ..processes.ring_buffer import RingBuffer

_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 2.0
"""Time without a cycle after which the server counts as gone."""


_prepared: list[Any] = []


def prepare(name: str, channels: int) -> None:
    """Become a client of the server with so many ports, for a job that is likely to follow: that takes a while."""
    with contextlib.suppress(ImportError, OSError):
        if (client := _open(name)) is not None:
            _register(client, channels)
            _prepared.append(client)


def discard() -> None:
    """Give up what `prepare` has opened."""
    while _prepared:
        _prepared.pop().close()


def _open(name: str) -> Any:  # noqa: ANN401
    """A client of the server, None where there is none. Raises OSError without libjack."""
    import jack

    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    try:
        return jack.Client(name, no_start_server=True)
    except jack.JackError:
        return None


def _register(client: Any, channels: int) -> list[Any]:  # noqa: ANN401
    """Give a client so many output ports, those that it has among them."""
    for port in client.outports[channels:]:
        port.unregister()
    for number in range(len(client.outports) + 1, channels + 1):
        client.outports.register(f"output_{number}")
    return list(client.outports)


def run(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Play until `stop` is set; if the server ends before, send DeviceFailed."""
    try:
        client = _prepared.pop() if _prepared and job.name == OutputJob.name else _open(job.name)
    except OSError:  # no libjack on this system
        from . import portaudio_backend

        portaudio_backend.run(job, connection)
        return
    if client is None:
        connection.send(DeviceFailed("no JACK server answers (is jackd running?)"))
        return
    ports = _register(client, job.channels)
    connection.send(DeviceOpened(int(client.samplerate), int(client.blocksize)))
    ring = RingBuffer(job.channels, name=connection.recv())
    gone = threading.Event()
    output = np.zeros((1 << 14, job.channels), dtype=np.float32)
    cycles = 0

    def process(frames: int) -> None:
        nonlocal cycles
        cycles += 1
        block = output[:frames]
        if ring.read or ring.fill >= 2 * frames:
            ring.read_into(block)
        for channel, port in enumerate(ports):
            port.get_array()[:] = block[:, channel]

    def late(delayed_us: float) -> None:
        ring.late += 1

    def resized(frames: int) -> None:
        ring.block_length = frames

    client.set_process_callback(process)
    client.set_xrun_callback(late)
    client.set_blocksize_callback(resized)
    client.set_shutdown_callback(lambda status, reason: gone.set())
    ring.block_length = int(client.blocksize)
    lock_memory_and_freeze_gc()
    client.activate()  # the server sets the priority of its thread
    for port, speaker in zip(ports, client.get_ports(is_physical=True, is_input=True, is_audio=True), strict=False):
        port.connect(speaker)
    seen, since = -1, time.monotonic()
    while not ring.stop and not parent_exited():
        if gone.wait(_POLL_S):
            connection.send(DeviceFailed("the JACK server has ended"))
            return
        if cycles != seen:
            seen, since = cycles, time.monotonic()
        elif time.monotonic() - since > _TIMEOUT_S:
            connection.send(DeviceFailed("JACK has stopped asking for sound"))
            return
    client.deactivate()
    client.close()
