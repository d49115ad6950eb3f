"""Playing: three processes and what goes between them.

    renderer --ring--> sound card's process        hearing (torch): analyses, and measures what sounded
        ^ changes                                      |
        +------------------- player -------------------+

The player starts them, sends changes to the renderer (the newest of each address only), and passes on what they tell.
If the sound card goes it is looked for every second, and the performance waits where it was.
"""

import contextlib
import threading
import time
from collections.abc import Mapping, MutableSet, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..audio.decode import probe
from ..devices.output_device import OutputDevice
from ..performance.events import Value
from ..processes.ipc import ChildProcesses
from ..processes.messages import AnalysisJob, OutputJob, PlayerCallback, PlayerMeters, RenderJob
from ..processes.ring_buffer import RingBuffer
from . import entry_points

BLOCK_LENGTH: Final = 512
_GATHER_S: Final = 0.001
_PATIENCE_S: Final = 1.5
_LOOK_S: Final = 0.02
_FIRST_S: Final = 3.0


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
        try:
            self._start(tuple(files), sources[0].sample_rate, options)
        except BaseException:
            self.close()
            raise
        self._pending: dict[str, Value] = {}
        self._lock = threading.Lock()
        self._asked = threading.Event()
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def set(self, address: str, value: Value) -> None:
        """Change a control as soon as possible. If several changes of one address wait, the newest counts."""
        with self._lock:
            self._pending.pop(address, None)  # (it takes its place behind the others)
            self._pending[address] = value
        self._asked.set()

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

    def close(self) -> None:
        """Stop and clean up."""
        if self._closing.is_set():
            return
        self._closing.set()
        ring = self.ring
        if ring is not None:
            ring.stop = 1
        if self._hearing_process is not None:
            self._hearing_process.kill()  # (it may be in the middle of something long; its files are written whole)
        self._children.join(_PATIENCE_S if ring is not None else 0)
        if ring is not None:
            self._played, self.ring = self.samples_played, None
            ring.close()

    def _start(self, files: tuple[Path, ...], file_rate: int, options: PlayerOptions) -> None:
        start = self._children.start
        _, self._renderer = start(entry_points.render_main)
        job = OutputJob(options.backend, options.sample_rate, self.channels, options.block_length, options.device)
        self._card = OutputDevice(self._children, job, file_rate=file_rate)
        self.sample_rate, self.block_length = self._card.sample_rate, self._card.block_length
        self.ring = ring = RingBuffer(self.channels)
        self._renderer.send(
            RenderJob(files, self.sample_rate, self.channels, options.ceiling_dbtp, options.ahead, ring.name)
        )
        self._card.attach(ring.name)
        self._hearing_job = AnalysisJob(files, options.model, dict(options.analysis))

    def _send(self) -> None:
        """Thread: hand the changes over, a few of them at a time."""
        while not self._closing.is_set():
            self._asked.wait()
            self._asked.clear()
            with self._lock:
                changes, self._pending = list(self._pending.items()), {}
            with contextlib.suppress(OSError):
                self._renderer.send(("set", changes))
            time.sleep(_GATHER_S)  # (a flood of messages becomes a few)

    def _hear(self) -> bool:
        """Start the process that hears, once the first sound has come (or should have)."""
        ring = self.ring
        if ring is None or not (ring.read or time.monotonic() - self._begun > _FIRST_S):
            return False
        self._hearing_process, self._hearing = self._children.start(entry_points.analysis_main, self._hearing_job)
        self._hearing.send((ring.name, self.sample_rate, self.channels))
        return True

    def _receive(self) -> None:
        """Thread: pass on what the processes tell, and look after the sound card."""
        talking: MutableSet[Any] = {self._renderer, self._card.connection}
        while not self._closing.wait(_LOOK_S) and not self._hear():
            pass
        if self._hearing is not None:
            talking.add(self._hearing)
        while not self._closing.is_set():
            ready: list[Any] = wait(list(talking), timeout=0.2)
            for connection in ready:
                try:
                    kind, *content = connection.recv()
                except (EOFError, OSError):
                    talking.discard(connection)
                    self._ended(connection, talking)
                    continue
                if kind == "heard":
                    self._renderer.send(("map", content[0], str(content[1].analysis)))
                if kind != "gone":  # (the end of its pipe follows)
                    self._event(kind, *content)

    def _ended(self, connection: Any, talking: MutableSet[Any]) -> None:  # noqa: ANN401
        """One of the processes is no more."""
        if self._closing.is_set():
            return
        if connection is self._renderer:
            self._event("error", "the renderer has stopped")
        elif connection is self._hearing:
            self._event("error", "the process that hears has stopped: no more emotions, the sound goes on")
        else:
            self._event("card", "the sound card is gone; looking for it every second")
            threading.Thread(target=self._look_for_card, args=(talking,), daemon=True).start()

    def _look_for_card(self, talking: MutableSet[Any]) -> None:
        """Thread: what the others tell is passed on meanwhile."""
        try:
            if self._card.reconnect(self._closing):
                talking.add(self._card.connection)
                self._event("card", "the sound card is back")
        except InputError as error:
            self._event("error", str(error))
