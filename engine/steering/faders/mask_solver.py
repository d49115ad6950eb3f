"""Solves the mask of one fader at a time, for one of its two sides; decoupled_faders (masks.py) says in what order.

On few excerpts with all listeners (`limited`), made smaller where the sound would lose too much (segment_damage.py);
then corrected on many excerpts with the network alone, and on the whole track where that is longer (`corrected`);
then measured at each of LEVELS_DB (`measured`).
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL
from ...excerpts.segment_predictions import SegmentPredictions
from ..newton import newton_rounds, newton_step
from ..solver import Solution, corrected_slopes, solve
from .confirmed import listener_weights
from .levels import LEVELS_DB
from .mask_fields import SOLVED_AT_DB, MaskFields, max_damage_db
from .own_targets import TARGET, first_targets, raised_targets
from .segment_excerpts import FaderInputs

SOFT_GAIN_DB: Final = 12.0
"""Of each further listener is asked what a field of so much gain along its own slopes would move: more than there is
gain for, so all of it goes there, and each counts alike (or by LISTENER_WEIGHTS, confirmed.py), however far it moves.
"""
TRIES: Final = 3
"""How often all listeners are asked."""
CORRECTED_SHARE: Final = 1.05
"""How much more gain the corrections may take."""
ROUNDS: Final = 4
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
class LimitedFader:
    """Coefficients [fields] of a fader on one side of zero, within the limit of its loss (segment_damage.py).

    target: by how much its feature shall move at the network; negative on the side below zero.
    """

    feature: int
    side: float
    target: float
    coefficients: Floats


@dataclass(frozen=True)
class CorrectedFader:
    """A fader's mask [segments] on one side of zero.

    moved: changes of the features at SOLVED_AT_DB [7]; rest: how much of these the whole track has beyond `many` [7].
    """

    feature: int
    side: float
    mask: FloatArray
    moved: Floats
    rest: Floats


@dataclass(frozen=True)
class SolvedFader:
    """A fader on one side of zero.

    mask [segments]; levels: changes of the features [7] by the place in LEVELS_DB; listeners [listeners - 1]: changes
    of its feature at SOLVED_AT_DB at each further listener.
    """

    mask: FloatArray
    levels: dict[int, Floats]
    listeners: Floats


class MaskSolver:
    """Solves one fader at a time, for one of its two sides."""

    def __init__(
        self, fields: Floats, inputs: FaderInputs, whole_slopes: Floats, whole: Future[SegmentPredictions] | None
    ) -> None:
        """Take the fields [fields, segments] that masks are put together from (mask_fields.py).

        whole_slopes: slopes of the whole track [7, segments], per dB, without gain; whole: its predictions, where the
        inputs have only excerpts of it.
        """
        self._few, self._many = inputs.few, inputs.many
        self._fields = MaskFields(fields, inputs.many)
        self._tolerance = TOLERANCE if whole is None else FIRST_TOLERANCE
        self._listeners, self._loudness_damage = inputs.listeners, inputs.loudness_damage
        self._many_slopes, self._whole_slopes, self._whole = inputs.own_slopes, whole_slopes, whole
        self._slopes = inputs.slopes @ fields.T  # without gain: [listeners, 7, fields]
        self._rest_slopes = BENT_SHARE * (whole_slopes - self._many_slopes)
        self._slopes[0] = (self._many_slopes + self._rest_slopes) @ fields.T
        self._known_moves: dict[bytes, Floats] = {}
        by_explanation = self._many_slopes @ fields[:_FEATURES].T  # (the first fields are the explanation's masks)
        self._explained_move = SOLVED_AT_DB * float(np.abs(by_explanation.diagonal()).mean())
        # (beyond what the permitted gain reaches; misses are shares of the target, so a lower one counts more)
        self._soft_targets = SOFT_GAIN_DB * self._free_slopes() / listener_weights(inputs.listeners[1:])
        self._targets = first_targets(
            np.array(
                [self._fields.least_damage_db(self._slopes[0], feature, TARGET) for feature in range(_FEATURES)]
            ),
            np.array([max_damage_db(feature) for feature in range(_FEATURES)]),
            self._explained_move,
        )

    def limited(self, case: tuple[int, float]) -> LimitedFader:
        """Solve a case (feature, side) with all listeners, then limit its loss of loudness."""
        feature, side = case
        target = side * self._targets[feature]
        slopes = np.concatenate((self._slopes[0], self._slopes[1:, feature]))
        found = self._solve(feature, target, slopes)
        share = self._loudness_damage.share_within_limit(
            lambda share: self._fields.gains_db(share * found.coefficients)
        )
        return LimitedFader(feature, side, share * target, share * found.coefficients)

    def with_raised_targets(self, faders: Sequence[LimitedFader]) -> list[LimitedFader]:
        """The same faders, with higher targets where the limit of the loss leaves them too weak on the mean."""
        limited = np.abs([fader.target for fader in faders])
        wanted = np.array([self._targets[fader.feature] for fader in faders])
        targets = raised_targets(limited, wanted, self._explained_move)
        return [replace(fader, target=fader.side * float(one)) for fader, one in zip(faders, targets, strict=True)]

    def corrected(self, limited: LimitedFader) -> CorrectedFader:
        """The mask of a fader, corrected by the network's predictions of many excerpts and of the whole track."""
        feature, side, target = limited.feature, limited.side, limited.target
        found = self._corrected_on_excerpts(feature, target, limited.coefficients)
        found, rest = self._corrected_on_whole_track(feature, target, found)
        mask = (side * self._fields.gains_db(found.coefficients) / SOLVED_AT_DB).astype(np.float32)
        return CorrectedFader(feature, side, mask, found.moved, rest)

    def measured(self, fader: CorrectedFader) -> SolvedFader:
        """Measure the features at each of LEVELS_DB, and the fader's own feature at the further listeners."""
        feature, side, mask, rest = fader.feature, fader.side, fader.mask, fader.rest
        listeners = self._few.predict(mask * np.float32(side * SOLVED_AT_DB)) - self._few.before
        curve = {SOLVED_AT_DB: fader.moved}
        for level in (3.0, 12.0) if self._whole is None else (12.0,):
            curve[level] = self._moved(mask * np.float32(side * level)) + level / SOLVED_AT_DB * rest
        if self._whole is not None:  # (a parabola through nothing and the two others)
            curve[3.0] = 0.75 * curve[SOLVED_AT_DB] - 0.125 * curve[12.0]
        levels = {LEVELS_DB.index(side * level): moved for level, moved in curve.items()}
        return SolvedFader(mask, levels, listeners[1:, feature])

    def slopes_of(self, fields: FloatArray) -> FloatArray:
        """Change of the network's features per dB of fields [segments, fields], without gain: [7, fields]."""
        return (self._whole_slopes @ fields).astype(np.float32)

    def _moved(self, gains_db: FloatArray) -> Floats:
        """Changes of the network's features on many excerpts under gains [segments], [7]."""
        return np.asarray((self._many.predict(gains_db, networks=1) - self._many.before[:1])[0, :_FEATURES])

    def _own_moves(self, coefficients: Floats) -> Floats:
        """Changes of the network's features under coefficients, [7]: on many excerpts, and expected of the rest."""
        key = coefficients.tobytes()
        if key not in self._known_moves:  # (what the listeners were asked last is where the corrections begin)
            gains = self._fields.gains_db(coefficients)
            self._known_moves[key] = self._moved(gains.astype(np.float32)) + self._expected_rest(gains)
        return self._known_moves[key]

    def _free_slopes(self) -> Floats:
        """How far a dB of gain that the network does not follow moves each further listener: [listeners - 1, 7]."""
        rows = self._slopes @ self._fields.root
        across, _ = np.linalg.qr(rows[0].T)
        return np.asarray(np.linalg.norm(rows[1:] - rows[1:] @ across @ across.T, axis=2))

    def _solve(self, feature: int, target: float, slopes: Floats) -> Solution:
        """The network firm, on many excerpts; the further listeners soft, on few."""
        firm = target * (np.arange(_FEATURES) == feature)
        targets = np.concatenate((firm, np.sign(target) * self._soft_targets[:, feature]))

        def measure(coefficients: Floats) -> Floats:
            gains = self._fields.gains_db(coefficients)
            few = self._few.predict(gains.astype(np.float32)) - self._few.before
            own = few[0, :_FEATURES] if self._many is self._few else self._own_moves(coefficients)
            return np.concatenate((own, few[1:, feature]))

        return solve(
            measure,
            slopes,
            targets,
            self._fields.metric,
            rms_of=self._fields.damage_db,
            max_rms_db=max_damage_db(feature),
            soft=np.arange(len(slopes)) >= _FEATURES,
            tries=TRIES,
            worst_first=0.0,
            tolerance=self._tolerance,
        )

    def _corrected_on_excerpts(self, feature: int, target: float, start: Floats) -> Solution:
        """From a start on, with the network alone, on many excerpts.

        What the rest of the track adds to these is not measured yet: it is as the slopes without gain expect.
        """
        own = [(0, output) for output in range(_FEATURES)]

        def slopes_at(coefficients: Floats) -> Floats:
            gains = self._fields.gains_db(coefficients)
            return self._fields.slopes(self._many.slopes(own, gains.astype(np.float32)), coefficients)

        return newton_rounds(
            self._own_moves,
            slopes_at,
            target * (np.arange(_FEATURES) == feature),
            self._fields.metric,
            start=start,
            first_slopes=self._fields.slopes(self._many_slopes, start),
            rms_of=self._fields.damage_db,
            max_rms_db=CORRECTED_SHARE * max_damage_db(feature),
            rounds=ROUNDS,
            tolerance=self._tolerance,
        )

    def _corrected_on_whole_track(self, feature: int, target: float, found: Solution) -> tuple[Solution, Floats]:
        """From a solution on many excerpts on, by measurements of the whole track, if the excerpts are not all of it.

        Gives also the rest: changes [7] of the features of the whole track beyond those of the excerpts.
        """
        if self._whole is None:
            return found, np.zeros(_FEATURES)
        goal = target * (np.arange(_FEATURES) == feature)
        at, moved = found.coefficients, self._moved_on_whole_track(found.coefficients)
        rest = moved - (found.moved - self._expected_rest(self._fields.gains_db(at)))
        slopes = self._fields.slopes(BENT_SHARE * self._whole_slopes, at)
        slopes = corrected_slopes(slopes, at, moved, self._fields.metric)  # (no gain moves nothing)
        missed = float(np.abs(moved - goal).max())
        if missed > REPEATED_ABOVE * abs(target):
            step = self._step_on_whole_track(feature, goal, at, moved, slopes)
            if missed > WHOLE_AGAIN_ABOVE * abs(target):
                after = self._moved_on_whole_track(step.coefficients)
            else:  # (the rest has been measured, and the slopes say how it changes with a short step)
                gains = self._fields.gains_db(step.coefficients)
                after = self._moved(gains.astype(np.float32)) + self._expected_rest(gains) + moved - found.moved
            slopes = corrected_slopes(slopes, step.coefficients - at, after - moved, self._fields.metric)
            if np.abs(after - goal).max() < np.abs(moved - goal).max():
                at, moved = step.coefficients, after
        return self._step_on_whole_track(feature, goal, at, moved, slopes), rest

    def _step_on_whole_track(
        self, feature: int, goal: Floats, start: Floats, moved: Floats, slopes: Floats
    ) -> Solution:
        return newton_step(
            moved,
            slopes,
            goal,
            self._fields.metric,
            start=start,
            rms_of=self._fields.damage_db,
            max_rms_db=CORRECTED_SHARE * max_damage_db(feature),
        )

    def _moved_on_whole_track(self, coefficients: Floats) -> Floats:
        """Changes of the network's features on the whole track, [7]."""
        assert self._whole is not None
        whole = self._whole.result()
        return np.asarray(
            (whole.predict(self._fields.gains_db(coefficients).astype(np.float32)) - whole.before)[0, :_FEATURES]
        )

    def _expected_rest(self, gains_db: Floats) -> Floats:
        """Changes of the features that gains [segments] make on the whole track beyond many excerpts, about: [7]."""
        return np.asarray(self._rest_slopes @ gains_db)
