"""Corrections of the sum of the faders' masks for settings (presets) that were solved for all faders together.

Several faders at once are not quite the sum of each alone. Where a setting (a preset) was solved with the network in
the loop (steering/faders/setting_solver.py), the difference between its gains and that sum is added where the faders
stand at it, less of it near it, and a share of it on the straight way from zero to it. So a ramp or a morph to a
preset is smooth, and needs no prediction while it plays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats

REACH_DB: Final = 6.0
"""So far beside the way from zero to a setting nothing is left of its correction (the fader that is furthest off)."""
_EXACT_DB: Final = 1e-9


@dataclass(frozen=True)
class SolvedSetting:
    """faders_db [7]: where the faders stand; correction_db [subsegments]: solved gains less the sum of the faders."""

    faders_db: FloatArray
    correction_db: FloatArray


def correction_db(
    settings: Sequence[SolvedSetting], faders_db: FloatArray, labels: np.ndarray | None = None
) -> FloatArray | None:
    """What is added to the sum of the faders [7], [segments] in dB; None where no setting is near.

    At a setting it is that setting's own; between several the nearer one counts more (Shepard 1968). labels [n]: only
    of these segments.
    """
    found = [(setting, *_nearness(setting.faders_db, faders_db)) for setting in settings]
    near = [(setting, share, distance) for setting, share, distance in found if share > 0]
    if not near:
        return None
    weights = np.array([share / max(distance, _EXACT_DB) for _, share, distance in near])
    weights *= max(share for _, share, _ in near) / weights.sum()
    every: np.ndarray | slice = slice(None) if labels is None else labels
    corrections = np.stack([setting.correction_db[every] for setting, _, _ in near])
    return np.asarray((weights[:, None] * corrections).sum(0), np.float32)


def _nearness(setting_db: FloatArray, faders_db: FloatArray) -> tuple[float, float]:
    """Share of a setting's correction, 0..1, and the distance to it in dB."""
    setting, now = np.asarray(setting_db, np.float64), np.asarray(faders_db, np.float64)
    length: Floats = setting @ setting
    way = float(np.clip(now @ setting / max(float(length), _EXACT_DB), 0.0, 1.0))
    beside = float(np.abs(now - way * setting).max())
    return way * max(0.0, 1.0 - beside / REACH_DB), float(np.abs(now - setting).max())
