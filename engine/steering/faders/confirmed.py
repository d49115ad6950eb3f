"""The confirmed part of a fader's move: the share of it that can be promised of other judges.

A network sees more in a gain field than a listener, on one track more than on another. How much others will hear is
known best from the further listeners for which a fader is solved (listeners.py): where all of them follow, judges do;
where they differ, judges do as well. What is promised of a fader is HEARD_PER_UNIT of its feature times what the
listeners agree on (the mean of what they move, each in its own unit, less their standard deviation), as a share of
the network's own move, between 0 and 1. Fitted to the development jury on sixteen recordings (eight film clips and
eight songs, two of each of four kinds) at +6 and at -6 dB: the slope of the mean of its three judges, less one
standard error over judges and recordings. On recordings left out, what they agree on predicts the judges' mean move
with r .64 (.52 within a feature), the same share of the network's move on every track with .43 (.25).

CONFIRMED, one share a feature, serves where an analysis has nothing of the listeners (0.12 and before; it is of the
faders of 0.12). It is the mean share, less one standard error of that mean over judges and recordings: where judges
or recordings differ, less is promised. Shares above the mean of all features are drawn to it before, as the highest
of uncertain numbers are so by luck in part. `moodfader evaluate --steering` prints mean and error for any recordings;
its JSON has all these figures anew. They belong to the weights that ship, the listeners' as well.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL

CONFIRMED: Final[Mapping[str, float]] = {
    "melodiousness": 0.65,
    "articulation": 0.71,
    "rhythmic_complexity": 0.67,
    "rhythmic_stability": 0.31,
    "dissonance": 0.78,
    "tonal_stability": 0.29,
    "modality": 0.62,
}
LISTENER_WEIGHTS: Final[Mapping[str, Mapping[str, float]]] = {
    "rhythmic_stability": {"broad": 0.15, "companion": 1.1, "shape": 1.75, "taught": 0.3},
    "tonal_stability": {"broad": 1.1, "companion": 0.25, "shape": 1.65},
}
"""How much a further listener counts in these features, where one of them says little of what judges hear; else 1.

The solver (masks.py) counts them so too. About as in the least squares fit of the judges' moves on those of the
listeners (handles one by one, on twelve recordings); r of broad, companion and shape to the judges' mean move .20,
.19, .55 and .56, -.07, .61. Of the taught listener's moves of rhythmic stability under faders r is .08.
"""
LISTENER_UNITS: Final[Mapping[str, float]] = {"broad": 0.0759, "companion": 0.039, "shape": 0.0692, "taught": 0.029}
"""How far a listener of that name moves under a fader at 6 dB: root mean square over features and recordings."""
HEARD_PER_UNIT: Final[Mapping[str, float]] = {
    "melodiousness": 0.0522,
    "articulation": 0.0454,
    "rhythmic_complexity": 0.0629,
    "rhythmic_stability": 0.0773,
    "dissonance": 0.0632,
    "tonal_stability": 0.0572,
    "modality": 0.0711,
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
        return np.asarray(_by_feature(), np.float32)
    in_units = np.stack([listeners[name] / unit for name, unit in LISTENER_UNITS.items()])
    agreed = agreed_moves(in_units, listener_weights(tuple(LISTENER_UNITS))[:, :, None])
    heard = agreed * np.array([HEARD_PER_UNIT[name] for name in MIDLEVEL])[:, None]
    return np.asarray(np.clip(heard / np.maximum(own, _LEAST_MOVE), 0, 1), np.float32)


def agreed_moves(moves: Floats, weights: Floats) -> Floats:
    """What listeners agree on: the mean of their moves [listeners, ...] less their standard deviation, 0 at least.

    weights [listeners, ...]: how much each counts.
    """
    shares = weights / weights.sum(0)
    mean = (shares * moves).sum(0)
    deviation = np.sqrt((shares * (moves - mean) ** 2).sum(0))
    return np.asarray(np.maximum(mean - deviation, 0))


def listener_weights(names: Sequence[str]) -> Floats:
    """How much each of these further listeners counts, by feature: [listeners, 7]."""
    by_feature = [LISTENER_WEIGHTS.get(feature, {}) for feature in MIDLEVEL]
    return np.array([[weights.get(name, 1.0) for weights in by_feature] for name in names])


def confirmed_part(moves: Mapping[str, float], shares: FloatArray | Floats | None = None) -> dict[str, float]:
    """Of changes of features by name, what others hear too.

    shares [7, 2]: those of the track, above zero and below; None: CONFIRMED.
    """
    shares = _by_feature() if shares is None else shares
    return {
        name: float(shares[MIDLEVEL.index(name), int(moved < 0)]) * moved
        for name, moved in moves.items()
        if name in MIDLEVEL
    }


def _by_feature() -> Floats:
    """CONFIRMED, above zero and below: [7, 2]."""
    return np.repeat([[CONFIRMED[name]] for name in MIDLEVEL], 2, axis=1)
