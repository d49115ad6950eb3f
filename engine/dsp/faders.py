"""Gains of the seven faders: a value that is validated once and never changes."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import TYPE_CHECKING

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError

if TYPE_CHECKING:
    import numpy as np

FADER_RANGE_DB = (-12.0, 12.0)
MASTER_RANGE_DB = (-60.0, 12.0)
WET_RANGE = (0.0, 1.0)
"""Fraction of the steered sound."""


@dataclass(frozen=True)
class Faders:
    """One gain in dB for each mid-level feature, in -12..12; 0 leaves it alone. Raises InputError outside."""

    melodiousness: float = 0.0
    articulation: float = 0.0
    rhythmic_complexity: float = 0.0
    rhythmic_stability: float = 0.0
    dissonance: float = 0.0
    tonal_stability: float = 0.0
    modality: float = 0.0

    def __post_init__(self) -> None:
        low, high = FADER_RANGE_DB
        for name, value in asdict(self).items():
            if isinstance(value, str) or not hasattr(value, "__float__"):
                raise InputError(f"fader {name}: {value!r} is not a number of decibels")
            if not math.isfinite(value) or not low <= value <= high:
                raise InputError(f"fader {name}: {value:g} dB is out of range, it goes from {low:g} to {high:g} dB")

    @classmethod
    def from_mapping(cls, gains_db: Mapping[str, float]) -> "Faders":
        """Faders from names (as in MIDLEVEL, a hyphen serves as well) to dB; what is not named stays at 0.

        Raises InputError for a name that is none of the seven and for a value that is no number or out of
        range.

        Examples
        --------
        >>> Faders.from_mapping({"tonal-stability": 3}).to_array()
        array([0., 0., 0., 0., 0., 3., 0.], dtype=float32)
        """
        values = {}
        for name, value in gains_db.items():
            known = str(name).strip().lower().replace("-", "_")
            if known not in MIDLEVEL:
                near = difflib.get_close_matches(known[:80], MIDLEVEL, n=1)
                guess = f"did you mean {near[0]}?" if near else f"there are {', '.join(MIDLEVEL)}"
                raise InputError(f"no feature is called {known[:40]!r}: {guess}")
            try:
                values[known] = float(value)
            except (TypeError, ValueError) as error:
                raise InputError(f"fader {known}: {value!r} is not a number of decibels") from error
        return cls(**values)

    @property
    def is_neutral(self) -> bool:
        """Whether all seven are at 0 dB."""
        return not any(astuple(self))

    def to_array(self) -> "np.ndarray":
        """The seven gains in dB in the order of MIDLEVEL, float32 [7]."""
        import numpy as np  # here: what only names faders, like the help of a command, needs no arrays

        return np.array(astuple(self), dtype=np.float32)
