"""Resolves commands that depend on the state of the performance into the primitive events of an automation file.

Relative seeks, loops that are switched on while the position is outside, loops at a change of track, and A/B together
with delta are resolved in the step in which they take effect, into seeks and switches that replay identically.

* A loop begins at once. If the position is outside when the loop is switched on or an edge is moved, the performance
  jumps into it and keeps the phase: to start + (position - start) mod length, to the sample.
* A seek to a position outside of the loop, and every change of track, switch the loop off.
* The original (A/B) wins over delta: delta waits while the bypass is on.
"""

from dataclasses import dataclass

from .events import BYPASS, DELTA, LOOP, LOOP_END, LOOP_START, SEEK, SKIP, TRACK, Value
from .transport import Transport, to_samples


@dataclass(frozen=True)
class Primitive:
    """An event without its time; `derived` if it follows from another command."""

    address: str
    value: Value
    derived: bool = False


class CommandResolver:
    """Resolves the commands of one performance, in the order of their effect."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._bypass = self._delta = False
        self._track = transport.track

    def seek_target(self, address: str, value: Value) -> int | None:
        """Target sample of a seek or relative seek; None for other commands."""
        if not isinstance(value, int | float) or address not in (SEEK, SKIP):
            return None
        transport = self._transport
        origin = transport.position if address == SKIP else 0
        target = max(origin + to_samples(value, transport.sample_rate), 0)
        length = transport.length
        return target if length is None else min(target, length)

    def resolve(self, address: str, value: Value) -> list[Primitive]:
        """Primitive events of a command; `after` gives those that follow once these are applied.

        Parameters
        ----------
        address : str
            Of the command, for instance ``/moodfader/transport/skip``.
        value : float, int, bool, str or None
            What it was set to.

        Returns
        -------
        list of Primitive
            In the order in which they are to be applied.
        """
        if (target := self.seek_target(address, value)) is not None:
            seconds = value if address == SEEK else target / self._transport.sample_rate
            return [*self._loop_off(outside=target), Primitive(SEEK, seconds, derived=address == SKIP)]
        if address == TRACK:
            return [*self._loop_off(), Primitive(address, value)]
        if address in (BYPASS, DELTA):
            return self._switch(address, bool(value))
        if address == LOOP_END and self._behind_the_end(value):
            return [Primitive(address, 0.0)]
        return [Primitive(address, value)]

    def after(self, address: str) -> list[Primitive]:
        """The jump into the loop, if the position is outside after a loop command."""
        if address == TRACK:  # (what ends with the track before has ended: a loop that is set now is this track's)
            self._track = self._transport.track
        if address not in (LOOP, LOOP_START, LOOP_END):
            return []
        position = self._transport.position
        edges = self._transport.loop_edges()
        if edges is None or edges[0] <= position < edges[1]:
            return []
        start, end = edges
        target = start + (position - start) % (end - start)
        return [Primitive(SEEK, target / self._transport.sample_rate, derived=True)]

    def at_track(self, track: int) -> list[Primitive]:
        """The end of a loop when the set list has gone on to another track by itself."""
        if track == self._track:
            return []
        self._track = track
        return self._loop_off()

    def _loop_off(self, outside: int | None = None) -> list[Primitive]:
        """The end of the active loop; with `outside` only if that sample is not in the loop."""
        if not self._transport.loop:
            return []
        edges = self._transport.loop_edges()
        if outside is not None and (edges is None or edges[0] <= outside < edges[1]):
            return []
        return [Primitive(LOOP, False, derived=True)]

    def _switch(self, address: str, on: bool) -> list[Primitive]:
        if address == DELTA:
            self._delta = on
            return [Primitive(DELTA, on and not self._bypass)]
        self._bypass = on
        waiting = [Primitive(DELTA, not on, derived=True)] if self._delta else []
        return [Primitive(BYPASS, on), *waiting]

    def _behind_the_end(self, value: Value) -> bool:
        length = self._transport.length
        if length is None or not isinstance(value, int | float):
            return False
        return to_samples(value, self._transport.sample_rate) >= length
