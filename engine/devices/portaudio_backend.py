"""PortAudio back end through pyo, which can also reach JACK; the only module that imports pyo.

pyo calls back before each of its blocks, in the audio thread. There one block is copied from the ring buffer into a
table of one block, which pyo then plays once. The first blocks are skipped, because pyo's server fades in over them.
The double-precision build is used: the fade-in of the other one ends at 0.9999993.
"""

import contextlib
import importlib
import os
import time
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from ..processes.ipc import parent_exited
from ..processes.messages import DeviceFailed, DeviceOpened, OutputJob
from ..processes.realtime import RT_OUTPUT, lock_memory_and_freeze_gc, set_realtime
from ..processes.ring_buffer import RingBuffer
from .late_blocks import LateBlocks

os.environ.setdefault("PYO_GUI_WX", "0")
os.environ.setdefault("JACK_NO_START_SERVER", "1")  # JACK is started by the user only
os.environ.setdefault("ALSA_PLUGIN_DIR", "/usr/lib/x86_64-linux-gnu/alsa-lib")

_FADE_IN_S: Final = 0.25
_JACK_SLACK: Final = 0.8
"""Share of a JACK cycle in which the copy must be done; later, the server plays the previous block again."""
_TIMEOUT_S: Final = 2.0
"""Time without a callback after which the device counts as gone."""


def run(job: OutputJob, connection: "Connection[Any, Any]") -> None:
    """Play until `stop` is set; if the device disappears before, send DeviceFailed."""
    audio = "portaudio" if job.backend == "portaudio" else "jack"
    with _quiet():
        pyo = _pyo()
        if job.backend == "portaudio" and pyo.pa_count_devices() < 1:  # booting without a device crashes
            connection.send(DeviceFailed("PortAudio finds no sound card"))
            return
        server = pyo.Server(
            sr=job.sample_rate or 44100,
            nchnls=job.channels,
            buffersize=job.block_length,
            duplex=0,
            audio=audio,
            jackname=job.name,
        )
        server.setVerbosity(0)
        if job.device is not None:
            server.setOutputDevice(job.device)
        server.deactivateMidi()
        server.boot()
    if not server.getIsBooted():
        what = "no JACK server answers (is jackd running?)" if audio == "jack" else "the device refuses"
        connection.send(DeviceFailed(what))
        return
    rate, block = round(server.getSamplingRate()), int(server.getBufferSize())
    connection.send(DeviceOpened(rate, block))
    ring = RingBuffer(job.channels, name=connection.recv())
    ring.block_length = block
    tables = [pyo.DataTable(size=block) for _ in range(job.channels)]
    readers = [
        pyo.TableRead(table, freq=table.getRate(), loop=True, interp=1).out(channel)
        for channel, table in enumerate(tables)
    ]
    views = [np.asarray(table.getBuffer()) for table in tables]
    output = np.zeros((block, job.channels), dtype=np.float32)
    skipped = -int(-_FADE_IN_S * rate // block)
    period_s = block / rate
    late = LateBlocks(period_s=period_s, slack_s=_JACK_SLACK * period_s if audio == "jack" else 2 * period_s)
    calls = 0

    def copy() -> None:
        nonlocal calls
        calls += 1
        if calls <= skipped or not (ring.read or ring.fill >= 2 * block):
            return
        ring.read_into(output)
        for channel, view in enumerate(views):
            view[:block] = output[:, channel]
        ring.late += late.done(time.monotonic())

    server.setCallback(copy)
    lock_memory_and_freeze_gc()
    set_realtime(RT_OUTPUT)  # inherited by PortAudio's threads
    server.start()
    seen, since = 0, time.monotonic()
    while not ring.stop and not parent_exited():
        time.sleep(0.05)
        if calls != seen:
            seen, since = calls, time.monotonic()
        elif time.monotonic() - since > _TIMEOUT_S:
            connection.send(DeviceFailed("the sound card has stopped asking for sound"))
            os._exit(3)  # stopping a server without its device hangs
    del readers
    with _quiet():
        server.stop()
        time.sleep(0.05)
    os._exit(0)  # pyo's shutdown may wait for a server that is gone


def devices() -> list[dict[str, Any]]:
    """List PortAudio's output devices.

    Returns
    -------
    list of dict
        With the keys number, name, channels, sample_rate (Hz) and latency_s.
    """
    with _quiet():
        pyo = _pyo()
        if pyo.pa_count_devices() < 1:
            return []
        _, outputs = pyo.pa_get_devices_infos()
        channels = {number: pyo.pa_get_output_max_channels(number) for number in outputs}
    return [
        {
            "number": number,
            "name": str(found.get("name", "")),
            "channels": channels[number],
            "sample_rate": int(found.get("default sr", 0)),
            "latency_s": float(found.get("latency", 0.0)),
        }
        for number, found in sorted(outputs.items())
    ]


def _pyo() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("pyo64")
    except ImportError:
        return importlib.import_module("pyo")


@contextlib.contextmanager
def _quiet() -> Any:  # noqa: ANN401
    """Discard what pyo's libraries write to standard output and error."""
    import sys

    sys.stdout.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        for stream, copy in enumerate(kept, start=1):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)
