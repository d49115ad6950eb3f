"""Playing: three processes and what goes between them.

    renderer --ring--> sound card's process        hearing (torch): analyses, and measures what sounded
        ^ changes                                      |
        +------------------- player -------------------+

The player starts them, sends changes to the renderer (the newest of each address only), and passes on what they tell.
If the sound card goes it is looked for every second, and the performance waits where it was.
"""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from ..models.errors import InputError
from . import processes
from .changes import Value
from .decoding import probe
from .framing import OVERLAP, frame_length
from .jobs import AudioJob, HearingJob, Meters, RenderJob
from .ring import Ring

BLOCK_LENGTH: Final = 512
_BOOT_S: Final = 15.0
_AGAIN_S: Final = 1.0
_GATHER_S: Final = 0.001
Event = Callable[..., None]
"""Called as event(kind, *content) by a thread of the player: "applied", a list of (at, address, value); "heard",
track, Heard; "progress", track, fraction; "measured", emotions; "error", text; "card", text (gone, or back)."""


@dataclass(frozen=True)
class PlayerOptions:
    """backend: jack, portaudio, null, or auto (the first that is there). sample_rate in Hz and channels: None takes
    the device's and the tracks'. ahead: samples kept ready for the card, None for the least that works.
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

    def __init__(self, files: Sequence[Path], event: Event, options: PlayerOptions) -> None:
        """Raises InputError for a file that cannot be played and a device that is not there."""
        self._event = event
        self._spawn = multiprocessing.get_context("spawn")
        sources = [probe(file) for file in files]
        self.channels = options.channels or max(2, *(source.channels for source in sources))
        widest = max(sources, key=lambda source: source.channels)
        if widest.channels > self.channels > 1:
            raise InputError(
                f"{widest.path}: it has {widest.channels} channels, more than --channels {self.channels}"
            )
        self._processes: list[Any] = []
        self._closing = threading.Event()
        self.ring: Ring | None = None
        self._hearing_process: Any = None
        self._played = 0
        try:
            self._renderer = self._started(processes.render)
            rate = options.sample_rate or (None if options.backend in ("jack", "auto") else sources[0].sample_rate)
            self._audio_job = AudioJob(options.backend, rate, self.channels, options.block_length, options.device)
            self._audio = self._booted_any(sources[0].sample_rate)
            self.ring = Ring(self.channels)
            hop = frame_length(self.sample_rate) // OVERLAP
            least = hop + self.block_length
            self.ahead = max(least, options.ahead or least + hop // 4)
            job = RenderJob(
                tuple(files), self.sample_rate, self.channels, options.ceiling_dbtp, self.ahead, self.ring.name
            )
            self._renderer.send(job)
            self._audio.send(self.ring.name)
            self._hearing = self._started(
                processes.hear, HearingJob(tuple(files), options.model, dict(options.analysis))
            )
            self._hearing_process = self._processes[-1]
            self._hearing.send((self.ring.name, self.sample_rate, self.channels))
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

    def meters(self) -> Meters:
        """Read the meters; the position is that of what is heard, not of what is rendered ahead of it."""
        ring = self.ring
        assert ring is not None
        heard_s = ring.position_s - (ring.ahead / self.sample_rate if ring.playing else 0.0)
        return Meters(
            track=ring.track,
            position_s=max(heard_s, 0.0),
            duration_s=ring.duration_s,
            playing=bool(ring.playing),
            ended=bool(ring.ended),
            peak=ring.peak,
            load=ring.load,
            dropouts=ring.dropouts,
            ahead=ring.ahead,
            latency_s=ring.latency_s,
        )

    @property
    def played(self) -> int:
        """Output samples that have gone to the card."""
        return self._played if self.ring is None else self.ring.read

    def close(self) -> None:
        """Stop and clean up."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self.ring is not None:
            self.ring.stop = 1
        if self._hearing_process is not None:
            self._hearing_process.kill()  # (it may be in the middle of something long; its files are written whole)
        for process in self._processes:
            process.join(1.5 if self.ring is not None else 0)
            if process.is_alive():
                process.kill()
                process.join(1.0)
        if self.ring is not None:
            self._played, ring, self.ring = self.ring.read, self.ring, None
            ring.close()

    def _started(self, target: Callable[..., None], *arguments: object) -> "Connection[Any, Any]":
        ours, theirs = self._spawn.Pipe()
        process = self._spawn.Process(target=target, args=(*arguments, theirs), daemon=True)
        process.start()
        theirs.close()
        self._processes.append(process)
        return ours

    def _booted_any(self, file_rate: int) -> "Connection[Any, Any]":
        """Start the audio process on the back end that was asked for, or the first that is there."""
        job = self._audio_job
        wanted = ("jack", "portaudio") if job.backend == "auto" else (job.backend,)
        reasons = []
        for name in wanted:
            rate = job.sample_rate if name == "jack" else job.sample_rate or file_rate
            self._audio_job = AudioJob(name, rate, job.channels, job.block_length, job.device)
            try:
                return self._booted()
            except InputError as error:
                reasons.append(f"{name}: {error}")
        raise InputError("; ".join(reasons) + " (moodfader devices tells more; --backend null plays without a card)")

    def _booted(self) -> "Connection[Any, Any]":
        connection = self._started(processes.play, self._audio_job)
        try:
            if not connection.poll(_BOOT_S):
                raise InputError("the sound card's process does not answer")
            kind, *content = connection.recv()
        except (EOFError, OSError) as error:
            raise InputError("the sound card's process ended while it opened the device") from error
        if kind != "booted":
            raise InputError(str(content[0]))
        rate, self.block_length = content
        if self._audio_job.sample_rate is not None and self._audio_job.sample_rate != rate:
            self._stop_last()
            raise InputError(f"it runs at {rate} Hz, not at {self._audio_job.sample_rate} Hz (leave --rate away?)")
        self.sample_rate = int(rate)
        return connection

    def _stop_last(self) -> None:
        process = self._processes.pop()
        process.kill()
        process.join(1.0)

    def _send(self) -> None:
        """Thread: hand the changes over, a few of them at a time."""
        while not self._closing.is_set():
            self._asked.wait()
            time.sleep(_GATHER_S)  # (a flood of messages becomes a few)
            self._asked.clear()
            with self._lock:
                changes, self._pending = list(self._pending.items()), {}
            with contextlib.suppress(OSError):
                self._renderer.send(("set", changes))

    def _receive(self) -> None:
        """Thread: pass on what the processes tell, and look after the sound card."""
        talking: set[Any] = {self._renderer, self._hearing, self._audio}
        while not self._closing.is_set():
            ready: list[Any] = wait(list(talking), timeout=0.2)
            for connection in ready:
                try:
                    kind, *content = connection.recv()
                except (EOFError, OSError):
                    talking.discard(connection)
                    if connection is self._audio and not self._closing.is_set():
                        self._event("card", "the sound card is gone; looking for it every second")
                        if self._found_again():
                            talking.add(self._audio)
                    elif connection is self._renderer and not self._closing.is_set():
                        self._event("error", "the renderer has stopped")
                    continue
                if kind == "heard":
                    self._renderer.send(("map", content[0], str(content[1].analysis)))
                if kind != "gone":  # (the end of its pipe follows)
                    self._event(kind, *content)

    def _found_again(self) -> bool:
        rate = self.sample_rate
        while not self._closing.wait(_AGAIN_S):
            self._processes = [process for process in self._processes if process.is_alive()]
            try:
                self._audio = self._booted()
            except InputError:
                continue
            if self.sample_rate != rate:
                self._event(
                    "error",
                    f"the sound card is back at {self.sample_rate} Hz, {rate} Hz are needed: stop and play again",
                )
                self._stop_last()
                self.sample_rate = rate
                return False
            assert self.ring is not None
            self._audio.send(self.ring.name)
            self._event("card", "the sound card is back")
            return True
        return False
