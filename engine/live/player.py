"""The player: starts and supervises the render, output and analysis processes.

    renderer --ring buffer--> output process       analysis process (torch): analyses, measured effects
        ^ control changes                              |
        +------------------- player -------------------+

The player sends control changes to the renderer (the newest of each address) and passes on the messages of all three.
If the output device disappears it is looked for every second, and the performance waits. A renderer or an analysis
process that ends is started again: the renderer continues where it was, under the same controls.
"""

import contextlib
import threading
import time
from collections.abc import Callable, MutableSet, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..audio.containers.input_file import file_version
from ..audio.decode import probe
from ..devices.output_device import OutputDevice
from ..performance.events import FADE_OUT, Value
from ..processes.ipc import ChildProcesses
from ..processes.messages import (
    AnalysisJob,
    AttachRing,
    DeviceFailed,
    EventsApplied,
    OutputJob,
    PlayerCallback,
    PlayerMeters,
    ProcessName,
    ProcessStatus,
    RenderJob,
    SettingSolved,
    SolveTargets,
    TrackAnalyzed,
)
from ..processes.renderer_link import RendererLink
from ..processes.restarts import PROCESS_TEXTS, RestartLimit
from ..processes.ring_buffer import RingBuffer
from . import entry_points
from .control_queue import ControlQueue
from .player_options import PlayerOptions

_GATHER_S: Final = 0.001
_JOIN_S: Final = 1.5
_LAST_MESSAGES_S: Final = 5.0
_POLL_S: Final = 0.02
_TAKE_S: Final = 0.2
_FIRST_SOUND_S: Final = 3.0
_FADE_MARGIN_S: Final = 1.0


