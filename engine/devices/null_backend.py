"""A sound card that is not there: takes blocks from the ring in real time and counts, as a real one would."""

import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ..processes.messages import AudioJob, DeviceOpened
from ..processes.realtime import HANDING_OVER, steady, urgent
from ..processes.ring_buffer import Ring
from .backends import orphaned


def run(job: AudioJob, connection: "Connection[Any, Any]") -> None:
    """Play to nobody until the ring says stop."""
    rate, block = job.sample_rate or 44100, job.block_length
    connection.send(DeviceOpened(rate, block))
    ring = Ring(job.channels, name=connection.recv())
    ring.block_length = block
    output = np.zeros((block, job.channels), dtype=np.float32)
    while ring.ahead < 2 * block and not ring.stop:
        time.sleep(0.001)
    steady()
    urgent(HANDING_OVER)
    due = time.monotonic()
    while not ring.stop and not orphaned():
        ring.take(output)
        due = max(due + block / rate, time.monotonic() - block / rate)  # (who is late does not take in a hurry)
        time.sleep(max(0.0, due - time.monotonic()))
