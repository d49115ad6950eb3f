"""The effect of the steering on what sounds now: predictions of the steered and of the original excerpt.

Both are taken from the ring buffer's monitor, before wet/dry mix, A/B, delta and master gain, so that neither a level
nor the comparison itself counts as an effect. The excerpt ends with what the card has taken and begins

* at most ten seconds before,
* not before the last jump (a seek, a track change, the start after a pause),
* with the last move of a fader, as soon as that is `SETTLED_S` ago; until then the effect is still settling.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr

from ...models.common.constants import SAMPLE_RATE
from ...models.signal.click_removal import without_clicks
from ...models.signal.input_level import measured
from ..processes.messages import MeasuredEffect
from ..processes.ring_buffer import LENGTH, RingBuffer

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model

EXCERPT_S: Final = 10.0
SETTLED_S: Final = 5.0
SHORTEST_S: Final = 2.0


@dataclass(frozen=True)
class Excerpt:
    """Samples start..end of the ring buffer; `settling` if they hold sound from before the last move, or are few."""

    start: int
    end: int
    settling: bool


def choose_excerpt(read: int, *, jumped_at: int, moved_at: int, sample_rate: int) -> Excerpt | None:
    """The excerpt to measure; None if too little has sounded since the last jump.

    Parameters
    ----------
    read : int
        Samples of the ring buffer that the card has taken.
    jumped_at, moved_at : int
        Samples of the ring buffer since which one track has been read, and the steering has stood as it is.
    sample_rate : int
        In Hz.

    Examples
    --------
    >>> choose_excerpt(200, jumped_at=0, moved_at=0, sample_rate=10)
    Excerpt(start=100, end=200, settling=False)
    >>> choose_excerpt(200, jumped_at=0, moved_at=140, sample_rate=10)
    Excerpt(start=140, end=200, settling=False)
    >>> choose_excerpt(200, jumped_at=0, moved_at=190, sample_rate=10)
    Excerpt(start=150, end=200, settling=True)
    >>> choose_excerpt(200, jumped_at=190, moved_at=0, sample_rate=10) is None
    True
    """
    whole, settled, shortest = (round(seconds * sample_rate) for seconds in (EXCERPT_S, SETTLED_S, SHORTEST_S))
    earliest = max(read - min(whole, LENGTH // 2), jumped_at, 0)
    start = max(earliest, min(moved_at, read - settled))
    if read - start < shortest:
        return None
    return Excerpt(start, read, settling=start < moved_at or read - start < settled)


class EffectMeter:
    """Measures the effect for one ring buffer with one network."""

    def __init__(self, ring: RingBuffer, model: "Model", *, sample_rate: int) -> None:
        self._ring, self._model, self._sample_rate = ring, model, sample_rate
        self._measured: Excerpt | None = None

    def measure(self, *, track: int, peak: float) -> MeasuredEffect | None:
        """The effect on the newest excerpt; None if there is none, or nothing new has sounded.

        Parameters
        ----------
        track : int
            Number of the track that plays.
        peak : float
            Its peak, which is the scale of the predictions.
        """
        ring = self._ring
        excerpt = choose_excerpt(
            ring.read, jumped_at=ring.jumped_at, moved_at=ring.moved_at, sample_rate=self._sample_rate
        )
        if excerpt is None or not ring.playing or excerpt == self._measured:
            return None
        self._measured = excerpt
        monitor = ring.monitor(excerpt.start, excerpt.end)
        original, steered = measure_effect(monitor, self._model, sample_rate=self._sample_rate, peak=peak)
        duration_s = (excerpt.end - excerpt.start) / self._sample_rate
        return MeasuredEffect(track, duration_s, original, steered, excerpt.settling)


def measure_effect(
    monitor: np.ndarray, model: "Model", *, sample_rate: int, peak: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Predictions of an original and of a steered excerpt.

    Parameters
    ----------
    monitor : array, float32 [samples, 2]
        Original and steered sound in mono.
    model : Model
        The network that judges them.
    sample_rate : int
        In Hz.
    peak : float
        Peak of the whole track, the scale of the predictions.

    Returns
    -------
    original, steered : dict of float
        The seven features and eight emotions by name, 0..1.
    """
    from ..analysis.prediction import predict_blocks  # (torch)

    original, steered = (
        soxr.resample(without_clicks(np.ascontiguousarray(monitor[:, channel])), sample_rate, SAMPLE_RATE)
        for channel in (0, 1)
    )
    first, end = measured(original).sounding
    sounding = (first, end) if first < end else None  # (of silence all of it)

    def predicted(mono: np.ndarray) -> dict[str, float]:
        prediction = predict_blocks([mono], model, scale=peak, sounding=sounding)
        return {**prediction.midlevel, **prediction.emotions}

    before = predicted(original)
    return before, dict(before) if (monitor[:, 0] == monitor[:, 1]).all() else predicted(steered)
