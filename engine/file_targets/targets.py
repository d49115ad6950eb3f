"""An emotion as a target: what is asked, and the coefficients of handles that bring it about.

Each of the own listeners shall be moved by the asked shift, and those emotions that are kept shall stay where they
are at the network that ships. Where that is more than the permitted gain can do, the nearest is taken.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS, KEPT_SHARE, MIDLEVEL, REACHED_SHARE
from ...models.common.errors import InputError
from ...models.common.formatting import display_name
from ...models.inference.checkpoint import Model
from ..steering.handle_excerpts import HandleExcerpts
from ..steering.handles import HANDLES
from ..steering.listeners import Listener
from ..steering.solver import solve
from .narrow_fields import NarrowFields

LARGEST_SHIFT: Final = 1.0
_NO_MISS: Final = 0.0005  # what is shown in thousandths is met
MAX_RMS_DB: Final = 5.0
GAIN_RANGE_DB: Final = (0.1, 12.0)
SHARES: Final = {"companion": 0.8, "taught": 0.6}
"""How much of a shift is asked of a listener, if not all of it: the companion is trained to move little, and the
taught listener answers the same gain fields by .4 to .7 of what judges do.
"""
BROAD_SHARE: Final = 0.98
"""So much of the handles' solution the narrow fields begin with: some gain is left for them."""
MIN_HANDLES: Final = 0.5
"""So much of that stays, whatever gain the narrow fields take, which other models hardly follow."""
STAGES: Final = 12
"""Of narrow fields at most, where the gain field before them does not do."""
FURTHER_STAGES: Final = 2
"""At most, when it goes on from a solution."""
STEPS: Final = 3
"""At most, with the narrow fields of a stage."""
GOOD: Final = 0.05
"""A miss per shift that is asked (of what is kept: per the largest) with which no further stage is added."""
_SLOW: Final = 0.5
"""Where a step leaves more than this share of the miss, new fields are made before the next."""
_STILL: Final = 0.99
"""Where a stage leaves more than this share of the miss, it is the last one."""
_SHORTENED: Final = 0.5
_STEP_RIDGE: Final = 1e-3
_BISECTIONS: Final = 8
FEATURE_ROOM: Final = 0.5
"""No gain moves a feature, which lies between 0 and 1, by more."""


@dataclass(frozen=True)
class Targets:
    """toward: shifts by emotion on the scale 0..1; keep: emotions that shall stay. Raises InputError.

    For an emotion that is unknown, asked and kept, or asked for nothing, and a shift that is no number or out of
    range.
    """

    toward: Mapping[str, float]
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        toward = {emotion_called(name): value for name, value in self.toward.items()}
        keep = tuple(dict.fromkeys(emotion_called(name) for name in self.keep))
        for name, value in toward.items():
            if not math.isfinite(value) or abs(value) > LARGEST_SHIFT:
                raise InputError(
                    f"{name} by {value:g} is out of range: shifts go from -{LARGEST_SHIFT:g} to {LARGEST_SHIFT:g}"
                )
            if name in keep:
                raise InputError(f"{name} is to be moved and to be kept: one of the two")
        if not toward:
            raise InputError("no emotion is asked for (--toward tender=+0.10)")
        if not any(toward.values()):
            raise InputError("the shifts that are asked for are zero")
        object.__setattr__(self, "toward", toward)
        object.__setattr__(self, "keep", keep)

    @property
    def names(self) -> tuple[str, ...]:
        """The emotions that are asked for, then those that are kept."""
        return (*self.toward, *self.keep)

    def reached(self, moved: Mapping[str, float], asked: Mapping[str, float] | None = None) -> bool:
        """Whether shifts by emotion are at least nine tenths of what was asked, and move the kept ones little.

        An emotion that is asked to move by zero is a kept one; half a thousandth is no miss. asked: what is to be
        reached where `toward` has the sizes that misses are measured by.
        """
        largest = max(abs(value) for value in self.toward.values())
        kept = KEPT_SHARE * largest
        allowed = {name: (1 - REACHED_SHARE) * abs(value) or kept for name, value in self.toward.items()}
        allowed |= dict.fromkeys(self.keep, kept)
        allowed = {name: max(miss, _NO_MISS) for name, miss in allowed.items()}
        wanted = {**dict.fromkeys(self.keep, 0.0), **(asked or self.toward)}
        return all(abs(moved[name] - wanted[name]) <= miss for name, miss in allowed.items())


