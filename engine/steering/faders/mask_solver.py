"""Solves the mask of one fader at a time, for one of its two sides; decoupled_faders (masks.py) says how."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL
from ...dsp.segment_mask import MASK_LIMIT
from ...excerpts.segment_predictions import SegmentPredictions
from ..handles import DAMAGE, FADER_HANDLES
from ..newton import correct, newton_step
from ..solver import Solution, corrected_slopes, inverse_root, solve
from .confirmed import listener_weights
from .levels import LEVELS_DB
from .own_targets import TARGET, first_targets, raised_targets
from .segment_excerpts import FaderGround, SegmentExcerpts

SOLVED_AT_DB: Final = 6.0
"""Where a fader stands when it is solved."""
STEP_COST: Final = 2.1
"""What the step of a gain from frame to frame costs beside the gain itself, both squared, where fields are chosen.

(Chosen by the loss that bounds their size, faders move judges as far, but more often the wrong way.)
"""
LOSS_PER_DB: Final = 0.027
"""About what a square dB of a fader's gain, steps included, takes from Zimtohrli's mean opinion score."""
MAX_DAMAGE_DB: Final = 4.3
"""Of a fader at SOLVED_AT_DB: the root of what its sound is expected to lose, over that of LOSS_PER_DB: half a point
of five.
"""
DAMAGE_SHARES: Final[Mapping[str, float]] = {
    "melodiousness": 1.0,
    "articulation": 1.05,
    "rhythmic_complexity": 1.05,
    "rhythmic_stability": 1.0,
    "dissonance": 1.05,
    "tonal_stability": 1.0,
    "modality": 1.02,
}
"""How much of MAX_DAMAGE_DB a feature's fader may do."""
MAX_GAIN_DB: Final = MASK_LIMIT * SOLVED_AT_DB
SOFT_GAIN_DB: Final = 12.0
"""Of each further listener is asked what a field of so much gain along its own slopes would move: more than there is
gain for, so all of it goes there, and each counts alike (or by LISTENER_WEIGHTS, confirmed.py), however far it moves.
"""
TRIES: Final = 3
"""How often all listeners are asked."""
CORRECTED_SHARE: Final = 1.05
"""How much more gain the corrections may take."""
ROUNDS: Final = 2
"""Of corrections at the network alone, by which the other features are put back where they were."""
TOLERANCE: Final = 0.06
FIRST_TOLERANCE: Final = 0.3
"""Instead of TOLERANCE, where the rest of the track follows."""
BENT_SHARE: Final = 0.7
"""How much of what the slopes without gain expect of a fader's gain it moves, about."""
REPEATED_ABOVE: Final = 0.3
"""Where a fader misses more than this of its target on the whole track, the step after it is measured as well."""
WHOLE_AGAIN_ABOVE: Final = 0.5
"""Where it misses more than this, that is measured on the whole track; else on many excerpts."""
_FEATURES: Final = len(MIDLEVEL)
SIDES: Final = (1.0, -1.0)


@dataclass(frozen=True)
class BearableFader:
    """A fader of which the loudness of the sound bears the gains of these coefficients [fields].

    target: by how much its feature shall move at the network; negative on the side below zero.
    """

    feature: int
    side: float
    target: float
    coefficients: Floats


@dataclass(frozen=True)
class CorrectedFader:
    """A fader's mask [segments] on one side of zero.

    moved: what it moves at SOLVED_AT_DB [7]; beyond: how much of that many excerpts do not say [7].
    """

    feature: int
    side: float
    mask: FloatArray
    moved: Floats
    beyond: Floats


@dataclass(frozen=True)
class SolvedFader:
    """A fader on one side of zero.

    mask [segments]; levels: what the features are moved by, by the place in LEVELS_DB; listeners: by how much the
    further listeners say more of its feature at SOLVED_AT_DB.
    """

    mask: FloatArray
    levels: dict[int, Floats]
    listeners: Floats


def _max_damage_db(feature: int) -> float:
    return MAX_DAMAGE_DB * DAMAGE_SHARES[MIDLEVEL[feature]]


