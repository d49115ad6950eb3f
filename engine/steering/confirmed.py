"""The confirmed part of a fader's move: the share of it that can be promised of other judges.

A network sees more in a gain field than a listener, on one track more than on another. How much others will hear is
known best from the further listeners for which a fader is solved (listeners.py): where one of them hardly moves,
judges do not either. What is promised of a fader is HEARD_PER_UNIT of its feature times the geometric mean of what
the listeners move, each in its own unit (LISTENER_UNITS), as a share of the network's own move, between 0 and 1.
Fitted to the development jury on sixteen recordings (eight film clips and eight songs, two of each of four kinds) at
+6 and at -6 dB: the slope of the mean of its three judges, less one standard error over judges and recordings. On
recordings left out the geometric mean predicts the judges' mean move with r .77 (.67 within a feature), the same
share of the network's move on every track with .49 (.24).

CONFIRMED, one share a feature, serves where an analysis has nothing of the listeners. It is the mean share, less one
standard error of that mean over judges and recordings: where judges or recordings differ, less is promised. Shares
above the mean of all features are drawn to it before, as the highest of uncertain numbers are so by luck in part.
`moodfader evaluate --steering` prints mean and error for any recordings; its JSON has what is confirmed. All figures
belong to the weights that ship, the listeners' as well.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import MIDLEVEL

CONFIRMED: Final[Mapping[str, float]] = {
    "melodiousness": 0.65,
    "articulation": 0.71,
    "rhythmic_complexity": 0.67,
    "rhythmic_stability": 0.31,
    "dissonance": 0.78,
    "tonal_stability": 0.29,
    "modality": 0.62,
}
LISTENER_UNITS: Final[Mapping[str, float]] = {"broad": 0.055, "companion": 0.025, "shape": 0.052}
"""How far a listener of that name moves under a fader at 6 dB: root mean square over features and recordings."""
HEARD_PER_UNIT: Final[Mapping[str, float]] = {
    "melodiousness": 0.038,
    "articulation": 0.023,
    "rhythmic_complexity": 0.040,
    "rhythmic_stability": 0.033,
    "dissonance": 0.048,
    "tonal_stability": 0.029,
    "modality": 0.034,
}
"""What judges can be expected to move by where every listener moves by its unit."""
_LEAST_MOVE: Final = 1e-4


def confirmed_shares(own: Floats, listeners: Mapping[str, Floats]) -> FloatArray:
    """The share of each fader's move that others may be expected to hear, 0..1: float32 [7, 2].

    Parameters
    ----------
    own
        What a fader moves its feature by at the network, the way it goes, above zero and below: [7, 2].
    listeners
        The same at each further listener, by its name. Of a listener without a unit nothing is known; where one
        with a unit is missing, the shares are CONFIRMED.
    """
    if not LISTENER_UNITS.keys() <= listeners.keys():
        return np.asarray(np.repeat([[CONFIRMED[name]] for name in MIDLEVEL], 2, axis=1), np.float32)
    in_units = np.stack([listeners[name] / unit for name, unit in LISTENER_UNITS.items()])
    agreed = np.maximum(in_units, 0).prod(0) ** (1 / len(in_units))
    heard = agreed * np.array([HEARD_PER_UNIT[name] for name in MIDLEVEL])[:, None]
    return np.asarray(np.clip(heard / np.maximum(own, _LEAST_MOVE), 0, 1), np.float32)


def confirmed_part(moves: Mapping[str, float], shares: FloatArray | None = None) -> dict[str, float]:
    """Of changes of features by name, what others hear too.

    shares [7, 2]: those of the track, above zero and below; None: CONFIRMED.
    """
    if shares is None:
        return {name: CONFIRMED[name] * moved for name, moved in moves.items() if name in CONFIRMED}
    return {
        name: float(shares[MIDLEVEL.index(name), int(moved < 0)]) * moved
        for name, moved in moves.items()
        if name in MIDLEVEL
    }
