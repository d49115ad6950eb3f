"""The process that keeps the ring filled: a performance, stepped whenever there is room, and a thread that loads.

It imports no torch, so the first sound is there at once and no thread of torch can come into its way. Changes arrive
over a pipe and act with the next step; what was applied at which output sample is told back.
"""

import contextlib
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ..models.errors import InputError
from .changes import MAP_ADDRESS, ROOT, Value
from .intersample import InterSamplePeaks
from .jobs import RenderJob
from .performance import Performance
from .ring import Ring
from .sound import Sound
from .urgency import urgent
from .voice import Map

_NAP_S = 0.0005
_METER_S = 0.3  # in which peak and worst load fall to a third


def main(connection: "Connection[Any, Any]") -> None:
    """Take a RenderJob from the pipe, then changes; ends when the pipe does."""
    with contextlib.suppress(EOFError, OSError):
        Renderer(connection.recv(), connection).run()


class Renderer:
    """Fills the ring of its job."""

    def __init__(self, job: RenderJob, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._ring = Ring(job.channels, name=job.ring)
        self._sounds = [Sound.opened(file, sample_rate=job.sample_rate, channels=job.channels) for file in job.files]
        self._performance = Performance(self._sounds, ceiling_dbtp=job.ceiling_dbtp)
        self._ahead = max(job.ahead, self._performance.hop_length)
        self._waiting: list[tuple[str, Value]] = []
        self._maps: dict[int, str] = {}
        self._work = threading.Event()
        self._read, self._read_at = 0, time.monotonic()
        threading.Thread(target=self._load, daemon=True).start()

    def run(self) -> None:
        """Until the ring says stop."""
        urgent(1)  # (after the loading thread has begun: that one can wait)
        performance, ring = self._performance, self._ring
        step_s = performance.hop_length / performance.sample_rate
        fall = np.exp(-step_s / _METER_S)
        peaks = InterSamplePeaks(performance.channels, torchless=True)
        while not ring.stop:
            self._listen()
            if self._level() + performance.hop_length > self._ahead or not performance.transport.ready():
                time.sleep(_NAP_S)
                continue
            begun = time.perf_counter()
            self._apply()
            if not performance.transport.ready():  # what was just asked for has not been loaded yet
                continue
            block = performance.step()
            ring.write(block)
            load = (time.perf_counter() - begun) / step_s
            ring.load += (load - ring.load) * 0.05
            ring.load_max = max(load, ring.load_max * fall)
            fallen = ring.peak * float(fall)
            ring.peak = max(float(peaks.process(block, above=fallen).max(initial=0.0)), fallen)
            self._tell()

    def _level(self) -> float:
        """Samples ahead of the card, as if it took them one by one: steps are made no sooner than they must be."""
        ring, now = self._ring, time.monotonic()
        if ring.read != self._read:
            self._read, self._read_at = ring.read, now
        since = (now - self._read_at) * self._performance.sample_rate
        return float(ring.ahead - min(since, ring.block_length))

    def _tell(self) -> None:
        transport, ring = self._performance.transport, self._ring
        rate = self._performance.sample_rate
        ring.position_s = transport.position / rate
        ring.duration_s = self._sounds[transport.track].expected_s or 0.0
        ring.track, ring.playing, ring.ended = transport.track, int(transport.playing), int(transport.ended)
        hop = self._performance.hop_length
        # half a step until the next one begins, what is ahead of it then, the limiter, and the card's own block
        samples = hop / 2 + (self._ahead - hop) + self._performance.latency + ring.block_length
        ring.latency_s = samples / rate

    def _listen(self) -> None:
        while self._connection.poll():
            kind, *content = self._connection.recv()
            if kind == "set":
                self._waiting += content[0]
            elif kind == "map":
                index, path = content
                self._maps[index] = path
                self._work.set()

    def _apply(self) -> None:
        """What can be done now; a move to where nothing is loaded yet waits, and what comes after it with it."""
        applied = []
        while self._waiting and self._loaded(*self._waiting[0]):
            address, value = self._waiting.pop(0)
            if self._performance.apply(address, value):
                applied.append((self._performance.position, address, value))
        if applied:
            self._connection.send(("applied", applied))

    def _loaded(self, address: str, value: Value) -> bool:
        transport = self._performance.transport
        if address == ROOT + "transport/seek" and isinstance(value, int | float):
            at = round(value * self._performance.sample_rate)
            return self._sounds[transport.track].has(at, at + 8 * self._performance.hop_length)
        if address == ROOT + "transport/track" and isinstance(value, int | float):
            number = int(value)
            return not 0 <= number < len(self._sounds) or self._sounds[number].has(0, 1 << 15)
        return True

    def _load(self) -> None:
        """Thread: decode the tracks in their order, and fetch the maps whose analyses are done."""
        for sound in self._sounds:
            sound.load()
            self._fetch_maps()
            if sound.error is not None:
                self._connection.send(("error", str(sound.error)))
        while not self._ring.stop:
            self._work.wait()
            self._work.clear()
            self._fetch_maps()

    def _fetch_maps(self) -> None:
        while self._maps:
            index = next(iter(self._maps))
            path = self._maps.pop(index)
            try:
                with np.load(path, allow_pickle=False) as archive:
                    labels, weights = archive["segments"], archive["mask_weights"]
            except (OSError, ValueError, KeyError) as error:
                self._connection.send(("error", str(InputError(f"{path}: the analysis cannot be read ({error})"))))
                continue
            self._performance.maps[index] = Map(labels, weights, sample_rate=self._performance.sample_rate)
            self._waiting.append((MAP_ADDRESS, index))
