"""A morph: the path from one snapshot to another, over seconds or over beats."""

import math
from dataclasses import dataclass

from ...models.common.errors import InputError
from .snapshot import Snapshot


@dataclass(frozen=True)
class Morph:
    """A path between two snapshots, linear in time (so linear in dB for the faders).

    Attributes
    ----------
    start, end
        The snapshots at its ends.
    duration_s
        In seconds; 0: it is at its end at once.

    Raises
    ------
    InputError
        For a duration that is negative or no finite number.

    Examples
    --------
    >>> Morph(Snapshot((0.0,) * 7), Snapshot((6.0,) * 7), 4.0).at(1.0).faders_db[0]
    1.5
    """

    start: Snapshot
    end: Snapshot
    duration_s: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.duration_s) or self.duration_s < 0:
            raise InputError(f"a morph cannot take {self.duration_s:g} s")

    def progress(self, elapsed_s: float) -> float:
        """How far it is after so many seconds, 0..1."""
        if elapsed_s >= self.duration_s:
            return 1.0
        return max(elapsed_s, 0.0) / self.duration_s

    def at(self, elapsed_s: float) -> Snapshot:
        """The snapshot after so many seconds: `start` before it begins, `end` from its end on."""
        return self.start.mixed(self.end, self.progress(elapsed_s))


def beats_to_seconds(beats: float, tempo_bpm: float) -> float:
    """Duration of a number of beats in seconds.

    Parameters
    ----------
    beats
        0 or more.
    tempo_bpm
        Beats a minute, 10 to 1000.

    Raises
    ------
    InputError
        For a number out of range.

    Examples
    --------
    >>> beats_to_seconds(8, 120)
    4.0
    """
    if not 10 <= tempo_bpm <= 1000:
        raise InputError(f"a tempo of {tempo_bpm:g} beats a minute is out of range: 10 to 1000")
    if not math.isfinite(beats) or beats < 0:
        raise InputError(f"{beats:g} beats are no duration")
    return beats * 60 / tempo_bpm
