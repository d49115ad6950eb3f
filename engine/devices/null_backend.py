"""Null back end: reads blocks in real time without a sound card, and counts the late ones."""

import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ..processes.ipc import parent_exited
from ..processes.messages import DeviceOpened, OutputJob
from ..processes.realtime import RT_OUTPUT, lock_memory_and_freeze_gc, set_realtime
from ..processes.ring_buffer import RingBuffer
from .late_blocks import LateBlocks


def run(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Read blocks until `stop` is set."""
    rate, block = job.sample_rate or 44100, job.block_length
    connection.send(DeviceOpened(rate, block))
    ring = RingBuffer(job.channels, name=connection.recv())
    ring.block_length = block
    output = np.zeros((block, job.channels), dtype=np.float32)
    while ring.fill < 2 * block and not ring.stop:
        time.sleep(0.001)
    lock_memory_and_freeze_gc()
    set_realtime(RT_OUTPUT)
    period_s = block / rate
    late = LateBlocks(period_s=period_s, slack_s=period_s)
    due = time.monotonic()
    while not ring.stop and not parent_exited():
        ring.read_into(output)
        ring.late += late.done(time.monotonic())
        due = max(due + period_s, time.monotonic() - period_s)  # after a delay, missed blocks are not read in a burst
        time.sleep(max(0.0, due - time.monotonic()))
