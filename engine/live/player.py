"""The player: the render, output and analysis processes as one thing that plays.

    renderer --ring buffer--> output process       analysis process (torch): analyses, measured effects
        ^ control changes                              |
        +------------------- player -------------------+

The player sends control changes to the renderer (the newest of each address) and passes on the messages of all three.
If the output device disappears it is looked for every second, and the performance waits. A renderer or an analysis
process that ends is started again (supervisor.py): the renderer continues where it was, under the same controls.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..audio.containers.input_file import file_version
from ..audio.decode import probe
from ..devices.output_device import OutputDevice
from ..performance.events import FADE_OUT, Value
from ..processes.ipc import ChildProcesses, MessageSender
from ..processes.lasting_loop import fault_line, run_rounds
from ..processes.messages import (
    AnalysisJob,
    AttachRing,
    DeviceFailed,
    EventsApplied,
    Notice,
    OutputJob,
    PlayerCallback,
    PlayerMeters,
    PortsConnected,
    ProcessStatus,
    RenderJob,
    SettingSolved,
    SolveTargets,
    TrackAnalyzed,
)
from ..processes.renderer_link import RendererLink
from ..processes.ring_buffer import RingBuffer
from . import entry_points
from .control_queue import ControlQueue
from .player_options import PlayerOptions
from .supervisor import Pipe, Supervised, Supervisor

_GATHER_S: Final = 0.001
_JOIN_S: Final = 1.5
_LAST_MESSAGES_S: Final = 5.0
_POLL_S: Final = 0.02
_TAKE_S: Final = 0.2
_FIRST_SOUND_S: Final = 3.0
_FADE_MARGIN_S: Final = 1.0
_ANALYSIS_S: Final = 120.0  # (between two looks it may solve targets, on a busy machine)
_OPENING_S: Final = 10.0  # an output device may take its time to begin


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
        self._analysis_outbox: MessageSender | None = None
        self._receiver: threading.Thread | None = None
        self._started_at = time.monotonic()
        self._played = 0
        self._queue = ControlQueue()
        try:
            self._start(tuple(files), sources[0].sample_rate, options)
        except BaseException:
            self.close()
            raise
        self._supervisor = Supervisor(
            {
                "renderer": Supervised(self._restart_renderer, self._renderer.kill, self._renderer_beat),
                "output": Supervised(self._look_for_output, self._output.kill, self._output_beat, _OPENING_S),
                "analyzer": Supervised(
                    self._start_analysis, lambda: self._analysis_process.kill(), self._analysis_beat, _ANALYSIS_S
                ),
            },
            take=self._pass_on,
            tell=event,
            closing=self._closing,
        )
        self._supervisor.listen("renderer", self._renderer.connection)
        self._supervisor.listen("output", self._output.connection)
        self._supervisor.start_when("analyzer", self._has_sounded)
        told: dict[str, Any] = {"who": "the player", "tell": lambda text: event(Notice(text, is_error=True))}
        threading.Thread(target=run_rounds, args=(self._send, self._closing), kwargs=told, daemon=True).start()
        last = (lambda: self._renderer.connection,)
        self._receiver = threading.Thread(target=self._supervisor.run, args=last, daemon=True)
        self._receiver.start()

    def set(self, address: str, value: Value) -> None:
        """Send a control change; of several waiting changes of one address the newest counts."""
        self._queue.put(address, value)

    def solve_targets(self, request: SolveTargets) -> None:
        """Have the network find faders for targets: TargetsSolved answers, unless the analysis process ends."""
        if (outbox := self._analysis_outbox) is not None:
            outbox.send(request)

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
        played = self.sample_rate, self.channels, options.ceiling_dbtp
        self._renderer.begin(RenderJob(files, self._versions, *played, options.ahead, ring.name))
        self._output.attach(ring.name)
        self._files, self._options = files, options

    def _send(self) -> None:
        """Send the queued changes to the renderer, gathered over a millisecond. One round of a thread."""
        changes = self._queue.take(_TAKE_S)
        try:
            self._renderer.send(changes)
        except OSError:  # it has ended, and another one is on its way
            if changes:
                self._queue.give_back(changes)
            time.sleep(_POLL_S)
        if changes:
            time.sleep(_GATHER_S)  # a flood of changes becomes a few messages

    def _start_analysis(self) -> Pipe:
        ring, options = self.ring, self._options
        assert ring is not None
        try:
            presets = options.presets()
        except Exception as error:  # (whatever their folder is now: tracks can be analysed without)
            self._event(Notice(fault_line("presets", error), is_error=True))
            presets = ()
        ring.looks, analysis = 0, dict(options.analysis)
        job = AnalysisJob(self._files, self._versions, options.model, analysis, options.draft_first, presets)
        self._analysis_process, connection = self._children.start(entry_points.analysis_main, job)
        if self._analysis_outbox is not None:
            self._analysis_outbox.close(0)
        outbox = MessageSender(connection)  # (who asks for targets is not to wait for a process that stands still)
        outbox.send(AttachRing(ring.name, self.sample_rate, self.channels))
        self._analysis_outbox = outbox
        return connection

    def _has_sounded(self) -> bool:
        """Whether the device has read the first samples, or should have: the analysis process starts only then."""
        ring = self.ring
        return ring is not None and bool(ring.read or time.monotonic() - self._started_at > _FIRST_SOUND_S)

    def _pass_on(self, message: object) -> None:
        match message:
            case DeviceFailed():  # its pipe is closed next
                return
            case PortsConnected(connections):
                self._output.connections = connections
                return
            case ProcessStatus(process, "failed"):  # it ends by itself and would do so again
                self._supervisor.give_up(process)
            case TrackAnalyzed(track, summary):
                # (known already: an analysis process that was started again tells it once more; so below)
                if not self._renderer.use_analysis(track, str(summary.analysis)):
                    return
                self._queue.wake()
            case SettingSolved():
                if not self._renderer.use_setting(message):
                    return
                self._queue.wake()
            case EventsApplied(events):
                self._queue.note_applied(events)
        self._event(message)  # type: ignore[arg-type]

    def _renderer_beat(self) -> int | None:
        """Its rounds, once there is one."""
        ring = self.ring
        return None if ring is None else ring.rounds or None

    def _output_beat(self) -> int | None:
        """The blocks that the device has read; None where there are none to be read."""
        ring = self.ring
        return None if ring is None or ring.fill < 2 * max(ring.block_length, 1) else ring.blocks

    def _analysis_beat(self) -> int | None:
        """How often it has looked for work, once it has."""
        ring = self.ring
        return None if ring is None else ring.looks or None

    def _restart_renderer(self) -> Pipe:
        ring = self.ring
        assert ring is not None
        ring.rounds = 0
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

    def _look_for_output(self) -> None:
        threading.Thread(target=self._reconnect_output, daemon=True).start()

    def _reconnect_output(self) -> None:
        """Thread: look for the output device until it is back."""
        tell = lambda text: self._event(ProcessStatus("output", "failed", text))  # noqa: E731
        try:
            is_back = self._output.reconnect(self._closing, tell)
        except Exception:  # (of who is told: another thread looks further)
            self._supervisor.start_when("output", lambda: True)
            return
        if is_back:
            self._supervisor.listen("output", self._output.connection)
            self._supervisor.started("output", "the sound card is back")