class Player:
    """Plays a set list on an output device; paused at first, until `close`."""

    def __init__(
        self,
        files: Sequence[Path],
        event: PlayerCallback,
        options: PlayerOptions,
        *,
        children: ChildProcesses | None = None,
    ) -> None:
        """Start the processes; `event` takes their messages. Raises InputError: unplayable file, no device.

        children: where some of them are prepared (entry_points.prepared_processes).
        """
        self._event = event
        self._versions = tuple(file_version(file) for file in files)
        sources = [probe(file) for file in files]
        self.channels = options.channels or max(2, *(source.channels for source in sources))
        widest = max(sources, key=lambda source: source.channels)
        if widest.channels > self.channels > 1:
            raise InputError(
                f"{widest.path}: it has {widest.channels} channels, more than --channels {self.channels}"
            )
        self._children = children or ChildProcesses()
        self._closing = threading.Event()
        self.ring: RingBuffer | None = None
        self._analysis_process: Any = None
        self._analysis_connection: Any = None
        self._receiver: threading.Thread | None = None
        self._started_at = time.monotonic()
        self._played = 0
        self._queue = ControlQueue()
        self._given_up: set[ProcessName] = set()
        self._restarts = {"renderer": RestartLimit(), "analyzer": RestartLimit()}
        try:
            self._start(tuple(files), sources[0].sample_rate, options)
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._send, daemon=True).start()
        self._receiver = threading.Thread(target=self._receive, daemon=True)
        self._receiver.start()

    def set(self, address: str, value: Value) -> None:
        """Send a control change; of several waiting changes of one address the newest counts."""
        self._queue.put(address, value)

    def solve_targets(self, request: SolveTargets) -> None:
        """Have the network find faders for targets: TargetsSolved answers, unless the analysis process ends."""
        with contextlib.suppress(OSError, AttributeError):  # (gone, or not there yet)
            self._analysis_connection.send(request)

    def meters(self) -> PlayerMeters:
        """Read the meters; the position is that of the sample played now, not of the newest one rendered."""
        ring = self.ring
        assert ring is not None
        awaited = self._queue.awaited()  # (first: what takes effect meanwhile is in the ring before it is told)
        position_s = ring.position_s - (ring.fill / self.sample_rate if ring.playing else 0.0)
        return PlayerMeters(
            track=ring.track,
            position_s=max(position_s, 0.0),
            duration_s=ring.duration_s,
            playing=bool(ring.playing),
            ended=bool(ring.ended),
            peak=ring.peak,
            load=ring.load,
            underruns=ring.dropouts,
            xruns=ring.late,
            buffered=ring.fill,
            latency_s=ring.latency_s,
            channel_peaks=(ring.left_peak, ring.right_peak),
            reduction_db=ring.reduction_db,
            awaited=awaited,
        )

    @property
    def samples_played(self) -> int:
        """Samples of the performance that the device has read."""
        return self._played if self.ring is None else max(self.ring.read - self.ring.leading_silence, 0)

    def close(self, *, fade_s: float = 0.0) -> None:
        """Stop the processes and free the ring buffer.

        Parameters
        ----------
        fade_s : float
            Fade out within so many seconds before, if something plays.
        """
        if self._closing.is_set():
            return
        ring = self.ring
        if fade_s > 0 and ring is not None and ring.playing:
            self._fade_out(ring, fade_s)
        self._closing.set()
        if ring is not None:
            ring.stop = 1
        if self._analysis_process is not None:
            self._analysis_process.kill()  # it may be computing; its files are written atomically
        self._children.join(_JOIN_S if ring is not None else 0)
        if self._receiver is not None:
            self._receiver.join(_LAST_MESSAGES_S)  # what the renderer applied before it ended is passed on
        if ring is not None:
            self._played, self.ring = self.samples_played, None
            ring.close()

    def _fade_out(self, ring: RingBuffer, fade_s: float) -> None:
        """Fade out and wait until the device has read the end of the fade, or should have."""
        self._queue.put(FADE_OUT, fade_s)
        end = time.monotonic() + fade_s + _FADE_MARGIN_S
        target = ring.written + round(fade_s * self.sample_rate) + 4 * max(ring.block_length, 1024)
        while ring.read < target and time.monotonic() < end:
            time.sleep(_POLL_S)

    def _start(self, files: tuple[Path, ...], file_rate: int, options: PlayerOptions) -> None:
        self._renderer = RendererLink(self._children, entry_points.render_main)
        job = OutputJob(options.backend, options.sample_rate, self.channels, options.block_length, options.device)
        self._output = OutputDevice(self._children, job, file_rate=file_rate)
        self.sample_rate, self.block_length = self._output.sample_rate, self._output.block_length
        self.ring = ring = RingBuffer(self.channels)
        self._renderer.begin(
            RenderJob(files, self.sample_rate, self.channels, options.ceiling_dbtp, options.ahead, ring.name)
        )
        self._output.attach(ring.name)
        self._files, self._options = files, options

    def _send(self) -> None:
        """Thread: send the queued changes to the renderer, gathered over a millisecond."""
        while not self._closing.is_set():
            changes = self._queue.take(_TAKE_S)
            if not changes:
                continue
            try:
                self._renderer.set_controls(changes)
            except OSError:  # it has ended, and another one is on its way
                self._queue.give_back(changes)
                time.sleep(_POLL_S)
            time.sleep(_GATHER_S)  # a flood of changes becomes a few messages

    def _start_analysis(self) -> Any:  # noqa: ANN401
        ring, options = self.ring, self._options
        assert ring is not None
        job = AnalysisJob(
            self._files,
            self._versions,
            options.model,
            dict(options.analysis),
            options.draft_first,
            options.presets(),
        )
        self._analysis_process, self._analysis_connection = self._children.start(entry_points.analysis_main, job)
        with contextlib.suppress(OSError):  # (it has ended already: its pipe tells `_receive`)
            self._analysis_connection.send(AttachRing(ring.name, self.sample_rate, self.channels))
        return self._analysis_connection

    def _receive(self) -> None:
        """Thread: receive the messages of the processes and replace those that end; last, what the renderer left."""
        connections: MutableSet[Any] = {self._renderer.connection, self._output.connection}
        while not self._closing.is_set():
            if self._analysis_process is None and "analyzer" not in self._given_up and self._has_sounded():
                self._add("analyzer", self._start_analysis, connections)
            ready: list[Any] = wait(list(connections), timeout=_POLL_S if self._analysis_connection is None else 0.2)
            for connection in ready:
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    connections.discard(connection)
                    self._ended(connection, connections)
                    continue
                self._pass_on(message)
        with contextlib.suppress(EOFError, OSError):  # (the end of the renderer's pipe)
            while True:
                self._pass_on(self._renderer.connection.recv())

    def _has_sounded(self) -> bool:
        """Whether the device has read the first samples, or should have: the analysis process starts only then."""
        ring = self.ring
        return ring is not None and bool(ring.read or time.monotonic() - self._started_at > _FIRST_SOUND_S)

    def _pass_on(self, message: object) -> None:
        match message:
            case DeviceFailed():  # its pipe is closed next
                return
            case ProcessStatus(process, "failed"):  # it ends by itself and would do so again
                self._given_up.add(process)
            case TrackAnalyzed(track, summary):
                # (known already: an analysis process that was started again tells it once more; so below)
                if not self._renderer.use_analysis(track, str(summary.analysis)):
                    return
            case SettingSolved():
                if not self._renderer.use_setting(message):
                    return
            case EventsApplied(events):
                self._queue.note_applied(events)
        self._event(message)  # type: ignore[arg-type]

    def _ended(self, connection: Any, connections: MutableSet[Any]) -> None:  # noqa: ANN401
        """A pipe was closed: start the process again, or look for the output device."""
        if self._closing.is_set():
            return
        if connection is self._renderer.connection:
            self._replace("renderer", self._restart_renderer, connections)
        elif connection is self._analysis_connection:
            self._replace("analyzer", self._start_analysis, connections)
        else:
            self._event(ProcessStatus("output", "gone", "the sound card is gone; looking for it every second"))
            threading.Thread(target=self._reconnect_output, args=(connections,), daemon=True).start()

    def _replace(self, process: ProcessName, restart: Callable[[], Any], connections: MutableSet[Any]) -> None:
        if process in self._given_up:
            return
        name, consequence = PROCESS_TEXTS[process]
        if not self._restarts[process].allows():
            text = f"{name} ends again and again and is not started any more: {consequence} (play again)"
            self._event(ProcessStatus(process, "failed", text))
            return
        self._event(ProcessStatus(process, "restarting", f"{name} has ended; it is started again"))
        if self._add(process, restart, connections):
            self._event(ProcessStatus(process, "running", f"{name} is there again"))

    def _add(self, process: ProcessName, start: Callable[[], Any], connections: MutableSet[Any]) -> bool:
        """Start a process and listen to it; whether that went well. Who cannot be started is given up."""
        try:
            connections.add(start())
        except InputError as error:
            if not self._closing.is_set():
                self._given_up.add(process)
                name, consequence = PROCESS_TEXTS[process]
                text = f"{name} cannot be started ({error}): {consequence} (play again)"
                self._event(ProcessStatus(process, "failed", text))
            return False
        return True

    def _restart_renderer(self) -> Any:  # noqa: ANN401
        ring = self.ring
        assert ring is not None
        self._renderer.restart(
            position=ring.written,
            track=ring.track,
            track_position=round(ring.position_s * self.sample_rate),
            playing=bool(ring.playing),
            ended=bool(ring.ended),
            controls=self._queue.held(),
        )
        self._queue.repeat_awaited()
        return self._renderer.connection

    def _reconnect_output(self, connections: MutableSet[Any]) -> None:
        """Thread: look for the output device until it is back."""
        if self._output.reconnect(self._closing, lambda text: self._event(ProcessStatus("output", "failed", text))):
            connections.add(self._output.connection)
            self._event(ProcessStatus("output", "running", "the sound card is back"))
