"""Playing: three processes and what goes between them.

    renderer --ring--> sound card's process        hearing (torch): analyses, and measures what sounded
        ^ changes                                      |
        +------------------- player -------------------+

The player starts them, sends changes to the renderer (the newest of each address only), and passes on what they tell.
If the sound card goes it is looked for every second, and the performance waits where it was. A renderer or an
analysis process that ends is started again: the renderer goes on where it was, under the same controls.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, MutableSet, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..audio.decode import probe
from ..devices.output_device import OutputDevice
from ..performance.events import FADE_OUT, LOOP, Value
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
    ResumePoint,
    SetControls,
    TrackAnalyzed,
    UseAnalysis,
)
from ..processes.ring_buffer import RingBuffer
from . import entry_points
from .control_queue import ControlQueue
from .restarts import RestartLimit

BLOCK_LENGTH: Final = 512
_GATHER_S: Final = 0.001
_PATIENCE_S: Final = 1.5
_LOOK_S: Final = 0.02
_TAKE_S: Final = 0.2
_FIRST_S: Final = 3.0
_FADE_PATIENCE_S: Final = 1.0


@dataclass(frozen=True)
class PlayerOptions:
    """backend: jack, portaudio, pyo (JACK through pyo), null, or auto (the first that is there). sample_rate in Hz
    and channels: None takes the device's and the tracks'. ahead: samples that are made so long before the card takes
    them, None for as many as it turns out to need.
    """

    backend: str = "auto"
    device: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    block_length: int = BLOCK_LENGTH
    ahead: int | None = None
    ceiling_dbtp: float = -1.0
    model: Path | None = None
    analysis: Mapping[str, Any] = field(default_factory=dict)


class Player:
    """Plays files on a device, from the moment it is made (paused) until `close`."""

    def __init__(self, files: Sequence[Path], event: PlayerCallback, options: PlayerOptions) -> None:
        """Raises InputError for a file that cannot be played and a device that is not there."""
        self._event = event
        sources = [probe(file) for file in files]
        self.channels = options.channels or max(2, *(source.channels for source in sources))
        widest = max(sources, key=lambda source: source.channels)
        if widest.channels > self.channels > 1:
            raise InputError(
                f"{widest.path}: it has {widest.channels} channels, more than --channels {self.channels}"
            )
        self._children = ChildProcesses()
        self._closing = threading.Event()
        self.ring: RingBuffer | None = None
        self._hearing_process: Any = None
        self._hearing: Any = None
        self._begun = time.monotonic()
        self._played = 0
        self._queue = ControlQueue()
        self._analyses: dict[int, str] = {}
        self._pipe_lock = threading.Lock()  # two threads send to the renderer
        self._given_up: set[ProcessName] = set()
        self._restarts = {"renderer": RestartLimit(), "analyzer": RestartLimit()}
        try:
            self._start(tuple(files), sources[0].sample_rate, options)
        except BaseException:
            self.close()
            raise
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def set(self, address: str, value: Value) -> None:
        """Change a control as soon as possible. If several changes of one address wait, the newest counts."""
        self._queue.put(address, value)

    def meters(self) -> PlayerMeters:
        """Read the meters; the position is that of what is heard, not of what is rendered ahead of it."""
        ring = self.ring
        assert ring is not None
        heard_s = ring.position_s - (ring.fill / self.sample_rate if ring.playing else 0.0)
        return PlayerMeters(
            track=ring.track,
            position_s=max(heard_s, 0.0),
            duration_s=ring.duration_s,
            playing=bool(ring.playing),
            ended=bool(ring.ended),
            peak=ring.peak,
            load=ring.load,
            underruns=ring.dropouts,
            xruns=ring.late,
            buffered=ring.fill,
            latency_s=ring.latency_s,
        )

    @property
    def samples_played(self) -> int:
        """Samples of the performance that have gone to the card."""
        return self._played if self.ring is None else max(self.ring.read - self.ring.lead, 0)

    def close(self, *, fade_s: float = 0.0) -> None:
        """Stop and clean up.

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
        if self._hearing_process is not None:
            self._hearing_process.kill()  # (it may be in the middle of something long; its files are written whole)
        self._children.join(_PATIENCE_S if ring is not None else 0)
        if ring is not None:
            self._played, self.ring = self.samples_played, None
            ring.close()

    def _fade_out(self, ring: RingBuffer, fade_s: float) -> None:
        """Wait until the end of the fade has gone to the card, or until that should have happened."""
        self._queue.put(FADE_OUT, fade_s)
        end = time.monotonic() + fade_s + _FADE_PATIENCE_S
        target = ring.written + round(fade_s * self.sample_rate) + 4 * max(ring.block_length, 1024)
        while ring.read < target and time.monotonic() < end:
            time.sleep(_LOOK_S)

    def _start(self, files: tuple[Path, ...], file_rate: int, options: PlayerOptions) -> None:
        _, self._renderer = self._children.start(entry_points.render_main)
        job = OutputJob(options.backend, options.sample_rate, self.channels, options.block_length, options.device)
        self._card = OutputDevice(self._children, job, file_rate=file_rate)
        self.sample_rate, self.block_length = self._card.sample_rate, self._card.block_length
        self.ring = ring = RingBuffer(self.channels)
        self._render_job = RenderJob(
            files, self.sample_rate, self.channels, options.ceiling_dbtp, options.ahead, ring.name
        )
        self._renderer.send(self._render_job)
        self._card.attach(ring.name)
        self._hearing_job = AnalysisJob(files, options.model, dict(options.analysis))

    def _send(self) -> None:
        """Thread: hand the changes over, a few of them at a time."""
        while not self._closing.is_set():
            changes = self._queue.take(_TAKE_S)
            if not changes:
                continue
            try:
                self._tell_renderer(SetControls(changes))
            except OSError:  # it has ended, and another one is on its way
                self._queue.give_back(changes)
                time.sleep(_LOOK_S)
            time.sleep(_GATHER_S)  # (a flood of messages becomes a few)

    def _tell_renderer(self, message: SetControls | UseAnalysis) -> None:
        with self._pipe_lock:
            self._renderer.send(message)

    def _hear(self) -> None:
        """Start the process that analyses."""
        ring = self.ring
        if ring is not None:
            self._hearing_process, self._hearing = self._children.start(entry_points.analysis_main, self._hearing_job)
            self._hearing.send(AttachRing(ring.name, self.sample_rate, self.channels))

    def _receive(self) -> None:
        """Thread: pass on what the processes tell, and look after them."""
        talking: MutableSet[Any] = {self._renderer, self._card.connection}
        while not self._closing.is_set():
            if self._hearing is None and self._has_sounded():
                self._hear()
                talking.add(self._hearing)
            ready: list[Any] = wait(list(talking), timeout=_LOOK_S if self._hearing is None else 0.2)
            for connection in ready:
                try:
                    message = connection.recv()
                except (EOFError, OSError):
                    talking.discard(connection)
                    self._ended(connection, talking)
                    continue
                self._pass_on(message)

    def _has_sounded(self) -> bool:
        """Whether the first sound has come, or should have: until then nothing else is started."""
        ring = self.ring
        return ring is not None and bool(ring.read or time.monotonic() - self._begun > _FIRST_S)

    def _pass_on(self, message: object) -> None:
        match message:
            case DeviceFailed():  # (the end of its pipe follows)
                return
            case ProcessStatus(process, "failed"):  # it ends by itself, and would do so again
                self._given_up.add(process)
            case TrackAnalyzed(track, summary):
                if self._analyses.get(track) == str(summary.analysis):  # a process that was started again
                    return
                self._analyses[track] = str(summary.analysis)
                with contextlib.suppress(OSError):  # (one that is started again gets it with its job)
                    self._tell_renderer(UseAnalysis(track, str(summary.analysis)))
            case EventsApplied(events):
                for event in events:
                    if event.derived and event.address == LOOP:
                        self._queue.note(LOOP, event.value)
        self._event(message)  # type: ignore[arg-type]

    def _ended(self, connection: Any, talking: MutableSet[Any]) -> None:  # noqa: ANN401
        """One of the processes is no more: start another one, or look for the sound card."""
        if self._closing.is_set():
            return
        if connection is self._renderer:
            self._replace("renderer", self._restart_renderer, talking)
        elif connection is self._hearing:
            self._replace("analyzer", self._restart_analysis, talking)
        else:
            self._event(ProcessStatus("output", "gone", "the sound card is gone; looking for it every second"))
            threading.Thread(target=self._look_for_card, args=(talking,), daemon=True).start()

    def _replace(self, process: ProcessName, restart: Callable[[], Any], talking: MutableSet[Any]) -> None:
        if process in self._given_up:
            return
        name, consequence = _NAMES[process]
        if not self._restarts[process].allows():
            text = f"{name} ends again and again and is not started any more: {consequence} (play again)"
            self._event(ProcessStatus(process, "failed", text))
            return
        self._event(ProcessStatus(process, "restarting", f"{name} has ended; it is started again"))
        talking.add(restart())
        self._event(ProcessStatus(process, "running", f"{name} is there again"))

    def _restart_renderer(self) -> Any:  # noqa: ANN401
        ring = self.ring
        assert ring is not None
        point = ResumePoint(
            position=ring.written,
            track=ring.track,
            track_position=round(ring.position_s * self.sample_rate),
            playing=bool(ring.playing),
            controls=self._queue.held(),
            analyses=dict(self._analyses),
        )
        _, renderer = self._children.start(entry_points.render_main)
        renderer.send(replace(self._render_job, resume=point))
        with self._pipe_lock:
            self._renderer = renderer
        return renderer

    def _restart_analysis(self) -> Any:  # noqa: ANN401
        self._hear()
        return self._hearing

    def _look_for_card(self, talking: MutableSet[Any]) -> None:
        """Thread: what the others tell is passed on meanwhile."""
        try:
            if self._card.reconnect(self._closing):
                talking.add(self._card.connection)
                self._event(ProcessStatus("output", "running", "the sound card is back"))
        except InputError as error:
            self._event(ProcessStatus("output", "failed", str(error)))


_NAMES: Final[dict[ProcessName, tuple[str, str]]] = {
    "renderer": ("the renderer", "the sound is gone"),
    "analyzer": ("the process that analyses", "no more analyses and measured emotions, the sound goes on"),
}
