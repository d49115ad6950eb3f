"""A snapshot: how a track is steered, as a value that can be kept, compared and mixed with another one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..dsp.faders import FADER_RANGE_DB


@dataclass(frozen=True)
class Snapshot:
    """Faders, targets and the fraction of steered sound.

    Attributes
    ----------
    faders_db
        Gains of the seven faders in dB, in the order of MIDLEVEL, each within FADER_RANGE_DB.
    targets
        Shifts of the emotions that are asked for, by name; those not named are free. The faders are what was solved
        for them where the snapshot was taken.
    wet
        Fraction of the steered sound, 0..1.

    Raises
    ------
    InputError
        For a wrong number of faders, an unknown emotion, and a number that is not finite or out of range.
    """

    faders_db: tuple[float, ...] = (0.0,) * len(MIDLEVEL)
    targets: Mapping[str, float] = field(default_factory=dict)
    wet: float = 1.0

    def __post_init__(self) -> None:
        low, high = FADER_RANGE_DB
        if len(self.faders_db) != len(MIDLEVEL):
            raise InputError(f"a snapshot has {len(MIDLEVEL)} faders, not {len(self.faders_db)}")
        for name, value in zip(MIDLEVEL, self.faders_db, strict=True):
            if not low <= value <= high:  # (nor a NaN)
                raise InputError(f"{name} at {value:g} dB is out of range: {low:g} to {high:g} dB")
        for name, value in self.targets.items():
            if name not in EMOTIONS or not math.isfinite(value) or abs(value) > 1:
                raise InputError(f"target {name}: {value:g} is none: shifts of the emotions go from -1 to 1")
        if not 0 <= self.wet <= 1:
            raise InputError(f"wet {self.wet:g} is out of range: 0 to 1")

    def mixed(self, other: "Snapshot", position: float) -> "Snapshot":
        """The snapshot between this one (position 0) and another one (1).

        Faders are linear in dB, wet and the targets that both have are linear. A target that only one of them has is
        there at that end alone. Both ends are exact.

        Parameters
        ----------
        other
            The snapshot at position 1.
        position
            0..1; positions beyond are the ends.

        Raises
        ------
        InputError
            If the position is no number.
        """
        if math.isnan(position):
            raise InputError("the position between two snapshots is no number")
        if position <= 0:
            return self
        if position >= 1:
            return other
        return Snapshot(
            tuple(_between(a, b, position) for a, b in zip(self.faders_db, other.faders_db, strict=True)),
            {
                name: _between(value, other.targets[name], position)
                for name, value in self.targets.items()
                if name in other.targets
            },
            _between(self.wet, other.wet, position),
        )


def _between(start: float, end: float, position: float) -> float:
    """Linear, and never outside of the two by rounding."""
    value = start + (end - start) * position
    return min(max(value, min(start, end)), max(start, end))
