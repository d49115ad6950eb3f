"""How far each fader shall move its feature at the network that ships."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ....models.common.arrays import Floats
from ....models.common.constants import MIDLEVEL

TARGET: Final = 0.045
"""By how much a fader at SOLVED_AT_DB shall move its feature, if it can. More takes gain that no other model follows.
"""
OWN_SHARE: Final = 0.6
"""So much of the gain may go into moving the network alone: a feature that would take more is moved by less."""
OWN_SHARES: Final[Mapping[str, float]] = {"rhythmic_stability": 0.45, "tonal_stability": 0.55}
"""Instead of OWN_SHARE, for features in which the network's moves do not correlate with those of judges.

(r to the mean of the development jury's judges over the handles of twelve recordings -.01 and .02, else .17 to .70.)
"""
EXPLAINED_SHARE: Final = 0.9
"""So much of what the explanation's own masks move their features by, on the mean and without curvature, faders shall
move them by: on tracks where that is more than TARGET, each target is raised alike, as far as OWN_SHARE goes.
"""
LEAST_EXPLAINED_SHARE: Final = 0.82
"""Instead of EXPLAINED_SHARE where the loss of loudness limits faders: then more of the gain moves the network alone.

(About .93 of what the explanation's masks really move: at this gain the network bends.)
"""
MOST_RAISED: Final = 1.25
"""A target is raised to so much of what it was before faders were limited by the loss of loudness, at the most."""
_SHARES: Final = np.linspace(0, MOST_RAISED, 126)
_TINY: Final = 1e-12


def first_targets(damage_db: Floats, max_damage_db: Floats, explained_move: float) -> Floats:
    """By how much each feature shall move: [7].

    Parameters
    ----------
    damage_db
        Gain that it takes, about, to move each feature by TARGET and to leave the others, [7].
    max_damage_db
        Gain that each fader may take, [7].
    explained_move
        What the explanation's masks move their features by at SOLVED_AT_DB, on the mean and without curvature.
    """
    shares = np.array([OWN_SHARES.get(name, OWN_SHARE) for name in MIDLEVEL])
    caps = TARGET * shares * max_damage_db / damage_db
    targets = np.minimum(TARGET, caps)
    for _ in MIDLEVEL:  # (each pass brings at least one more target to its cap, or reaches the mean)
        free = targets < caps
        missing = len(targets) * EXPLAINED_SHARE * explained_move - targets.sum()
        if missing <= 0 or not free.any():
            break
        targets = np.where(free, np.minimum(targets * (1 + missing / targets[free].sum()), caps), targets)
    return np.asarray(targets)


def raised_targets(limited: Floats, wanted: Floats, explained_move: float) -> Floats:
    """Targets [faders] whose mean is LEAST_EXPLAINED_SHARE of the explanation's own move, or as near as allowed.

    The limited targets that are the smallest shares of what was wanted are raised, all to one share.

    Parameters
    ----------
    limited
        What each moves its feature by within the limit of its loss (segment_damage.py), [faders], none below zero.
    wanted
        What it should move, [faders].
    explained_move
        As for `first_targets`.
    """
    shares = limited / np.maximum(wanted, _TINY)
    raised = np.maximum(shares, _SHARES[:, None])
    enough = (raised * wanted).mean(1) >= LEAST_EXPLAINED_SHARE * explained_move
    return np.asarray((raised[np.argmax(enough)] if enough.any() else raised[-1]) * wanted)
