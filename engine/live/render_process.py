"""The process that keeps the ring filled: a performance, stepped when its pace says so.

It imports no torch, so the first sound is there at once and no thread of torch can come into its way. Changes arrive
over a pipe and act with the next step; what was applied at which output sample is told back.
"""

import contextlib
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np

from ...models.common.errors import InputError
from ..audio.sample_buffer import SampleBuffer
from ..audio.true_peak import TruePeakEnvelope
from ..dsp.segment_mask import SegmentMask
from ..performance.events import ANALYSIS_READY, ROOT, Value
from ..performance.performance import SetRenderer
from ..processes.cpu_load import CpuLoadMonitor
from ..processes.ipc import MessageSender
from ..processes.messages import EventsApplied, Notice, RenderJob, ResumePoint, SetControls, UseAnalysis
from ..processes.realtime import NO_REALTIME_WARNING, RT_CONTROL, RT_RENDER, lock_memory_and_freeze_gc, set_realtime
from ..processes.ring_buffer import RingBuffer
from .scheduler import RenderScheduler
from .track_loader import TrackLoader, load_mask

_NAP_S: Final = 0.0005
_LONGEST_NAP_S: Final = 0.005
_METER_S: Final = 0.3  # in which peak and worst load fall to a third
_WATCH_S: Final = 0.25
_SPARE_S: Final = 5.0  # for so long the least spare time is shown


def main(connection: "Connection[Any, Any]") -> None:
    """Take a RenderJob from the pipe, then changes; ends when the pipe does."""
    with contextlib.suppress(EOFError, OSError):
        RenderProcess(connection.recv(), connection).run()