def emotion_called(name: str) -> str:
    """The emotion of that name, whatever its case. Raises InputError, with the likeliest one."""
    known = name.strip().lower()
    if known not in EMOTIONS:
        near = difflib.get_close_matches(known, EMOTIONS, n=1)
        raise InputError(f"no emotion is called {name!r}: " + (f"did you mean {near[0]}?" if near else _all()))
    return known


def _all() -> str:
    return f"there are {', '.join(EMOTIONS)}"


@dataclass(frozen=True)
class TargetSolution:
    """Coefficients in dB of the handles, then of the narrow fields, stage by stage.

    bases: by stage the coefficients of all fields before it, under which its fields are made. missed: the largest
    miss at the excerpts by the network that ships, per shift asked (of what is kept: per the largest).
    """

    coefficients: Floats
    bases: tuple[Floats, ...] = ()
    missed: float = 0.0


def solve_targets(
    excerpts: HandleExcerpts,
    targets: Targets,
    *,
    max_rms_db: float = MAX_RMS_DB,
    correction: Mapping[str, float] | None = None,
    start: TargetSolution | None = None,
) -> TargetSolution:
    """Find the gain field for targets.

    First with handles alone, for all listeners; then what the network that ships still misses is put right by narrow
    fields, stage by stage, which are added to the excerpts. Where both are more than the permitted gain, there is
    less of the handles.

    correction: what to ask of the network beyond the targets, by emotion, because the whole track answered by so much
    less than the excerpts. start: what was found with the same excerpts before, to go on from.
    """
    correction = correction or {}
    stages = FURTHER_STAGES
    if start is None:
        stages = STAGES
        rows, wanted = _rows(targets, excerpts.listeners)
        soft = np.array([listener > 0 for listener, _ in rows])
        places = tuple(np.array(rows).T)
        before = excerpts.before[places]
        broad = solve(
            lambda coefficients: np.asarray(excerpts.measure(coefficients)[places] - before),
            excerpts.slopes(rows),
            np.array(wanted),
            excerpts.metric,
            rms_of=excerpts.rms_db,
            max_rms_db=max_rms_db,
            soft=soft,
        )
        start = TargetSolution(BROAD_SHARE * broad.coefficients)
    wanted = [targets.toward.get(name, 0.0) + correction.get(name, 0.0) for name in targets.names]
    return _Stages(excerpts, targets, max_rms_db).put_right(start, np.array(wanted), stages)


