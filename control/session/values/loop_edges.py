"""Edges of the loop: what moving one changes, and the loop of each track of a set list."""

from collections.abc import Mapping
from typing import Final

from ....models.common.errors import InputError
from ...parameters.table import ROOT, Value

LOOP: Final = f"{ROOT}/transport/loop"
LOOP_START: Final = f"{ROOT}/transport/loop_start"
LOOP_END: Final = f"{ROOT}/transport/loop_end"
TRACK: Final = f"{ROOT}/transport/track"
SHORTEST_S: Final = 0.05


def move_edge(address: str, seconds: float, now: Mapping[str, Value], *, duration_s: float) -> dict[str, Value]:
    """The values to set, in this order, for one edge that is moved.

    A start at or behind the end puts the end at the end of the track, an end at or before the start puts the start at
    the beginning, an end at or behind the track's end is that end (0).

    Parameters
    ----------
    address : str
        ``/moodfader/transport/loop_start`` or ``/moodfader/transport/loop_end``.
    seconds : float
        Where the edge is put.
    now : mapping
        Values by address as they are.
    duration_s : float
        Length of the track that the loop is in; 0: not known yet.

    Raises
    ------
    InputError
        If the loop would be shorter than 0.05 s.
    """
    (start, end), duration = (_seconds(now[name]) for name in (LOOP_START, LOOP_END)), duration_s
    values: dict[str, Value] = {}
    if address == LOOP_START:
        start = seconds
        if end and start >= end:
            end = values[LOOP_END] = 0.0
    else:
        end = seconds if not duration or seconds < duration else 0.0
        seconds = end
        if end and end <= start:
            start = values[LOOP_START] = 0.0
    length = (end or duration) - start
    if (end or duration) and length < SHORTEST_S:
        raise InputError(
            f"{address}: the loop would last {max(length, 0):.3f} s, at least {SHORTEST_S:g} s are needed"
        )
    return {**values, address: seconds}


def edges_within(duration_s: float, now: Mapping[str, Value]) -> dict[str, Value]:
    """The values to set where edges that were asked for before a track began lie behind its end."""
    start, end = (_seconds(now[name]) for name in (LOOP_START, LOOP_END))
    values: dict[str, Value] = {LOOP_END: 0.0} if end >= duration_s else {}
    return values | ({LOOP_START: 0.0} if start > duration_s - SHORTEST_S else {})


class TrackLoops:
    """Keeps the edges of each track's loop while another track plays."""

    def __init__(self) -> None:
        self._track = 0
        self._edges: dict[int, tuple[Value, Value]] = {}

    def change_track(self, track: int, now: Mapping[str, Value]) -> dict[str, Value]:
        """What changes at the loop's addresses when that track plays next: it has its own edges, and no loop."""
        self._edges[self._track] = now[LOOP_START], now[LOOP_END]
        self._track = track
        start, end = self._edges.get(track, (0.0, 0.0))
        values = {LOOP: False, LOOP_START: start, LOOP_END: end}
        return {name: value for name, value in values.items() if now[name] != value}

    def is_at(self, track: int) -> bool:
        """Whether the addresses hold the loop of that track."""
        return self._track == track


def _seconds(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
