"""Commands of a performer as the primitive events that a performance is made of and that its automation keeps.

A relative seek, a loop that is switched on behind its end, a loop that belongs to one track, and A/B together with
delta depend on where the performance is and on what was set before. They are resolved here, with the step in which
they take effect, into seeks and switches that mean the same whenever they are replayed.

* A loop begins at once. If the position is outside when the loop is switched on or an edge is moved, the performance
  jumps into it and keeps the phase: to start + (position - start) mod length, to the sample.
* A seek to a position outside of the loop, and every change of track, switch the loop off.
* The original (A/B) wins over delta: delta waits while the bypass is on.
"""

from dataclasses import dataclass

from .events import BYPASS, DELTA, LOOP, LOOP_END, LOOP_START, SEEK, SKIP, TRACK, Value
from .transport import Transport


@dataclass(frozen=True)
class Primitive:
    """An address and the value that it takes; `derived` if nobody set it as such."""

    address: str
    value: Value
    derived: bool = False


class CommandResolver:
    """Resolves the commands of one performance, in the order in which they take effect."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._bypass = self._delta = False
        self._track = transport.track

    def seek_target(self, address: str, value: Value) -> int | None:
        """The sample of the track that a seek or a relative seek goes to; None for any other command."""
        if not isinstance(value, int | float) or address not in (SEEK, SKIP):
            return None
        transport = self._transport
        origin = transport.position if address == SKIP else 0
        target = max(origin + round(value * transport.sample_rate), 0)
        length = transport.length
        return target if length is None else min(target, length)

    def resolve(self, address: str, value: Value) -> list[Primitive]:
        """What to apply now for a command; call `after` once these are applied.

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
        """What follows once a loop command has been applied: the jump into the loop, if the position is outside."""
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
        """What follows from playing that track: a loop of another one is switched off."""
        if track == self._track:
            return []
        self._track = track
        return self._loop_off()

    def _loop_off(self, outside: int | None = None) -> list[Primitive]:
        """Switch an active loop off; with `outside` only if that sample is not in it."""
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
        return round(value * self._transport.sample_rate) >= length
