"""A morph in progress: faders and wet between two snapshots as functions of the performance time."""

from typing import Final

from ...engine.snapshots.morph import Morph
from ...engine.snapshots.snapshot import Snapshot
from ..parameters.parameter import ROOT, Value
from .moment import FADERS, WET, Moment, snapshot_values
from .slots import StoredSnapshot

PROGRESS: Final = f"{ROOT}/morph/progress"
_DECIMALS: Final = 3


class RunningMorph:
    """The morph that runs, if one does.

    Attributes
    ----------
    arriving : StoredSnapshot or None
        What it ends at; None: it only glides to other faders.
    """

    def __init__(self) -> None:
        self._morph: Morph | None = None
        self._begun_s = 0.0
        self.arriving: StoredSnapshot | None = None

    @property
    def is_running(self) -> bool:
        """Whether faders are on their way."""
        return self._morph is not None

    def begin(
        self,
        start: Snapshot,
        end: Snapshot,
        seconds: float,
        moment: Moment,
        *,
        arriving: StoredSnapshot | None = None,
    ) -> None:
        """Begin a morph, in place of one that runs.

        Parameters
        ----------
        start, end : Snapshot
            Between which it goes.
        seconds : float
            How long.
        moment : Moment
            Now.
        arriving : StoredSnapshot, optional
            What is taken over at its end.
        """
        self._morph, self.arriving = Morph(start, end, seconds), arriving
        self._begun_s = moment.time_s or 0.0

    def stop(self) -> None:
        """End it where it is."""
        self._morph = self.arriving = None

    def values(self, moment: Moment) -> tuple[dict[str, Value], bool]:
        """The values of faders, wet and progress by now, and whether the end is reached; none where none runs."""
        if self._morph is None:
            return {}, False
        elapsed_s = self._morph.duration_s if moment.time_s is None else moment.time_s - self._begun_s
        snapshot, progress = self._morph.at(elapsed_s), self._morph.progress(elapsed_s)
        if progress >= 1:
            return snapshot_values(snapshot), True
        return {**_rounded(snapshot), **({PROGRESS: progress} if self.arriving else {})}, False


def _rounded(snapshot: Snapshot) -> dict[str, Value]:
    """Faders and wet on the way, to a thousandth: the steps of a recording are short."""
    faders = (round(value, _DECIMALS) for value in snapshot.faders_db)
    return {**dict(zip(FADERS, faders, strict=True)), WET: round(snapshot.wet, _DECIMALS)}
