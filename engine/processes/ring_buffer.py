"""The samples between who renders and who plays, in memory that their processes share.

One writes, one reads, nobody waits or locks: each side moves only its own counter, after the samples are there. The
ring is far longer than what is kept ahead of the reader, so the last seconds that really sounded can be read, too.
"""

import time
from multiprocessing import shared_memory
from typing import Final

import numpy as np

LENGTH: Final = 1 << 20
"""Samples a channel: 23 s at 44.1 kHz."""
_HEAD: Final = 512  # bytes for the numbers below
N_COUNTS: Final = 13
N_LEVELS: Final = 8


def _count(slot: int) -> property:
    def get(ring: "RingBuffer") -> int:
        return int(ring._counts[slot])

    def put(ring: "RingBuffer", value: int) -> None:
        ring._counts[slot] = value

    return property(get, put)


def _level(slot: int) -> property:
    def get(ring: "RingBuffer") -> float:
        return float(ring._levels[slot])

    def put(ring: "RingBuffer", value: float) -> None:
        ring._levels[slot] = value

    return property(get, put)


class RingBuffer:
    """float32 [LENGTH, channels], and beside it the original and the steered sound in mono, float32 [LENGTH, 2]; with
    counters of all samples ever written and read, and a few meters.

    Renderer's: written, lead (samples of silence before the performance's first), track, playing, ended, load (share
    of real time, mean and worst of a while), peak (true peak, a magnitude), position_s and duration_s (of the newest
    sample's track), latency_s (to the card), spare_s (the least time a step was ready before its take, in a while).
    The card's: read, taken_at (a steady clock's seconds when it last took), dropouts, late (cycles that the sound
    server calls late), blocks, block_length. `stop` asks both to end.
    """

    written, read, dropouts, late, blocks, stop, block_length, track, playing, ended, lead, jumped_at, moved_at = (
        _count(n) for n in range(N_COUNTS)
    )
    load, load_max, peak, position_s, duration_s, latency_s, taken_at, spare_s = (_level(n) for n in range(N_LEVELS))

    def __init__(self, channels: int, *, name: str | None = None) -> None:
        """Makes a new ring, or opens the one of that name."""
        size = _HEAD + LENGTH * (channels + 2) * 4
        self._memory = shared_memory.SharedMemory(name=name, create=name is None, size=size)
        self._owner = name is None
        self.channels = channels
        self.name = self._memory.name
        self._counts = np.ndarray(16, dtype=np.int64, buffer=self._memory.buf)
        self._levels = np.ndarray(16, dtype=np.float64, buffer=self._memory.buf, offset=128)
        self._samples = np.ndarray((LENGTH, channels), dtype=np.float32, buffer=self._memory.buf, offset=_HEAD)
        behind = _HEAD + LENGTH * channels * 4
        self._monitor = np.ndarray((LENGTH, 2), dtype=np.float32, buffer=self._memory.buf, offset=behind)
        if self._owner:
            self._counts[:] = 0
            self._levels[:] = 0

    @property
    def fill(self) -> int:
        """Samples that are ready to be played."""
        return int(self.written - self.read)

    def write(self, block: np.ndarray) -> None:
        """Append `block` float32 [n, channels]."""
        at = self.written % LENGTH
        head = min(len(block), LENGTH - at)
        self._samples[at : at + head] = block[:head]
        self._samples[: len(block) - head] = block[head:]
        self.written += len(block)

    def write_monitor(self, at: int, monitor: np.ndarray) -> None:
        """Put original and steered sound, float32 [n, 2] in mono, beside the ring's samples from `at` on."""
        first = at % LENGTH
        head = min(len(monitor), LENGTH - first)
        self._monitor[first : first + head] = monitor[:head]
        self._monitor[: len(monitor) - head] = monitor[head:]

    def monitor(self, start: int, end: int) -> np.ndarray:
        """A copy of original and steered sound beside the ring's samples start..end, float32 [end - start, 2]."""
        return np.asarray(self._monitor[np.arange(start, end) % LENGTH])

    def read_into(self, output: np.ndarray) -> bool:
        """Fill `output` [n, channels] with the next samples; where they are not ready: silence, and a drop-out.

        After `stop` nothing is taken any more: who is about to close the device may be asked for sound that nobody
        hears, and what counts as played is what was heard.
        """
        if self.stop:
            output[:] = 0
            return False
        count = len(output)
        self.blocks += 1
        self.taken_at = time.monotonic()
        if self.written - self.read < count:
            output[:] = 0
            self.dropouts += 1
            return False
        at = self.read % LENGTH
        head = min(count, LENGTH - at)
        output[:head] = self._samples[at : at + head]
        output[head:] = self._samples[: count - head]
        self.read += count
        return True

    def last_read(self) -> tuple[int, float]:
        """Samples that were read, and when the last of them were taken (both from the same take)."""
        while True:
            read = self.read
            at = self.taken_at
            if self.read == read:
                return read, at

    def recent(self, count: int) -> np.ndarray:
        """A copy of the last `count` samples that were played (fewer at the start), [n, channels]."""
        end = self.read
        start = max(0, end - min(count, LENGTH // 2))
        return np.asarray(self._samples[np.arange(start, end) % LENGTH])

    def close(self) -> None:
        """Let go of the memory; its maker also frees it."""
        del self._counts, self._levels, self._samples, self._monitor
        self._memory.close()
        if self._owner:
            self._memory.unlink()
