"""Time, track and position of a show at one moment; snapshots from values by address, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...engine.snapshots.snapshot import Snapshot
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ..parameters.parameter import ROOT, Value

if TYPE_CHECKING:
    from ...engine.analysis.surrogate import Surrogate

FADERS: Final = tuple(f"{ROOT}/midlevel/{name}" for name in MIDLEVEL)
WET: Final = f"{ROOT}/wet"


@dataclass(frozen=True)
class Moment:
    """When and where something is set.

    Attributes
    ----------
    time_s
        Seconds of output that have been played; None without a player. Morphs are timed by it, so they wait where
        the sound waits.
    track, position_s
        The track that plays, and where it is.
    digest
        Of the track's samples, once it has been analysed.
    surrogate
        Of the track, once it has been analysed.
    is_awaited
        Whether the track has been asked for and has not begun.
    """

    time_s: float | None = None
    track: int = 0
    position_s: float = 0.0
    digest: str | None = None
    surrogate: "Surrogate | None" = None
    is_awaited: bool = False


def present_snapshot(values: Mapping[str, Value]) -> Snapshot:
    """The snapshot of the values that the addresses hold."""
    targets = {name: values[f"{ROOT}/target/{name}"] for name in EMOTIONS}
    return Snapshot(
        tuple(number(values[address]) for address in FADERS),
        {name: float(value) for name, value in targets.items() if isinstance(value, int | float)},
        number(values[WET]),
    )


def snapshot_values(snapshot: Snapshot) -> dict[str, Value]:
    """The values of faders and wet for a snapshot; those of its targets are `TargetState.values`."""
    return {**dict(zip(FADERS, snapshot.faders_db, strict=True)), WET: snapshot.wet}


def number(value: Value) -> float:
    """A value as a number; 0 where it is not one."""
    return float(value) if isinstance(value, int | float) else 0.0
