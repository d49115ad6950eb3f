"""JACK back end through JACK-Client: blocks reach the ports unchanged, and xruns are counted.

The library libjack is the system's; without it, the back end falls back to pyo, which brings its own.
"""

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


def run(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Play until `stop` is set; if the server ends before, send DeviceFailed."""
    try:
        import jack
    except OSError:  # no libjack on this system
        from . import portaudio_backend

        portaudio_backend.run(job, connection)
        return
    jack.set_error_function(lambda message: None)
    jack.set_info_function(lambda message: None)
    try:
        client = jack.Client(job.name, no_start_server=True)
    except jack.JackError:
        connection.send(DeviceFailed("no JACK server answers (is jackd running?)"))
        return
    connection.send(DeviceOpened(int(client.samplerate), int(client.blocksize)))
    ring = RingBuffer(job.channels, name=connection.recv())
    gone = threading.Event()
    ports = [client.outports.register(f"output_{number}") for number in range(1, job.channels + 1)]
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
