"""The render process: fills the ring buffer step by step, as the scheduler says.

It imports no torch, which would delay the first sound and bring threads of its own. Control changes arrive over a
pipe and take effect with the next step; the output sample at which they did is sent back.
"""

import contextlib
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common.errors import InputError
from ..audio.containers.input_file import file_version
from ..audio.sample_buffer import SampleBuffer
from ..audio.true_peak import TruePeakEnvelope
from ..dsp.segment_mask import SegmentMask
from ..dsp.solved_settings import SolvedSetting
from ..performance.events import ANALYSIS_READY, ROOT, SETTING_SOLVED, Value, read_setting, setting_text
from ..performance.performance import SetRenderer
from ..processes.cpu_load import CpuLoadMonitor
from ..processes.ipc import MessageSender
from ..processes.messages import (
    EventsApplied,
    Notice,
    RenderJob,
    ResumePoint,
    SetControls,
    SettingSolved,
    UseAnalysis,
)
from ..processes.realtime import NO_REALTIME_WARNING, RT_CONTROL, RT_RENDER, lock_memory_and_freeze_gc, set_realtime
from ..processes.ring_buffer import RingBuffer
from .control_queue import WaitingCommands
from .scheduler import MARGIN_NOT_REALTIME_S, RenderScheduler
from .track_loader import TrackLoader, load_mask

_POLL_S: Final = 0.0005
_MAX_SLEEP_S: Final = 0.005
_METER_S: Final = 0.3  # time constant of the decay of peak and maximum load
_WATCH_S: Final = 0.25
_REPLACED: Final = (
    "its file has been changed since the show began: the new one plays from now on, and its faders do nothing "
    "(play again)"
)
_SLACK_SHOWN_S: Final = 5.0  # the smallest slack of a step is shown for so long


def main(connection: "Connection[Any, Any]") -> None:
    """Body of the process: receive a RenderJob, then changes, until the pipe is closed."""
    lock_memory_and_freeze_gc()  # (while the job is on its way: it takes as long as a block)
    with contextlib.suppress(EOFError, ConnectionError):  # (the player has gone)
        RenderProcess(connection.recv(), connection).run()


def _sound(file: Path, job: RenderJob) -> SampleBuffer:
    """The sound of a file. One that goes away while a show runs must not end a renderer that is put back.

    Raises InputError where it cannot be played and the show has not begun.
    """
    rate, channels = job.sample_rate, job.channels
    try:
        return SampleBuffer.from_file(file, sample_rate=rate, channels=channels)
    except InputError as error:
        if job.resume is None:
            raise
        return SampleBuffer.unreadable(file, error, sample_rate=rate, channels=channels)


def _replaced_files(job: RenderJob) -> frozenset[int]:
    """The tracks whose files are others than when the show began: what is known of their sound is of other sound."""
    if job.resume is None:
        return frozenset()
    versions = zip(job.files, job.versions, strict=True)
    return frozenset(number for number, (file, was) in enumerate(versions) if file_version(file) not in (was, None))


