"""Shifts of a steered recording at the judges of a jury: excerpts of both, at the loudness of the original."""

from collections.abc import Mapping

import numpy as np

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.jury.judges import load_jury
from ..audio.track import Track
from ..excerpts.stretches import EXCERPT_S, read_excerpts, spread_stretches

_LONGEST_S = 2 * EXCERPT_S


def ask_jury(
    original: Track, steered: Track, lowered_db: float, *, jury: str = "development"
) -> Mapping[str, Mapping[str, float]]:
    """Shift of each emotion by judge: the mean over the same excerpts of both.

    lowered_db: gain, 0 dB or less, that kept the second below the ceiling; undone before the judges are asked.
    """
    stretches = spread_stretches(original)
    if len(stretches) == 1 and stretches[0][1] > _LONGEST_S:
        ((first, length),) = stretches
        count = int(length // EXCERPT_S)
        stretches = [(first + number * length / count, length / count) for number in range(count)]
    before = read_excerpts(original, stretches)
    scale = np.float32(steered.network_peak / original.network_peak / 10 ** (lowered_db / 20))
    after = [sound * scale for sound in read_excerpts(steered, stretches)]
    shifts = {}
    for judge in load_jury(jury):
        moved = np.mean([judge.predict(b) - judge.predict(a) for a, b in zip(before, after, strict=True)], axis=0)
        shifts[judge.name] = {name: float(moved[len(MIDLEVEL) + place]) for place, name in enumerate(EMOTIONS)}
    return shifts
