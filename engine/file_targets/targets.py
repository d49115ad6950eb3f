"""An emotion as a target: what is asked, and the coefficients of handles that bring it about.

Each of the own listeners shall be moved by the asked shift, and those emotions that are kept shall stay where they
are at the network that ships. Where that is more than the permitted gain can do, the nearest is taken.
"""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ..steering.excerpts import Excerpts
from ..steering.handles import HANDLES
from ..steering.listeners import Listener
from ..steering.solver import Solution, correct, solve
from .narrow_fields import narrow_fields

LARGEST_SHIFT: Final = 1.0
MAX_RMS_DB: Final = 5.0
GAIN_RANGE_DB: Final = (0.1, 12.0)
SHARES: Final = {"companion": 0.8}
"""How much of a shift is asked of a listener, if not all of it: the companion is trained to move little."""
BROAD_SHARES: Final = (0.98, 0.88)
"""So much of the handles' solution the narrow fields begin with: less where more would leave them too little gain.

Shares down to .6 reach two more of the forty requests of bench_requests.py; the judges then hear less of all.
"""
ROUNDS: Final = 2
STEPS: Final = 5
GOOD: Final = 0.06
"""A miss per largest target with which no smaller share is tried."""
REACHED: Final = 0.9
KEPT: Final = 0.2


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

    def reached(self, moved: Mapping[str, float]) -> bool:
        """Whether shifts by emotion are at least nine tenths of what was asked, and move the kept ones little."""
        largest = max(abs(value) for value in self.toward.values())
        asked = all(abs(moved[name] - value) <= (1 - REACHED) * abs(value) for name, value in self.toward.items())
        return asked and all(abs(moved[name]) < KEPT * largest for name in self.keep)


def emotion_called(name: str) -> str:
    """The emotion of that name, whatever its case. Raises InputError, with the likeliest one."""
    known = name.strip().lower()
    if known not in EMOTIONS:
        near = difflib.get_close_matches(known, EMOTIONS, n=1)
        raise InputError(f"no emotion is called {name!r}: " + (f"did you mean {near[0]}?" if near else _all()))
    return known


def _all() -> str:
    return f"there are {', '.join(EMOTIONS)}"


def solve_targets(
    excerpts: Excerpts,
    targets: Targets,
    *,
    max_rms_db: float = MAX_RMS_DB,
    correction: Mapping[str, float] | None = None,
) -> Floats:
    """Coefficients of the handles in dB, and of the narrow fields where the excerpts have some: [handles + fields].

    First with handles alone, for all listeners; then what the network that ships still misses is put right by the
    smallest steps that leave the others where they are.

    correction: what to ask of the network beyond the targets, by emotion, because the whole track answered by so much
    less than the excerpts.
    """
    rows, wanted = _rows(targets, excerpts.listeners, correction or {})
    soft = np.array([listener > 0 for listener, _ in rows])
    places = tuple(np.array(rows).T)
    before = excerpts.before[places]
    slopes = excerpts.slopes(rows)
    handles, more = len(HANDLES), len(excerpts.metric) - len(HANDLES)

    def moved(coefficients: Floats) -> Floats:
        return np.asarray(excerpts.measure(coefficients)[places] - before)

    broad = solve(
        lambda coefficients: moved(_filled(coefficients, more)),
        slopes[:, :handles],
        np.array(wanted),
        excerpts.metric[:handles, :handles],
        rms_of=lambda coefficients: excerpts.rms_db(_filled(coefficients, more)),
        max_rms_db=max_rms_db,
        soft=soft,
    )
    firm = [row for row in rows if row[0] == 0]
    best: Solution | None = None
    for share in BROAD_SHARES if more else BROAD_SHARES[:1]:
        found = correct(
            lambda coefficients: moved(coefficients)[~soft],
            lambda coefficients: excerpts.slopes(firm, coefficients),
            np.array(wanted)[~soft],
            excerpts.metric,
            start=_filled(share * broad.coefficients, more),
            rms_of=excerpts.rms_db,
            max_rms_db=max_rms_db,
            rounds=ROUNDS,
            steps=STEPS,
            held=slopes[soft],
        )
        best = found if best is None or found.error < best.error else best
        if best.error < GOOD:
            break
    assert best is not None
    return best.coefficients


def target_excerpts(sounds: Sequence[FloatArray], listeners: Sequence[Listener], targets: Targets) -> Excerpts:
    """Excerpts with the handles and the narrow fields by which targets are solved.

    sounds: mono [samples] at 22,050 Hz, on the track's scale; the first listener is the network that ships.
    """
    return Excerpts(sounds, listeners, more=fields_beside(listeners[0], targets.names))


def fields_beside(network: Listener, names: Sequence[str]) -> Callable[[FloatArray], FloatArray]:
    """Makes the narrow fields of emotions from a log-spectrogram."""
    outputs = [len(MIDLEVEL) + EMOTIONS.index(name) for name in names]
    return lambda picture: narrow_fields(picture, network, outputs)


def _filled(coefficients: Floats, more: int) -> Floats:
    """Coefficients of handles, followed by zeros for the fields beside them."""
    return np.concatenate((coefficients, np.zeros(more)))


def _rows(
    targets: Targets, listeners: Sequence[Listener], correction: Mapping[str, float]
) -> tuple[Sequence[tuple[int, int]], Sequence[float]]:
    """(listener, output) and what each shall move by."""
    rows: list[tuple[int, int]] = []
    wanted: list[float] = []
    for number, listener in enumerate(listeners):
        for name, shift in targets.toward.items():
            rows.append((number, len(MIDLEVEL) + EMOTIONS.index(name)))
            further = correction.get(name, 0.0) if number == 0 else 0.0
            wanted.append(SHARES.get(listener.name, 1.0) * shift + further)
    for name in targets.keep:
        rows.append((0, len(MIDLEVEL) + EMOTIONS.index(name)))
        wanted.append(correction.get(name, 0.0))
    return rows, wanted
