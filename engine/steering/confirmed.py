"""The confirmed part of a fader's move by feature: the share of it that can be promised of other judges.

A network sees more in a gain field than a listener. The table is the development jury's: the share of the network's
own move, at +6 and at -6 dB, that its three judges hear on average over sixteen recordings (eight film clips and
eight songs, two of each of four kinds), less one standard error of that mean over judges and recordings, between 0
and 1: where judges or recordings differ, less is promised. Shares above the mean of all features are drawn to it
before, as the highest of uncertain numbers are so by luck in part. `moodfader evaluate --steering` prints mean and
error for any recordings; its JSON has what is confirmed. It belongs to the weights that ship.
"""

from collections.abc import Mapping
from typing import Final

CONFIRMED: Final[Mapping[str, float]] = {
    "melodiousness": 0.70,
    "articulation": 0.77,
    "rhythmic_complexity": 0.71,
    "rhythmic_stability": 0.37,
    "dissonance": 0.83,
    "tonal_stability": 0.28,
    "modality": 0.67,
}


def confirmed_part(moves: Mapping[str, float]) -> dict[str, float]:
    """Of changes of features by name, what others hear too."""
    return {name: CONFIRMED[name] * moved for name, moved in moves.items() if name in CONFIRMED}
