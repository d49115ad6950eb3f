"""The confirmed part of a fader's move by feature: the share of it that judges hear.

A network sees more in a gain field than a listener. The table is the development jury's: the share of the network's
own move, at +6 and at -6 dB, that its three judges hear on average, between 0 and 1, over eight recordings (four
film clips and four songs; `moodfader evaluate --steering` prints it for any). It belongs to
the weights that ship.
"""

from collections.abc import Mapping
from typing import Final

CONFIRMED: Final[Mapping[str, float]] = {
    "melodiousness": 0.70,
    "articulation": 0.70,
    "rhythmic_complexity": 0.70,
    "rhythmic_stability": 0.43,
    "dissonance": 0.90,
    "tonal_stability": 0.25,
    "modality": 0.59,
}


def confirmed_part(moves: Mapping[str, float]) -> dict[str, float]:
    """Of changes of features by name, what others hear too."""
    return {name: CONFIRMED[name] * moved for name, moved in moves.items() if name in CONFIRMED}
