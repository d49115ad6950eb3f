"""The methods of an explanation by name, without torch and scikit-image: what settings are checked against."""

from typing import Final

ESTIMATORS: Final = {"gradient": "expected_gradients", "local": "local_regression", "lime": "lime"}
"""The modules of the estimators by name, the default first. Each has the function explain_window and the constants
PASSES (default number of network evaluations per window), BIT_VARIANCE (variance of the perturbation variable) and
POSITIONS (length of a window in output positions; 0 for ten seconds); the first has explain_windows as well."""
PASSES: Final = {"gradient": 384, "local": 1024, "lime": 50_000}
"""Default number of network evaluations per window."""
PERTURBATIONS: Final = ("gain", "hide")
SEGMENTATIONS: Final = ("felzenszwalb", "slic", "chan-vese", "watershed")