class RenderProcess:
    """Renders a set list into the ring buffer of its job."""

    def __init__(self, job: RenderJob, connection: "Connection[Any, Any]") -> None:
        set_realtime(RT_CONTROL)  # inherited by the threads started here; this one goes higher in `run`
        self._connection = connection
        self._sender = MessageSender(connection)
        self._ring = RingBuffer(job.channels, name=job.ring)
        self._replaced = _replaced_files(job)
        for number in self._replaced:
            self._sender.send(Notice(f"{job.files[number].name}: {_REPLACED}", is_error=True))
        self._sounds = [_sound(file, job) for file in job.files]
        self._renderer = SetRenderer(self._sounds, ceiling_dbtp=job.ceiling_dbtp)
        margin_s = None if job.ahead is None else job.ahead / job.sample_rate
        hop = self._renderer.hop_length
        self._scheduler = RenderScheduler(sample_rate=job.sample_rate, step_length=hop, margin_s=margin_s)
        self._peaks = TruePeakEnvelope(self._renderer.channels)
        self._waiting = WaitingCommands()
        if job.resume is not None:
            self._resume(job.resume)
        self._loader = TrackLoader(self._sounds, self._on_mask_loaded, self._sender.send, self._wanted)
        self._step_s = hop / job.sample_rate
        self._meter_decay = float(np.exp(-self._step_s / _METER_S))
        self._slack_at = 0.0

    def run(self) -> None:
        """Render until the ring buffer's `stop` is set."""
        try:
            self._render()
        finally:
            self._loader.stop()
            self._sender.close()

    def _render(self) -> None:
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        if not set_realtime(RT_RENDER):  # last, when nothing long is left to do at this priority
            self._sender.send(Notice(NO_REALTIME_WARNING))
            self._scheduler.idle_margin_s = MARGIN_NOT_REALTIME_S
        ring, hop = self._ring, self._renderer.hop_length
        ready = self._renderer.transport.ready
        while not ring.stop:
            ring.rounds += 1
            self._receive_messages()
            read, read_at = ring.last_read()
            block = ring.block_length or hop
            if read:
                self._scheduler.on_device_read(read, read_at, block)
            early = self._scheduler.next_deadline(ring.written) - time.monotonic()
            if early > 0 and ready():
                time.sleep(min(early, _MAX_SLEEP_S))
            elif ring.written - read + hop > self._scheduler.max_buffered(block) or not ready():
                self._apply()
                time.sleep(_POLL_S)
            else:
                self._step()

    def _watch(self) -> None:
        """Thread: follow the CPU load."""
        monitor = CpuLoadMonitor()
        while not self._ring.stop:
            time.sleep(_WATCH_S)
            self._scheduler.busy = monitor.is_loaded()

    def _step(self) -> None:
        """Render the next step, unless what was just asked for has to be loaded first."""
        performance, ring = self._renderer, self._ring
        self._apply()
        if not performance.transport.ready():
            return
        begun = time.monotonic()
        position, block = performance.position, performance.step()
        if len(block) < performance.hop_length:  # the first step: the limiter keeps its look-ahead back
            ring.leading_silence = performance.hop_length - len(block)
            silence = position + ring.leading_silence - ring.written  # aligns steps with the device's blocks
            ring.write(np.zeros((silence, performance.channels), dtype=np.float32))
        written = ring.written
        self._mark_moves()
        ring.write_monitor(position + ring.leading_silence, performance.monitor)
        ring.write(block)
        now = time.monotonic()
        slack_s = self._scheduler.on_step_done(written, now)
        if slack_s < ring.min_slack_s or now - self._slack_at > _SLACK_SHOWN_S:
            ring.min_slack_s, self._slack_at = slack_s, now
        load = (now - begun) / self._step_s
        ring.load += (load - ring.load) * 0.05
        ring.load_max = max(load, ring.load_max * self._meter_decay)
        fallen = ring.peak * self._meter_decay
        ring.peak = max(float(self._peaks.process(block, above=fallen).max(initial=0.0)), fallen)
        self._measure_channels(block)
        self._update_meters()

    def _measure_channels(self, block: np.ndarray) -> None:
        """Peaks of the first two channels (of mono the same), and what the limiter does; all fall slowly."""
        ring, decay = self._ring, self._meter_decay
        peaks = np.abs(block[:, :2]).max(axis=0, initial=0.0)
        ring.left_peak = max(float(peaks[0]), ring.left_peak * decay)
        ring.right_peak = max(float(peaks[-1]), ring.right_peak * decay)
        ring.reduction_db = max(self._renderer.reduction_db, ring.reduction_db * decay)

    def _mark_moves(self) -> None:
        performance, ring = self._renderer, self._ring
        ring.jumped_at = performance.jumped_at + ring.leading_silence
        ring.moved_at = performance.moved_at + ring.leading_silence

    def _update_meters(self) -> None:
        transport, ring = self._renderer.transport, self._ring
        rate = self._renderer.sample_rate
        ring.position_s = transport.position / rate
        ring.duration_s = self._sounds[transport.track].expected_duration_s or 0.0
        ring.track, ring.playing, ring.ended = transport.track, int(transport.playing), int(transport.ended)
        # on average half a step (or block) until the next one is rendered, the margin, and the limiter's look-ahead
        wait = max(self._renderer.hop_length, ring.block_length) / 2
        ring.latency_s = (wait + ring.leading_silence) / rate + self._scheduler.margin_s

    def _receive_messages(self) -> None:
        while self._connection.poll():
            match self._connection.recv():
                case SetControls(changes):
                    self._waiting.put(*changes)
                case UseAnalysis(track, path) if track not in self._replaced:
                    self._loader.request_mask(track, path)
                case SettingSolved() as solved:
                    self._use_setting(solved)

    def _apply(self) -> None:
        """Apply the waiting changes, but those that lead to samples not yet loaded and the moves behind them."""
        performance = self._renderer
        applied = performance.follow_up()
        for change in self._waiting.take(self._loaded):
            applied += performance.command(*change)
        if applied:
            self._mark_moves()
            self._update_meters()  # (first: who is told that something has taken effect finds it there)
            self._sender.send(EventsApplied.at_step(performance.position, applied))

    def _loaded(self, address: str, value: Value) -> bool:
        performance, track = self._renderer, self._renderer.transport.track
        if (target := performance.seek_target(address, value)) is not None:
            return self._sounds[track].is_loaded(target, target + 8 * performance.hop_length)
        if address == ROOT + "transport/track" and isinstance(value, int | float):
            number = int(value)
            return not 0 <= number < len(self._sounds) or self._sounds[number].is_loaded(0, 1 << 15)
        return True

    def _wanted(self) -> tuple[int, int]:
        """Track and sample that are needed next: the target of a waiting seek, else the position."""
        transport = self._renderer.transport
        if (first := self._waiting.first()) is not None:
            address, value = first
            if (target := self._renderer.seek_target(address, value)) is not None:
                return transport.track, target
            if address == ROOT + "transport/track" and isinstance(value, int | float):
                return min(max(int(value), 0), len(self._sounds) - 1), 0
        return transport.track, transport.position

    def _use_setting(self, solved: SettingSolved) -> None:
        """A setting sounds as it was solved as a whole, from the next step on (once its track's mask is there)."""
        if solved.track in self._replaced:
            return
        text = setting_text(solved.track, solved.faders_db)
        self._renderer.settings[text] = SolvedSetting(np.array(solved.faders_db), solved.correction_db)
        if self._renderer.masks[solved.track] is not None:
            self._waiting.put((SETTING_SOLVED, text))

    def _resume(self, point: ResumePoint) -> None:
        """Continue where another renderer ended, under the controls that it had."""
        performance = self._renderer
        position = (
            -(-point.position // performance.hop_length) * performance.hop_length
        )  # events lie on the grid of steps
        performance.resume(position, point.track, point.track_position, playing=point.playing, ended=point.ended)
        for track, path in point.analyses.items():
            if track in self._replaced:
                continue
            try:
                performance.masks[track] = load_mask(path, sample_rate=performance.sample_rate)
            except InputError as error:
                self._sender.send(Notice(str(error), is_error=True))
            else:
                self._waiting.put((ANALYSIS_READY, track))
        for solved in point.settings:
            self._use_setting(solved)
        self._waiting.put(*point.controls)

    def _on_mask_loaded(self, number: int, mask: SegmentMask) -> None:
        """Called by the thread of the loader."""
        self._renderer.masks[number] = mask
        own = [text for text in list(self._renderer.settings) if read_setting(text)[0] == number]
        self._waiting.put((ANALYSIS_READY, number), *((SETTING_SOLVED, text) for text in own))
