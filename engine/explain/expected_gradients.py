"""The effect of a segment as the mean slope of the network along it, all segments and samples of one draw at once.

Every segment is turned to some place between its two ends (for `gain` between -6 and +6 dB, for `hide` between
silence and as it is), and the gradient says what turning each one further does. Its mean over all places is the
effect of the whole turn, E[f | t_s = 1] - E[f | t_s = 0]: expected gradients (Erion et al., Nature Machine
Intelligence 2021) with t uniform. A difference of outputs carries the noise of all other segments, the slope of one
segment only what the others do to it; so sixty draws tell what differences need thousands of samples for.

For `gain` the places are the two of Gauss and Legendre's rule, 0.5 +- 0.29: their mean is that over all places for
whatever is cubic in a place, and steadier. Between silence and all, a network bends too sharply for that: for `hide`
places are uniform on either side of the middle. Draws come in antithetic pairs (t, 1 - t), and who is on which side
follows a balanced plan (designs.py): what two neighbours do together cancels, instead of averaging out. Standard
errors are those of the mean over pairs as if the plan were coins, so they are cautious. p-values are calibrated to
50,000 plain LIME samples of this perturbation.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.inference.checkpoint import Model
from ...models.inference.threads import torch_threads
from .experimental_design import balanced_signs, visible_segments
from .lime import SegmentEffects
from .perturbation import AnalysisWindow, SegmentPerturber

PASSES: Final = 512
POSITIONS: Final = 128
BIT_VARIANCE: Final = 1 / 12
"""Variance of a place, uniform or one of the two."""
_PASSES_A_DRAW: Final = 1 + len(MIDLEVEL)
"""One forward through the network and one back for each feature."""
_PAIRS_AT_ONCE: Final = 2


def explain_window(
    stretch: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """Effects of the window's segments on the mean of its local outputs, from passes // 16 antithetic pairs."""
    segments, features = len(stretch.segments), len(MIDLEVEL)
    pairs = max(passes // (2 * _PASSES_A_DRAW), 4)
    geometry = model.network.geometry
    signs = balanced_signs(pairs, visible_segments(stretch, geometry), rng, context=geometry.context)
    away = BIT_VARIANCE**0.5 if perturbation == "gain" else rng.uniform(0, 0.5, signs.shape)
    places = 0.5 + np.where(signs, 1, -1) * away
    bench = SegmentPerturber(stretch, model, perturbation)
    slopes = np.empty((pairs, segments, features))
    heard = np.empty((2, pairs, features))

    def measure(start: int) -> None:
        rows = slice(start, start + _PAIRS_AT_ONCE)
        turned = np.concatenate([places[rows], 1 - places[rows]])
        said, slope = _slopes(bench, turned)
        slopes[rows] = slope.reshape(2, -1, segments, features).mean(0)
        heard[:, rows] = said.reshape(2, -1, features)

    _side_by_side(measure, range(0, pairs, _PAIRS_AT_ONCE))
    weights = slopes.mean(0)
    middle = pairs // 2
    odd, even = (heard[0] - heard[1]) / 2, heard.mean(0).var(0)
    return SegmentEffects(
        weights=weights,
        ols_weights=weights,
        variances=slopes.var(0, ddof=1) / pairs,
        split_halves=np.stack([slopes[:middle].mean(0), slopes[middle:].mean(0)]),
        dof=float(pairs - 1),
        residual_var=((odd - (places - 0.5) @ weights) ** 2).mean(0) + even,
        total_var=(odd**2).mean(0) + even,
    )


def _side_by_side(measure: Callable[[int], None], starts: Iterable[int]) -> None:
    """As many at once as torch has threads, each with one thread: quicker than many threads for each, and what is
    added up in which order does not depend on their number."""
    threads = torch.get_num_threads()
    with (
        torch_threads(threads),  # (afterwards; what the workers set is set for all)
        ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        for _ in pool.map(measure, starts):
            pass


def _slopes(bench: SegmentPerturber, places: Floats) -> tuple[Floats, npt.NDArray[np.float32]]:
    """Mid-levels [draws, 7] and their slopes along each segment [draws, segments, 7] at places [draws, segments]."""
    pictures = bench.perturb(places)
    sound = pictures.sound.requires_grad_()
    midlevel = sum(part.mean((2, 3)) for part in bench.model.network.branch_outputs(pictures))
    assert isinstance(midlevel, torch.Tensor)
    slopes = []
    for feature in range(len(MIDLEVEL)):
        (gradient,) = torch.autograd.grad(midlevel[:, feature].sum(), sound, retain_graph=feature < len(MIDLEVEL) - 1)
        slopes.append(bench.sum_by_segment(gradient).cpu().numpy())
    return midlevel.detach().double().cpu().numpy(), np.stack(slopes, axis=2)