class RenderProcess:
    """Fills the ring of its job."""

    def __init__(self, job: RenderJob, connection: "Connection[Any, Any]") -> None:
        set_realtime(RT_CONTROL)  # (the threads that begin here; the one that renders comes before them)
        self._connection = connection
        self._outbox = MessageSender(connection)
        self._ring = RingBuffer(job.channels, name=job.ring)
        self._sounds = [
            SampleBuffer.from_file(file, sample_rate=job.sample_rate, channels=job.channels) for file in job.files
        ]
        self._performance = SetRenderer(self._sounds, ceiling_dbtp=job.ceiling_dbtp)
        margin_s = None if job.ahead is None else job.ahead / job.sample_rate
        hop = self._performance.hop_length
        self._pace = RenderScheduler(sample_rate=job.sample_rate, step_length=hop, margin_s=margin_s)
        self._peaks = TruePeakEnvelope(self._performance.channels)
        self._waiting: list[tuple[str, Value]] = []
        if job.resume is not None:
            self._resume(job.resume)
        self._loader = TrackLoader(self._sounds, self._got_map, self._outbox.send, self._wanted)
        self._step_s = hop / job.sample_rate
        self._fall = float(np.exp(-self._step_s / _METER_S))
        self._spare_at = 0.0

    def run(self) -> None:
        """Until the ring says stop."""
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        lock_memory_and_freeze_gc()
        if not set_realtime(RT_RENDER):  # (last: what takes long must not come before another program's sound)
            self._outbox.send(Notice(NO_REALTIME_WARNING))
        ring, hop = self._ring, self._performance.hop_length
        ready = self._performance.transport.ready
        while not ring.stop:
            self._listen()
            read, taken_at = ring.last_read()
            block = ring.block_length or hop
            if read:
                self._pace.on_device_read(read, taken_at, block)
            early = self._pace.next_deadline(ring.written) - time.monotonic()
            if early > 0 and ready():
                time.sleep(min(early, _LONGEST_NAP_S))
            elif ring.written - read + hop > self._pace.max_buffered(block) or not ready():
                self._apply()
                time.sleep(_NAP_S)
            else:
                self._step()
        self._loader.stop()
        self._outbox.close()

    def _watch(self) -> None:
        """Thread: how busy the machine is."""
        machine = CpuLoadMonitor()
        while not self._ring.stop:
            time.sleep(_WATCH_S)
            self._pace.busy = machine.is_loaded()

    def _step(self) -> None:
        """Make the next step, if what was just asked for does not have to be loaded first."""
        performance, ring = self._performance, self._ring
        self._apply()
        if not performance.transport.ready():
            return
        begun = time.monotonic()
        position, block = performance.position, performance.step()
        if len(block) < performance.hop_length:  # the first step: the limiter has begun to look ahead
            ring.lead = performance.hop_length - len(block)
            silence = position + ring.lead - ring.written  # so that steps and the card's blocks have edges in common
            ring.write(np.zeros((silence, performance.channels), dtype=np.float32))
        written = ring.written
        ring.jumped_at, ring.moved_at = performance.jumped_at + ring.lead, performance.moved_at + ring.lead
        ring.write_monitor(position + ring.lead, performance.monitor)
        ring.write(block)
        now = time.monotonic()
        spare = self._pace.on_step_done(written, now)
        if spare < ring.spare_s or now - self._spare_at > _SPARE_S:
            ring.spare_s, self._spare_at = spare, now
        load = (now - begun) / self._step_s
        ring.load += (load - ring.load) * 0.05
        ring.load_max = max(load, ring.load_max * self._fall)
        fallen = ring.peak * self._fall
        ring.peak = max(float(self._peaks.process(block, above=fallen).max(initial=0.0)), fallen)
        self._tell()

    def _tell(self) -> None:
        transport, ring = self._performance.transport, self._ring
        rate = self._performance.sample_rate
        ring.position_s = transport.position / rate
        ring.duration_s = self._sounds[transport.track].expected_duration_s or 0.0
        ring.track, ring.playing, ring.ended = transport.track, int(transport.playing), int(transport.ended)
        # on average half a step (or block) until the next one is made, the margin, and what the limiter looks ahead
        wait = max(self._performance.hop_length, ring.block_length) / 2
        ring.latency_s = (wait + ring.lead) / rate + self._pace.margin_s

    def _listen(self) -> None:
        while self._connection.poll():
            match self._connection.recv():
                case SetControls(changes):
                    self._waiting += changes
                case UseAnalysis(track, path):
                    self._loader.request_mask(track, path)

    def _apply(self) -> None:
        """What can be done now; a move to where nothing is loaded yet waits, and what comes after it with it."""
        performance = self._performance
        applied = performance.follow_up()
        while self._waiting and self._loaded(*self._waiting[0]):
            applied += performance.command(*self._waiting.pop(0))
        if applied:
            self._outbox.send(EventsApplied.at_step(performance.position, applied))

    def _loaded(self, address: str, value: Value) -> bool:
        performance, track = self._performance, self._performance.transport.track
        if (target := performance.seek_target(address, value)) is not None:
            return self._sounds[track].is_loaded(target, target + 8 * performance.hop_length)
        if address == ROOT + "transport/track" and isinstance(value, int | float):
            number = int(value)
            return not 0 <= number < len(self._sounds) or self._sounds[number].is_loaded(0, 1 << 15)
        return True

    def _wanted(self) -> tuple[int, int]:
        """The track and the sample of it that are needed next: where a command leads that waits, else what plays."""
        transport = self._performance.transport
        for address, value in self._waiting[:1]:
            if (target := self._performance.seek_target(address, value)) is not None:
                return transport.track, target
            if address == ROOT + "transport/track" and isinstance(value, int | float):
                return min(max(int(value), 0), len(self._sounds) - 1), 0
        return transport.track, transport.position

    def _resume(self, point: ResumePoint) -> None:
        """Go on where another renderer ended, under the controls that it had."""
        performance = self._performance
        position = -(-point.position // performance.hop_length) * performance.hop_length  # (all events lie on steps)
        performance.resume(position, point.track, point.track_position, playing=point.playing)
        for track, path in point.analyses.items():
            try:
                performance.masks[track] = load_mask(path, sample_rate=performance.sample_rate)
            except InputError as error:
                self._outbox.send(Notice(str(error), is_error=True))
            else:
                self._waiting.append((ANALYSIS_READY, track))
        self._waiting += point.controls

    def _got_map(self, number: int, known: SegmentMask) -> None:
        """By the loader's thread."""
        self._performance.masks[number] = known
        self._waiting.append((ANALYSIS_READY, number))
