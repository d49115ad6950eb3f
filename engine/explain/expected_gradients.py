"""Expected gradients: the effect of a segment as the mean derivative of the network with respect to its level.

The perturbation coordinate t_s of a segment runs from 0 to 1: for `gain` from -6 to +6 dB, for `hide` from silence to
the unchanged segment. At random t of all segments at once, one backward pass gives the derivatives with respect to
all t_s. Their mean over uniform t is the effect E[f | t_s = 1] - E[f | t_s = 0] (expected gradients, Erion et al.,
Nature Machine Intelligence 2021). A difference of outputs has the noise of all other segments, the derivative only
that of their interaction with this one, so sixty samples are as accurate as thousands of differences.

Variance reduction:

- For `gain`, t takes the two nodes of the Gauss-Legendre rule, 0.5 +- 0.29, whose mean is exact for integrands cubic
  in t. For `hide` the network is too nonlinear for that, and t is uniform on either side of 0.5.
- Samples are antithetic pairs (t, 1 - t).
- The side of 0.5 that each t_s is on follows a balanced design (`experimental_design.py`), so that the interactions
  of neighbouring segments cancel exactly.

A unit is two or, for `gain`, three pairs. For `gain`, one backward pass serves all samples of a unit: the derivative
through the means of their gates (`models/inference/backward/network.py`) is about the mean of their derivatives. What
is lost is how the gates of one layer differ together with those of the next; docs/measurements.md says how much that
is.

Standard errors are those of the mean over units with independent random sides, so they are conservative; they are
moderated (`moderated_variance.py`). p-values are calibrated to 50,000 LIME samples of the same perturbation
(`significance.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.common.progress import report_step
from ...models.inference.backward.network import BackwardPass, feature_gradients
from ...models.inference.checkpoint import Model
from ...models.inference.threads import worker_threads
from . import methods
from .experimental_design import balanced_signs, visible_segments
from .lime import SegmentEffects
from .moderated_variance import moderate
from .perturbation import AnalysisWindow, SegmentPerturber

PASSES: Final = methods.PASSES["gradient"]
"""Default number of network evaluations per window."""
POSITIONS: Final = 180
"""Length of a window in output positions of the network: what lies around it is computed with it (a fifth of 128)."""
BIT_VARIANCE: Final = 1 / 12
"""Variance of t, uniform or at the two nodes."""
_PASSES_PER_SAMPLE: Final = 1 + len(MIDLEVEL)  # one forward, and one backward for each feature
LEAST_PASSES: Final = 128
"""Of fewer evaluations standard errors and p-values say nothing."""
_LEAST_PAIRS: Final = 4
_UNIT_PAIRS: Final = 2
"""Antithetic pairs that are measured together."""
_MORE_UNIT_PAIRS: Final = 3
"""Where all samples of a unit share a backward pass, and enough units are left to say how far they differ."""
_UNITS: Final = 8
"""So many are enough."""


def explain_window(
    window: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """Estimate the effects of a window's segments on the mean of its local outputs.

    Parameters
    ----------
    window
        The window.
    model
        The model to explain.
    passes
        Network evaluations, as if each sample went forward once and backward seven times: 16 for each antithetic
        pair, and four pairs at least.
    perturbation
        "gain" or "hide".
    rng
        Random generator of this window.

    Returns
    -------
    SegmentEffects
        The same for any number of threads, but for rounding (processors may sum in another order).
    """
    measurement = WindowMeasurement(window, model, passes=passes, perturbation=perturbation, rng=rng)
    with worker_threads() as pool:
        for done, _ in enumerate(pool.map(measurement.measure, range(measurement.units)), start=1):
            report_step(done / measurement.units)
    return measurement.effects()


class WindowMeasurement:
    """The measurement of a window in units, which may be measured in any order and on any threads.

    Parameters
    ----------
    window, model, passes, perturbation, rng
        As of `explain_window`.

    Attributes
    ----------
    units : int
        How many there are.
    """

    def __init__(
        self, window: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
    ) -> None:
        segments, features = len(window.segments), len(MIDLEVEL)
        mean_gates = perturbation == "gain" and BackwardPass.supports(model.network)
        pairs = max(passes // (2 * _PASSES_PER_SAMPLE), _LEAST_PAIRS)
        self._unit_pairs = _MORE_UNIT_PAIRS if mean_gates and pairs >= _MORE_UNIT_PAIRS * _UNITS else _UNIT_PAIRS
        self.units = pairs // self._unit_pairs
        pairs = self.units * self._unit_pairs
        geometry = model.network.geometry
        signs = balanced_signs(pairs, visible_segments(window, geometry), rng, context=geometry.context)
        distance = BIT_VARIANCE**0.5 if perturbation == "gain" else rng.uniform(0, 0.5, signs.shape)
        self._t = 0.5 + np.where(signs, 1, -1) * distance  # [pairs, segments]
        perturber = SegmentPerturber(window, model, perturbation)
        self._measure_unit = _UnitMeasure(perturber, samples_per_gate=2 * self._unit_pairs if mean_gates else 1)
        self._derivatives = np.empty((self.units, segments, features))
        self._predictions = np.empty((2, pairs, features))

    def measure(self, unit: int) -> None:
        """Measure one of the units."""
        rows = slice(unit * self._unit_pairs, (unit + 1) * self._unit_pairs)
        t = self._t[rows]
        sides = np.stack([t, 1 - t], axis=1)  # [pairs, 2, segments]
        predicted, self._derivatives[unit] = self._measure_unit(sides.reshape(-1, t.shape[1]))
        self._predictions[:, rows] = predicted.reshape(-1, 2, predicted.shape[1]).transpose(1, 0, 2)

    def effects(self) -> SegmentEffects:
        """Return what all units together say, when they are measured."""
        weights = self._derivatives.mean(0)
        middle = self.units // 2
        odd, even = (self._predictions[0] - self._predictions[1]) / 2, self._predictions.mean(0).var(0)
        variances, dof = moderate(self._derivatives.var(0, ddof=1), self.units - 1)
        return SegmentEffects(
            weights=weights,
            ols_weights=weights,
            variances=variances / self.units,
            split_halves=np.stack([self._derivatives[:middle].mean(0), self._derivatives[middle:].mean(0)]),
            dof=dof,
            residual_var=((odd - (self._t - 0.5) @ weights) ** 2).mean(0) + even,
            total_var=(odd**2).mean(0) + even,
        )


_Prepared = tuple[AnalysisWindow, WindowMeasurement]


@dataclass(frozen=True)
class _Begun:
    """A window whose units are in the queue, and the next one, which is being prepared."""

    window: AnalysisWindow
    measurement: WindowMeasurement
    units: list[Future[None]]
    following: Future[_Prepared] | None


def explain_windows(
    cuts: Sequence[Callable[[], AnalysisWindow]],
    model: Model,
    *,
    passes: int,
    perturbation: str,
    rngs: Sequence[np.random.Generator],
    pool: Executor,
) -> Iterator[tuple[AnalysisWindow, SegmentEffects]]:
    """Explain the windows of a track in their order; each is prepared while the one before it is measured.

    Parameters
    ----------
    cuts
        For each window a function that cuts it out: at most two windows are there at a time.
    model, passes, perturbation
        As of `explain_window`.
    rngs
        A random generator for each window.
    pool
        Threads, as `worker_threads` gives them.

    Yields
    ------
    AnalysisWindow, SegmentEffects
        As `explain_window` gives them.
    """

    def prepare(number: int) -> _Prepared:
        window = cuts[number]()
        measurement = WindowMeasurement(window, model, passes=passes, perturbation=perturbation, rng=rngs[number])
        return window, measurement

    def begin(number: int, prepared: Future[_Prepared]) -> _Begun:
        window, measurement = prepared.result()
        half = measurement.units // 2
        units = [pool.submit(measurement.measure, unit) for unit in range(half)]
        following = pool.submit(prepare, number + 1) if number + 1 < len(cuts) else None
        units += [pool.submit(measurement.measure, unit) for unit in range(half, measurement.units)]
        return _Begun(window, measurement, units, following)

    begun: _Begun | None = begin(0, pool.submit(prepare, 0)) if cuts else None
    number = 0
    while begun is not None:
        number, following = number + 1, None
        for done, unit in enumerate(begun.units, start=1):
            unit.result()
            report_step(done / len(begun.units))
            # The next window's units are in the queue before the last half of this one's is done.
            if done == len(begun.units) // 2 and begun.following is not None:
                following = begin(number, begun.following)
        yield begun.window, begun.measurement.effects()
        begun = following


class _UnitMeasure:
    """Measures units of samples, in which the two of an antithetic pair follow each other.

    Parameters
    ----------
    perturber
        Of the window.
    samples_per_gate
        How many samples are measured through the means of their gates, where there is such a backward pass.
    """

    def __init__(self, perturber: SegmentPerturber, *, samples_per_gate: int) -> None:
        self._perturber = perturber
        self._network = perturber.model.network
        supported = BackwardPass.supports(self._network)
        self._backward_pass = BackwardPass(self._network, samples_per_gate=samples_per_gate) if supported else None

    def __call__(self, t: Floats) -> tuple[Floats, Floats]:
        """Return predictions [samples, 7] and mean derivatives [segments, 7] at coordinates t [samples, segments]."""
        sum_by_segment = self._perturber.sum_by_segment
        spectrograms = self._perturber.perturb(t)
        if self._backward_pass is None:
            midlevel, gradients = feature_gradients(self._network, spectrograms)
            derivatives = [sum_by_segment(gradient.mean(0, keepdim=True)) for gradient in gradients]
        else:
            with torch.inference_mode():
                midlevel, trace = self._backward_pass.forward(spectrograms)
                gradient = self._backward_pass.backward(trace)
                gradient = gradient[:, 0] if gradient.shape[1] == 1 else gradient.mean(1)
                derivatives = list(sum_by_segment(gradient).unsqueeze(1))
        return midlevel.double().cpu().numpy(), torch.cat(derivatives).T.double().cpu().numpy()
