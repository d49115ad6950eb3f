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

A unit is two pairs. For `gain`, one backward pass serves the four samples of a unit: the derivative through the means
of their gates (`models/inference/backward/network.py`) is about the mean of their derivatives. What is lost is how
the gates of one layer differ together with those of the next; docs/measurements.md says how much that is.

Standard errors are those of the mean over units with independent random sides, so they are conservative; they are
moderated (`moderated_variance.py`). p-values are calibrated to 50,000 LIME samples of the same perturbation
(`significance.py`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.common.progress import report_step
from ...models.inference.backward.network import BackwardPass, feature_gradients
from ...models.inference.checkpoint import Model
from ...models.inference.threads import torch_threads
from . import methods
from .experimental_design import balanced_signs, visible_segments
from .lime import SegmentEffects
from .moderated_variance import moderate
from .perturbation import AnalysisWindow, SegmentPerturber

PASSES: Final = methods.PASSES["gradient"]
"""Default number of network evaluations per window."""
POSITIONS: Final = 128
"""Length of a window in output positions of the network."""
BIT_VARIANCE: Final = 1 / 12
"""Variance of t, uniform or at the two nodes."""
_PASSES_PER_SAMPLE: Final = 1 + len(MIDLEVEL)  # one forward, and one backward for each feature
_UNIT_PAIRS: Final = 2
"""Antithetic pairs that are measured together."""
_SAMPLES_PER_GATE: Final = 4
"""Samples of a unit that go through the means of their gates: 4, or 2 (those on the same side of the two pairs),
which is nearer to the mean of their derivatives and takes longer."""


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
        Network evaluations, as if each sample went forward once and backward seven times: 32 per unit, and four units
        at least.
    perturbation
        "gain" or "hide".
    rng
        Random generator of this window.

    Returns
    -------
    SegmentEffects
        The same for any number of threads, but for rounding (processors may sum in another order).
    """
    segments, features = len(window.segments), len(MIDLEVEL)
    units = max(passes // (2 * _UNIT_PAIRS * _PASSES_PER_SAMPLE), 4)
    pairs = units * _UNIT_PAIRS
    geometry = model.network.geometry
    signs = balanced_signs(pairs, visible_segments(window, geometry), rng, context=geometry.context)
    distance = BIT_VARIANCE**0.5 if perturbation == "gain" else rng.uniform(0, 0.5, signs.shape)
    t = 0.5 + np.where(signs, 1, -1) * distance  # [pairs, segments]
    measure_unit = _UnitMeasure(SegmentPerturber(window, model, perturbation), mean_gates=perturbation == "gain")
    derivatives = np.empty((units, segments, features))
    predictions = np.empty((2, pairs, features))

    def measure(unit: int) -> None:
        rows = slice(unit * _UNIT_PAIRS, (unit + 1) * _UNIT_PAIRS)
        sides = np.stack([t[rows], 1 - t[rows]], axis=1)  # [pairs, 2, segments]
        predicted, derivatives[unit] = measure_unit(sides.reshape(-1, segments))
        predictions[:, rows] = predicted.reshape(-1, 2, features).transpose(1, 0, 2)

    _run_in_threads(measure, range(units))
    weights = derivatives.mean(0)
    middle = units // 2
    odd, even = (predictions[0] - predictions[1]) / 2, predictions.mean(0).var(0)
    variances, dof = moderate(derivatives.var(0, ddof=1), units - 1)
    return SegmentEffects(
        weights=weights,
        ols_weights=weights,
        variances=variances / units,
        split_halves=np.stack([derivatives[:middle].mean(0), derivatives[middle:].mean(0)]),
        dof=dof,
        residual_var=((odd - (t - 0.5) @ weights) ** 2).mean(0) + even,
        total_var=(odd**2).mean(0) + even,
    )


def _run_in_threads(measure: Callable[[int], None], starts: Sequence[int]) -> None:
    """Call `measure` for each start on as many threads as torch has, each limited to one torch thread.

    Faster than one call at a time on all threads; and which values are summed together does not depend on their
    number.
    """
    threads = torch.get_num_threads()
    with (
        torch_threads(threads),  # restores the number, which the workers' initializer sets for the whole process
        ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        for done, _ in enumerate(pool.map(measure, starts), start=1):
            report_step(done / len(starts))


class _UnitMeasure:
    """Measures units of samples, in which the two of an antithetic pair follow each other.

    Parameters
    ----------
    perturber
        Of the window.
    mean_gates
        Whether samples are measured through the means of their gates, where there is such a backward pass.
    """

    def __init__(self, perturber: SegmentPerturber, *, mean_gates: bool) -> None:
        self._perturber = perturber
        self._network = perturber.model.network
        samples_per_gate = _SAMPLES_PER_GATE if mean_gates else 1
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
                gradient = self._backward_pass.backward(trace).mean(1)
                derivatives = list(sum_by_segment(gradient).unsqueeze(1))
        return midlevel.double().cpu().numpy(), torch.cat(derivatives).T.double().cpu().numpy()
