"""Single-writer, single-reader ring buffer of samples in shared memory, with counters and meters; free of locks.

Each side moves only its own counter, after the samples have been copied. The buffer is far longer than what is
rendered ahead, so the last seconds that were played can be read again for the measurement of the effect.
"""

import time
from typing import Final

import numpy as np

from .shared_block import SharedBlock

LENGTH: Final = 1 << 20
"""Samples a channel: 23 s at 44.1 kHz."""
_HEAD: Final = 512  # bytes for the numbers below
N_COUNTS: Final = 15
N_LEVELS: Final = 11


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
    """Samples float32 [LENGTH, channels], their original and steered mono sums float32 [LENGTH, 2], and numbers.

    Attributes
    ----------
    written : int
        Samples written so far. Set by the renderer, as are the following.
    leading_silence : int
        Samples of silence before the first of the performance.
    jumped_at, moved_at : int
        Sample since which one track has been read without a jump, and since which nothing was steered anew.
    rounds : int
        Counted by the renderer as long as it works, also while there is nothing to render.
    looks : int
        Counted by the analysis process as long as it looks for what there is to do.
    track, playing, ended : int
        Track that plays, whether it plays, whether the set list has ended.
    position_s, duration_s : float
        Position in the track of the newest sample, and length of the track.
    load, load_max : float
        Rendering time as a share of real time, mean and recent maximum.
    peak : float
        Recent true peak, linear.
    left_peak, right_peak : float
        Recent sample peaks of the first two channels, linear.
    reduction_db : float
        Recent reduction by the limiter in dB, 0 while it is idle.
    latency_s : float
        From a control to the changed sound at the device.
    min_slack_s : float
        Recent minimum of the time between the end of a step and the read that needs it.
    read : int
        Samples read so far. Set by the output process, as are the following.
    read_at : float
        Time of the last read, monotonic clock.
    dropouts, late, blocks, block_length : int
        Underruns, late cycles, blocks read, samples in a block.
    stop : int
        Asks both processes to end.
    """

    written, read, dropouts, late, blocks, stop, block_length = (_count(n) for n in range(7))
    track, playing, ended, leading_silence, jumped_at, moved_at, rounds, looks = (
        _count(n) for n in range(7, N_COUNTS)
    )
    load, load_max, peak, position_s, duration_s = (_level(n) for n in range(5))
    latency_s, read_at, min_slack_s = (_level(n) for n in range(5, 8))
    left_peak, right_peak, reduction_db = (_level(n) for n in range(8, N_LEVELS))

    def __init__(self, channels: int, *, name: str | None = None) -> None:
        """Create a ring buffer, or open the one of that name."""
        size = _HEAD + LENGTH * (channels + 2) * 4
        self._memory = SharedBlock(size, name=name)
        self.channels = channels
        self.name = self._memory.name
        self._counts = np.ndarray(16, dtype=np.int64, buffer=self._memory.buffer)
        self._levels = np.ndarray(16, dtype=np.float64, buffer=self._memory.buffer, offset=128)
        self._samples = np.ndarray((LENGTH, channels), dtype=np.float32, buffer=self._memory.buffer, offset=_HEAD)
        behind = _HEAD + LENGTH * channels * 4
        self._monitor = np.ndarray((LENGTH, 2), dtype=np.float32, buffer=self._memory.buffer, offset=behind)

    @property
    def fill(self) -> int:
        """Samples that have been written and not yet read."""
        return int(self.written - self.read)

    def write(self, block: np.ndarray) -> None:
        """Append a block of samples, float32 [n, channels]."""
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
        """Fill `output` [n, channels] with the next samples, or with silence if they are not there (an underrun).

        After `stop` nothing is read: a device that is being closed may still ask for blocks that it does not play.

        Returns
        -------
        bool
            Whether samples were read.
        """
        if self.stop:
            output[:] = 0
            return False
        count = len(output)
        self.blocks += 1
        self.read_at = time.monotonic()
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
        """Number of samples read so far, and the time of the read that brought it there."""
        while True:
            read = self.read
            at = self.read_at
            if self.read == read:
                return read, at

    def recent(self, count: int) -> np.ndarray:
        """A copy of the last `count` samples read (fewer at the start), float32 [n, channels]."""
        end = self.read
        start = max(0, end - min(count, LENGTH // 2))
        return np.asarray(self._samples[np.arange(start, end) % LENGTH])

    def close(self) -> None:
        """Detach from the memory; the process that created it also frees it."""
        del self._counts, self._levels, self._samples, self._monitor
        self._memory.close()
