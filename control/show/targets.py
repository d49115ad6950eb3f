"""The emotion targets of a show: shifts that are asked for, state of their solution, shifts that were reached.

A request is answered twice: at once by faders that the analysis of the track says to be right, and about a second
later by those that the network confirms on the stretch that comes next. Both are fader settings, so that they are
shown, recorded and replayed as such.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from ...engine.live_targets.estimate import estimate_faders, expected_shifts, reachable_shifts
from ...engine.live_targets.fader_solver import Asked
from ...engine.processes.messages import SolveTargets, TargetsSolved
from ...engine.snapshots.snapshot import Snapshot
from ...models.common.constants import EMOTIONS
from ...models.common.formatting import display_name
from ..parameters.parameter import ROOT, Value
from .moment import Moment
from .slots import SnapshotSlots, StoredSnapshot

if TYPE_CHECKING:
    from ...engine.analysis.surrogate import Surrogate

Faders = tuple[float, ...]
_ZERO: Final[Faders] = (0.0,) * 7
_HUNDREDTHS: Final = 2


class TargetState:
    """Requested shifts and their status. `request` is pending until the player takes it to the network."""

    def __init__(self) -> None:
        self.asked: dict[str, float] = {}
        self.request: SolveTargets | None = None
        self._base: Faders = _ZERO
        self._reached: Mapping[str, float] = {}
        self._phase, self._text = "off", ""
        self._number = 0
        self._faders: Faders = _ZERO
        self._reachable: dict[int, Mapping[str, tuple[float, float]]] = {}

    def ask(self, name: str, shift: float | None, faders: Faders, moment: Moment) -> Faders:
        """Request a shift of one emotion beside the others, or (None) end it.

        Parameters
        ----------
        name, shift
            The emotion, and its shift; 0 keeps it.
        faders
            The faders as they are, in dB.
        moment
            Now.

        Returns
        -------
        tuple of float
            The faders [7] to set: those as before the first target, when the last one is let go.
        """
        if not self.asked:
            self._base = faders
        asked = {**self.asked, name: shift}
        self.asked = {name: asked[name] for name in EMOTIONS if (asked.get(name)) is not None}  # type: ignore[misc]
        if not self.asked:
            return self.off()
        return self.solve(faders, moment)

    def off(self) -> Faders:
        """End all targets; returns the faders as they were before the first one."""
        base = self._base if self.asked or self._phase != "off" else _ZERO
        self._end("")
        return base

    def let_go(self, reason: str) -> None:
        """End all targets, because the faders were moved otherwise."""
        if self.asked:
            self._end(f"targets let go: {reason}")

    def adopt(self, targets: Mapping[str, float], faders: Faders, moment: Moment) -> None:
        """Take over targets whose faders are known (undo, a snapshot of this track)."""
        if not targets:
            self._end("")
            return
        if not self.asked:
            self._base = _ZERO
        self.asked, self._faders = dict(targets), faders
        self._number += 1
        self.request = None
        if moment.surrogate is None:
            self._wait()
        else:
            self._judge(expected_shifts(moment.surrogate, np.array(faders)))

    def solve(self, faders: Faders, moment: Moment) -> Faders:
        """Estimate faders for the requested shifts from the track's analysis, and leave a request to measure them.

        Without an analysis the faders stay as they are, and the targets wait for it.
        """
        self._number += 1
        self.request = None
        if moment.surrogate is None:
            self._wait()
            return faders
        surrogate, asked = moment.surrogate, Asked(self.asked)
        found = estimate_faders(surrogate, asked)
        self._faders = _rounded(found.faders_db)
        self._show_shifts(found.shifts)
        self._ask_network(moment)
        return self._faders

    def solved(self, message: TargetsSolved) -> Faders | None:
        """The faders that were found with the network; None if something else is asked by now."""
        if message.number != self._number or not self.asked:
            return None
        if message.error:
            self._fail(message.error)
            return None
        self._faders = _rounded(np.array(message.faders_db))
        self._judge(np.array([message.shifts[name] for name in EMOTIONS]))
        return self._faders

    def unmeasured(self, reason: str) -> None:
        """Take note that the request will not be answered."""
        if self._phase == "solving":
            self._number += 1
            self._fail(reason)

    def measure_again(self, moment: Moment) -> None:
        """Repeat the request that was not answered, after the analysis process has been restarted."""
        if self._phase in ("solving", "failed") and moment.surrogate is not None:
            self._number += 1
            self._show_shifts(expected_shifts(moment.surrogate, np.array(self._faders)))
            self._ask_network(moment)

    def analyzed(self, track: int, surrogate: "Surrogate") -> None:
        """Work out what is reachable on a track that has been analysed."""
        self._reachable[track] = reachable_shifts(surrogate)

    def values(self, track: int) -> dict[str, Value]:
        """What the addresses of the targets show while a track plays."""
        values: dict[str, Value] = {f"{ROOT}/target/{name}": self.asked.get(name) for name in EMOTIONS}
        values |= {f"{ROOT}/reached/{name}": self._reached.get(name) for name in EMOTIONS}
        reachable = self._reachable.get(track, {})
        for name in EMOTIONS:
            low, high = reachable.get(name, (None, None))
            values[f"{ROOT}/reachable/low/{name}"], values[f"{ROOT}/reachable/high/{name}"] = low, high
        return {**values, f"{ROOT}/state/target": self._text, f"{ROOT}/state/target_phase": self._phase}

    def _end(self, text: str) -> None:
        self.asked, self._reached, self.request = {}, {}, None
        self._phase, self._text = "off", text
        self._number += 1

    def _fail(self, reason: str) -> None:
        self._phase = "failed"
        self._text = f"{self._wish()}: about {self._result()}, not measured: {reason}"

    def _ask_network(self, moment: Moment) -> None:
        """Leave a request to measure the estimated faders and to correct them."""
        self._phase = "solving"
        self._text = f"{self._wish()}: about {self._result()}, being measured"
        self.request = SolveTargets(self._number, moment.track, moment.position_s, dict(self.asked), self._faders)

    def _wait(self) -> None:
        self._reached = {}
        self._phase, self._text = "waiting", f"{self._wish()}: waits for the analysis of this track"

    def _judge(self, shifts: np.ndarray) -> None:
        self._show_shifts(shifts)
        reached = Asked(self.asked).reached(shifts)
        self._phase = "reached" if reached else "nearest"
        verb = "reached" if reached else "the nearest is"
        self._text = f"{self._wish()}: {verb} {self._result()}"

    def _show_shifts(self, shifts: np.ndarray) -> None:
        self._reached = dict(zip(EMOTIONS, map(float, shifts), strict=True))

    def _wish(self) -> str:
        return ", ".join(
            f"{display_name(name)} {_signed(shift) if shift else 'kept'}" for name, shift in self.asked.items()
        )

    def _result(self) -> str:
        return ", ".join(_signed(self._reached[name]) for name in self.asked)


def solved_for_track(stored: StoredSnapshot, slots: SnapshotSlots, moment: Moment) -> StoredSnapshot:
    """A snapshot with the faders that its targets need on the track that plays, estimated from its analysis.

    `slots` keep what was solved: a crossfader asks many times a second.
    """
    if stored.track == moment.track or not stored.snapshot.targets or moment.surrogate is None:
        return stored
    solved = slots.solved_for(stored, moment.track)
    if solved is None:
        state = TargetState()
        state.asked = dict(stored.snapshot.targets)
        faders = state.solve(stored.snapshot.faders_db, moment)
        solved = Snapshot(faders, stored.snapshot.targets, stored.snapshot.wet)
        slots.keep_solved(stored, moment.track, solved)
    return StoredSnapshot(solved, stored.name, moment.track)


def _signed(shift: float) -> str:
    return f"{round(shift, _HUNDREDTHS) + 0.0:+.{_HUNDREDTHS}f}"


def _rounded(faders_db: np.ndarray) -> Faders:
    """To a thousandth of a dB: what a recording holds is short, and nothing that is heard changes."""
    return tuple(float(round(value, 3)) for value in faders_db)
