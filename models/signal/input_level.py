"""Level of a sound by which the network's input is scaled, and detection of silence at its ends.

Level: the sound is cut into blocks of 10 ms; it is the largest block peak that 0.2 % of the blocks, at least two,
exceed. So no single moment sets the scale of a whole track; on music it lies 0.3 to 2 dB below the peak. Blocks of
silence do not count. Ends: what never exceeds one step of a 16-bit file before the first and after the last louder
sample is silence, however long, and counts for nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

SILENCE: Final = 2**-15
"""What never exceeds one step of a 16-bit file is silence."""
BLOCK: Final = 220
"""Samples at SAMPLE_RATE: 10 ms."""
EXCEEDING: Final = 0.002
MIN_EXCEEDING: Final = 2


class InputMeter:
    """Measures a mono mix at SAMPLE_RATE in blocks; the result does not depend on how it is cut."""

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.float32)
        self._peaks: list[FloatArray] = []
        self._samples = 0
        self._first: int | None = None
        self._last = 0

    def add(self, sound: FloatArray) -> None:
        """The next samples, float32 [samples]."""
        size = np.abs(sound)
        loud = size > SILENCE
        if loud.any():
            if self._first is None:
                self._first = self._samples + int(loud.argmax())
            self._last = self._samples + len(loud) - 1 - int(loud[::-1].argmax())
        self._samples += len(sound)
        pending = np.concatenate([self._pending, size])
        whole = len(pending) // BLOCK * BLOCK
        if whole:
            self._peaks.append(pending[:whole].reshape(-1, BLOCK).max(1))
        self._pending = pending[whole:]

    @property
    def level(self) -> float:
        """Of all that was added; 0 for silence."""
        rest = [self._pending.max(keepdims=True)] if len(self._pending) else []
        peaks = np.concatenate([np.zeros(0, np.float32), *self._peaks, *rest])
        peaks = np.sort(peaks[peaks > SILENCE])[::-1]
        if not len(peaks):
            return 0.0
        exceeding = max(MIN_EXCEEDING, int(EXCEEDING * len(peaks)))
        return float(peaks[min(exceeding, len(peaks) - 1)])

    @property
    def sounding(self) -> tuple[int, int]:
        """Samples [first, end) between the silent ends; (0, 0) where all is silent."""
        return (0, 0) if self._first is None else (self._first, self._last + 1)


def between(blocks: Iterable[FloatArray], first: int, end: int) -> Iterator[FloatArray]:
    """The samples first..end-1 of a sound in blocks [n]."""
    begin = 0
    for block in blocks:
        part = block[max(first - begin, 0) : max(end - begin, 0)]
        begin += len(block)
        if len(part):
            yield part


def measured(sound: FloatArray) -> InputMeter:
    """The measurements of a whole sound, float32 [samples]."""
    meter = InputMeter()
    meter.add(sound)
    return meter