class _Stages:
    """What the network that ships misses is put right, by the narrow fields of the emotions asked for and kept."""

    def __init__(self, excerpts: HandleExcerpts, targets: Targets, max_rms_db: float) -> None:
        self._excerpts, self._max_rms_db = excerpts, max_rms_db
        self._fields = narrow_fields(excerpts.listeners[0], targets.names)
        self._handles: Floats = np.zeros(len(HANDLES))
        self._rows = [(0, output) for output in self._fields.outputs]
        largest = max(abs(value) for value in targets.toward.values())
        self._units = np.array([abs(targets.toward.get(name, 0.0)) or largest for name in targets.names])

    def put_right(self, start: TargetSolution, wanted: Floats, stages: int) -> TargetSolution:
        """Add at most so many stages, until the emotions are moved by what is wanted [emotions]."""
        coefficients, bases = start.coefficients, [*start.bases]
        self._handles = coefficients[: len(HANDLES)]
        missing = wanted - self._moved(coefficients)
        error, before = self._error(missing), np.inf
        for _ in range(stages):
            if error <= GOOD or error > _STILL * before:
                break
            self._excerpts.add_fields(self._fields.at, coefficients)
            bases.append(coefficients)
            coefficients = np.concatenate((coefficients, np.zeros(len(wanted))))
            coefficients, missing = self._stage(coefficients, missing, wanted)
            error, before = self._error(missing), error
        return TargetSolution(coefficients, tuple(bases), error)

    def _stage(self, coefficients: Floats, missing: Floats, wanted: Floats) -> tuple[Floats, Floats]:
        """Steps with the newest fields: the coefficients that come nearest, and what they miss."""
        newest = slice(-len(wanted), None)
        slopes = self._excerpts.slopes(self._rows, coefficients)[:, newest]
        longest = np.inf
        for _ in range(STEPS):
            gram = slopes.T @ slopes
            lift = _STEP_RIDGE * np.trace(gram) / len(gram) + 1e-18
            step = np.linalg.solve(gram + lift * np.eye(len(gram)), slopes.T @ missing)
            step *= min(1.0, longest / max(float(np.linalg.norm(step)), 1e-12))
            proposed = coefficients.copy()
            proposed[newest] += step
            proposed = self._within(proposed)
            after = wanted - self._moved(proposed)
            slopes = slopes + np.outer(missing - after - slopes @ step, step) / max(float(step @ step), 1e-12)
            slow = self._error(after) > _SLOW * self._error(missing)
            if self._error(after) < self._error(missing):
                coefficients, missing, longest = proposed, after, np.inf
                if slow or self._error(missing) <= GOOD:
                    break
            else:
                longest = _SHORTENED * float(np.linalg.norm(step))
        return coefficients, missing

    def _moved(self, coefficients: Floats) -> Floats:
        predicted = self._excerpts.measure(coefficients, listeners=1) - self._excerpts.before[:1]
        return np.asarray(predicted[0, list(self._fields.outputs)])

    def _error(self, missing: Floats) -> float:
        return float((np.abs(missing) / self._units).max())

    def _within(self, coefficients: Floats) -> Floats:
        """Coefficients within the permitted gain: with less of the handles, then with less of the narrow fields."""
        if self._excerpts.rms_db(coefficients) <= self._max_rms_db:
            return coefficients
        fewest = coefficients.copy()
        fewest[: len(HANDLES)] = MIN_HANDLES * self._handles
        if self._excerpts.rms_db(fewest) <= self._max_rms_db:
            return self._between(fewest, coefficients)
        return self._between(np.where(np.arange(len(fewest)) < len(HANDLES), fewest, 0.0), fewest)

    def _between(self, allowed: Floats, wanted: Floats) -> Floats:
        """What is nearest to the coefficients that are wanted, on the way from allowed ones, within the gain."""
        low, high = 0.0, 1.0
        for _ in range(_BISECTIONS):
            share = (low + high) / 2
            rms_db = self._excerpts.rms_db(allowed + share * (wanted - allowed))
            low, high = (low, share) if rms_db > self._max_rms_db else (share, high)
        return allowed + low * (wanted - allowed)


def hardly_apart(model: Model, targets: Targets) -> str | None:
    """A line about targets that the network that ships can hardly tell apart; None for others.

    Emotions are linear in the seven features. What is asked takes a move of these, and the smallest one is known
    without any music: where a feature would have to move by more than FEATURE_ROOM, no gain brings it about.
    """
    places = [EMOTIONS.index(name) for name in targets.names]
    rows = model.network.emotions.weight.detach().cpu().double().numpy()[places]  # [emotions, 7]
    moves = np.linalg.pinv(rows) @ np.array([targets.toward.get(name, 0.0) for name in targets.names])
    feature = int(np.abs(moves).argmax())
    if abs(moves[feature]) <= FEATURE_ROOM:
        return None
    kept = f" with {', '.join(targets.keep)} kept" if targets.keep else ""
    asked = ", ".join(f"{name} {shift:+.2f}" for name, shift in targets.toward.items())
    return (
        f"{asked}{kept} can hardly be had: these are told from the same features, {display_name(MIDLEVEL[feature])} "
        f"would have to move by {moves[feature]:+.2f}; the nearest is looked for"
    )


def narrow_fields(network: Listener, names: Sequence[str]) -> NarrowFields:
    """What makes the narrow fields of emotions."""
    return NarrowFields(network, [len(MIDLEVEL) + EMOTIONS.index(name) for name in names])


def _rows(targets: Targets, listeners: Sequence[Listener]) -> tuple[Sequence[tuple[int, int]], Sequence[float]]:
    """(listener, output) and what each shall move by."""
    rows: list[tuple[int, int]] = []
    wanted: list[float] = []
    for number, listener in enumerate(listeners):
        for name, shift in targets.toward.items():
            rows.append((number, len(MIDLEVEL) + EMOTIONS.index(name)))
            wanted.append(SHARES.get(listener.name, 1.0) * shift)
    for name in targets.keep:
        rows.append((0, len(MIDLEVEL) + EMOTIONS.index(name)))
        wanted.append(0.0)
    return rows, wanted
