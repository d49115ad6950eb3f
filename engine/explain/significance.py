"""Which segments a fader moves: those whose weight is beyond doubt, by the paper's rule p-value : |weight| < 1e-6.

p-values fall with the number of samples, so the rule means something only at a stated number. The paper's is
50,000 samples of plain LIME. A weight is therefore selected when the rule holds for its own p-value, as measured,
and for the one that plain LIME with 50,000 samples would give it: that one's standard error follows from the variance
that the linear surrogate leaves unexplained, which every estimator measures. So more certainty than the paper's does
not select more, and less does not select noise.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...models.common.arrays import Floats

RATIO: Final = 1e-6
PAPER_SAMPLES: Final = 50_000


def expected_lime_p_values(weights: Floats, unexplained_variance: Floats, *, bit_variance: float = 0.25) -> Floats:
    """p-values [segments, 7] that plain LIME with 50,000 samples gives weights of this size, in expectation.

    unexplained_variance [7] is that of the prediction for ten seconds around the linear surrogate, bit_variance that
    of what is perturbed (a quarter: fair bits).
    """
    error = np.sqrt(np.maximum(unexplained_variance, 1e-300) / (PAPER_SAMPLES * bit_variance))
    return np.asarray(2 * stats.norm.sf(np.abs(weights) / error))


def is_significant(weights: Floats, p: Floats) -> npt.NDArray[np.bool_]:
    """Where p-value : |weight| < 1e-6 (Haunschmid et al. 2019, section 3.2)."""
    return np.asarray(p < RATIO * np.abs(weights))


def mask_weights(weights: Floats, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Weights of the chosen segments scaled so that each feature's strongest is 1 in size; the others are 0."""
    kept = np.where(chosen, weights, 0.0)
    strongest = np.abs(kept).max(axis=0, initial=0.0)
    scaled = np.divide(kept, strongest, out=np.zeros_like(kept), where=strongest > 0)
    return np.asarray(scaled, np.float32)
