"""Expected gradients: the effect of a segment as the mean derivative of the network with respect to its level.

The perturbation coordinate t_s of a segment runs from 0 to 1: for `gain` from -6 to +6 dB, for `hide` from silence to
the unchanged segment. At random t of all segments at once, one backward pass gives the derivatives with respect to
all t_s. Their mean over uniform t is the effect E[f | t_s = 1] - E[f | t_s = 0] (expected gradients, Erion et al.,
Nature Machine Intelligence 2021). A difference of outputs has the noise of all other segments, the derivative only
that of their interaction with this one, so sixty samples are as accurate as thousands of differences.

Variance reduction:

- For `gain`, t takes the two nodes of the Gauss-Legendre rule, 0.5 +- 0.29, whose mean is exact for integrands cubic
in t.
  For `hide` the network is too nonlinear for that, and t is uniform on either side of 0.5.
- Samples are antithetic pairs (t, 1 - t). - The side of 0.5 that each t_s is on follows a balanced design
(`experimental_design.py`), so that the interactions of
  neighbouring segments cancel exactly.

Standard errors are those of the mean over pairs with independent random sides, so they are conservative. p-values are
calibrated to 50,000 LIME samples of the same perturbation (`significance.py`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.common.progress import report_step
from ...models.inference.checkpoint import Model
from ...models.inference.reverse.network import ReversePass, feature_gradients
from ...models.inference.threads import torch_threads
from .experimental_design import balanced_signs, visible_segments
from .lime import SegmentEffects
from .perturbation import AnalysisWindow, SegmentPerturber

PASSES: Final = 512
"""Default number of network evaluations per window."""
POSITIONS: Final = 128
"""Length of a window in output positions of the network."""
BIT_VARIANCE: Final = 1 / 12
"""Variance of t, uniform or at the two nodes."""
_PASSES_PER_SAMPLE: Final = 1 + len(MIDLEVEL)  # one forward, and one backward for each feature
_BATCH_PAIRS: Final = 2


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
        Network evaluations, forward and backward; 16 per antithetic pair, and four pairs at least.
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
    pairs = max(passes // (2 * _PASSES_PER_SAMPLE), 4)
    geometry = model.network.geometry
    signs = balanced_signs(pairs, visible_segments(window, geometry), rng, context=geometry.context)
    distance = BIT_VARIANCE**0.5 if perturbation == "gain" else rng.uniform(0, 0.5, signs.shape)
    t = 0.5 + np.where(signs, 1, -1) * distance  # [pairs, segments]
    perturber = SegmentPerturber(window, model, perturbation)
    reverse_pass = ReversePass(model.network) if ReversePass.supports(model.network) else None
    derivatives = np.empty((pairs, segments, features))
    predictions = np.empty((2, pairs, features))

    def measure(start: int) -> None:
        rows = slice(start, start + _BATCH_PAIRS)
        both = np.concatenate([t[rows], 1 - t[rows]])
        predicted, derivative = _derivatives(perturber, reverse_pass, both)
        derivatives[rows] = derivative.reshape(2, -1, segments, features).mean(0)
        predictions[:, rows] = predicted.reshape(2, -1, features)

    _run_in_threads(measure, range(0, pairs, _BATCH_PAIRS))
    weights = derivatives.mean(0)
    middle = pairs // 2
    odd, even = (predictions[0] - predictions[1]) / 2, predictions.mean(0).var(0)
    return SegmentEffects(
        weights=weights,
        ols_weights=weights,
        variances=derivatives.var(0, ddof=1) / pairs,
        split_halves=np.stack([derivatives[:middle].mean(0), derivatives[middle:].mean(0)]),
        dof=float(pairs - 1),
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


def _derivatives(
    perturber: SegmentPerturber, reverse_pass: ReversePass | None, t: Floats
) -> tuple[Floats, npt.NDArray[np.float32]]:
    """Predictions [samples, 7] and their derivatives [samples, segments, 7] at coordinates t [samples, segments]."""
    spectrograms = perturber.perturb(t)
    if reverse_pass is None:
        midlevel, gradients = feature_gradients(perturber.model.network, spectrograms)
        by_feature = [perturber.sum_by_segment(gradient) for gradient in gradients]
    else:
        with torch.inference_mode():
            midlevel, trace = reverse_pass.forward(spectrograms)
            by_feature = [perturber.sum_by_segment(gradient) for gradient in reverse_pass.reverse(trace)]
    derivatives = torch.stack(by_feature, 2).cpu().numpy()
    return midlevel.double().cpu().numpy(), derivatives