class FaderSolver:
    """Solves one fader at a time, for one of its two sides."""

    def __init__(
        self, fields: Floats, ground: FaderGround, known: Floats, whole: Future[SegmentPredictions] | None
    ) -> None:
        """Take the fields [fields, segments] that gain fields are put together from.

        known: slopes of the whole track [7, segments], per dB, without gain; whole: of which ground has excerpts.
        """
        self._fields = fields
        self._few, self._many = ground.few, ground.many
        self._listeners, self._loudness_damage = ground.listeners, ground.loudness_damage
        self._slopes = ground.slopes @ fields.T  # without gain: [listeners, 7, fields]
        self._flat, self._known, self._whole = ground.own_slopes, known, whole
        root = np.sqrt(np.concatenate((np.ones(_FEATURES), DAMAGE[:FADER_HANDLES], np.ones(_FEATURES))))
        square = (fields * self._many.sizes) @ fields.T + STEP_COST * self._many.damage.step_metric(fields)
        self._metric = square * root[:, None] * root
        plain = self._flat @ fields[:_FEATURES].T  # (the first fields are the explanation's masks)
        self._plain = SOLVED_AT_DB * float(np.abs(plain.diagonal()).mean())
        # (a listener of which less is asked counts more: of all more is asked than there is gain for)
        self._soft_targets = SOFT_GAIN_DB * self._free_slopes() / listener_weights(ground.listeners[1:])
        self._targets = first_targets(
            np.array([self._own_damage_db(feature) for feature in range(_FEATURES)]),
            np.array([_max_damage_db(feature) for feature in range(_FEATURES)]),
            self._plain,
        )

    def bearable(self, case: tuple[int, float]) -> BearableFader:
        """What moves a feature on one side of zero at all listeners, as strong as the sound bears it."""
        feature, side = case
        target = side * self._targets[feature]
        slopes = np.concatenate((self._slopes[0], self._slopes[1:, feature]))
        found = self._solve(feature, target, slopes)
        share = self._loudness_damage.bearable_share(lambda share: self._gains(share * found.coefficients))
        return BearableFader(feature, side, share * target, share * found.coefficients)

    def far_enough(self, faders: Sequence[BearableFader]) -> list[BearableFader]:
        """The same faders, with higher targets where the sound bears so little that they move too little."""
        bearable = np.abs([fader.target for fader in faders])
        wanted = np.array([self._targets[fader.feature] for fader in faders])
        targets = raised_targets(bearable, wanted, self._plain)
        return [replace(fader, target=fader.side * float(one)) for fader, one in zip(faders, targets, strict=True)]

    def corrected(self, bearable: BearableFader) -> CorrectedFader:
        """The fader of a feature on one side of zero, put right by what the network says of the track."""
        feature, side, target = bearable.feature, bearable.side, bearable.target
        found = self._corrected(feature, target, bearable.coefficients)
        found, beyond = self._of_the_whole(feature, target, found)
        mask = (side * self._gains(found.coefficients) / SOLVED_AT_DB).astype(np.float32)
        return CorrectedFader(feature, side, mask, found.moved, beyond)

    def measured(self, fader: CorrectedFader) -> SolvedFader:
        """What a fader moves at each of LEVELS_DB, and at the further listeners."""
        feature, side, mask, beyond = fader.feature, fader.side, fader.mask, fader.beyond
        listeners = self._few.predict(mask * np.float32(side * SOLVED_AT_DB)) - self._few.before
        curve = {SOLVED_AT_DB: fader.moved}
        for level in (3.0, 12.0) if self._whole is None else (12.0,):
            curve[level] = self._moved(mask * np.float32(side * level)) + level / SOLVED_AT_DB * beyond
        if self._whole is not None:  # (a parabola through nothing and the two others)
            curve[3.0] = 0.75 * curve[SOLVED_AT_DB] - 0.125 * curve[12.0]
        levels = {LEVELS_DB.index(side * level): moved for level, moved in curve.items()}
        return SolvedFader(mask, levels, listeners[1:, feature])

    def slopes_of(self, fields: FloatArray) -> FloatArray:
        """Change of the network's features per dB of fields [segments, fields], without gain: [7, fields]."""
        return (self._known @ fields).astype(np.float32)

    def _moved(self, gains_db: FloatArray) -> Floats:
        """What the network's features are moved by on many excerpts, [7]."""
        return np.asarray((self._many.predict(gains_db, networks=1) - self._many.before[:1])[0, :_FEATURES])

    def _slopes_at(self, excerpts: SegmentExcerpts, rows: Sequence[tuple[int, int]], coefficients: Floats) -> Floats:
        """Change of outputs (listener, number) per dB of each field, at coefficients: [rows, fields]."""
        gains = self._gains(coefficients)
        slopes = excerpts.slopes(rows, gains.astype(np.float32))
        return np.asarray((slopes * self._saturation(coefficients)) @ self._fields.T)

    def _own_damage_db(self, feature: int) -> float:
        """Gain that it takes, about, to move a feature by TARGET at the network and to leave the others."""
        rows = self._slopes[0] @ inverse_root(self._metric)
        gram = rows @ rows.T
        gram += (1e-6 * np.trace(gram) / len(gram) + 1e-18) * np.eye(len(gram))
        return float(np.sqrt(TARGET * np.linalg.inv(gram)[feature, feature] * TARGET)) + 1e-9

    def _free_slopes(self) -> Floats:
        """How far a dB of gain that leaves the network where it is moves each of the others: [listeners - 1, 7]."""
        rows = self._slopes @ inverse_root(self._metric)
        across, _ = np.linalg.qr(rows[0].T)
        return np.asarray(np.linalg.norm(rows[1:] - rows[1:] @ across @ across.T, axis=2))

    def _solve(self, feature: int, target: float, slopes: Floats) -> Solution:
        """With all listeners, on few excerpts: the network firm, the others soft."""
        firm = target * (np.arange(_FEATURES) == feature)
        targets = np.concatenate((firm, np.sign(target) * self._soft_targets[:, feature]))

        def measure(coefficients: Floats) -> Floats:
            moved = self._few.predict(self._gains(coefficients).astype(np.float32)) - self._few.before
            return np.concatenate((moved[0, :_FEATURES], moved[1:, feature]))

        return solve(
            measure,
            slopes,
            targets,
            self._metric,
            rms_of=self._damage_db,
            max_rms_db=_max_damage_db(feature),
            soft=np.arange(len(slopes)) >= _FEATURES,
            tries=TRIES,
            worst_first=0.0,
            tolerance=TOLERANCE,
        )

    def _corrected(self, feature: int, target: float, start: Floats) -> Solution:
        """From a start on, with the network alone, on many excerpts.

        What the rest of the track moves beyond these is not measured yet, but the slopes without gain expect some.
        """
        own = [(0, output) for output in range(_FEATURES)]

        def measure(coefficients: Floats) -> Floats:
            gains = self._gains(coefficients)
            return self._moved(gains.astype(np.float32)) + self._expected_beyond(gains)

        return correct(
            measure,
            lambda coefficients: self._slopes_at(self._many, own, coefficients),
            target * (np.arange(_FEATURES) == feature),
            self._metric,
            start=start,
            first_slopes=self._first_slopes(start),
            rms_of=self._damage_db,
            max_rms_db=CORRECTED_SHARE * _max_damage_db(feature),
            rounds=ROUNDS,
            tolerance=TOLERANCE if self._whole is None else FIRST_TOLERANCE,
        )

    def _of_the_whole(self, feature: int, target: float, found: Solution) -> tuple[Solution, Floats]:
        """From what many excerpts have solved on, by measurements of the whole track, if they are not all of it.

        Gives also what the whole track was moved by beyond these excerpts, [7].
        """
        if self._whole is None:
            return found, np.zeros(_FEATURES)
        goal = target * (np.arange(_FEATURES) == feature)
        at, moved = found.coefficients, self._moved_of_all(found.coefficients)
        beyond = moved - (found.moved - self._expected_beyond(self._gains(at)))
        slopes = (BENT_SHARE * self._known * self._saturation(at)) @ self._fields.T
        slopes = corrected_slopes(slopes, at, moved, self._metric)  # (no gain moves nothing)
        missed = float(np.abs(moved - goal).max())
        if missed > REPEATED_ABOVE * abs(target):
            step = self._step_of_all(feature, goal, at, moved, slopes)
            if missed > WHOLE_AGAIN_ABOVE * abs(target):
                after = self._moved_of_all(step.coefficients)
            else:  # (what the rest moves beyond is known, and by the slopes how that changes with a short step)
                gains = self._gains(step.coefficients)
                after = self._moved(gains.astype(np.float32)) + self._expected_beyond(gains) + moved - found.moved
            slopes = corrected_slopes(slopes, step.coefficients - at, after - moved, self._metric)
            if np.abs(after - goal).max() < np.abs(moved - goal).max():
                at, moved = step.coefficients, after
        return self._step_of_all(feature, goal, at, moved, slopes), beyond

    def _step_of_all(self, feature: int, goal: Floats, start: Floats, moved: Floats, slopes: Floats) -> Solution:
        return newton_step(
            moved,
            slopes,
            goal,
            self._metric,
            start=start,
            rms_of=self._damage_db,
            max_rms_db=CORRECTED_SHARE * _max_damage_db(feature),
        )

    def _moved_of_all(self, coefficients: Floats) -> Floats:
        """What the network's features are moved by on the whole track, [7]."""
        assert self._whole is not None
        whole = self._whole.result()
        return np.asarray((whole.predict(self._gains(coefficients).astype(np.float32)) - whole.before)[0, :_FEATURES])

    def _expected_beyond(self, gains_db: Floats) -> Floats:
        """What gains [segments] move on the whole track beyond what they move on many excerpts, about: [7]."""
        return np.asarray(BENT_SHARE * ((self._known - self._flat) @ gains_db))

    def _first_slopes(self, coefficients: Floats) -> Floats:
        """About what `_slopes_at` gives of the network on many excerpts, by its slopes without gain: [7, fields]."""
        return np.asarray((self._flat * self._saturation(coefficients)) @ self._fields.T)

    def _saturation(self, coefficients: Floats) -> Floats:
        """Change of the gains per dB of the sum of the fields: [segments]."""
        return np.asarray(1 - (self._gains(coefficients) / MAX_GAIN_DB) ** 2)

    def _damage_db(self, coefficients: Floats) -> float:
        """Root of what the sound is expected to lose, in dB of a usual gain."""
        return float(np.sqrt(self._many.damage.loss(self._gains(coefficients)) / LOSS_PER_DB))

    def _gains(self, coefficients: Floats) -> Floats:
        """Gains in dB [segments] of coefficients of the fields, none beyond MAX_GAIN_DB."""
        return np.asarray(MAX_GAIN_DB * np.tanh(coefficients @ self._fields / MAX_GAIN_DB))
