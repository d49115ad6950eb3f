"""Settings of an analysis: the methods by name, checked when they are chosen."""

import numbers
from dataclasses import asdict, dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from ...models.common.constants import QUALITIES
from ...models.common.errors import InputError
from ..explain.methods import ESTIMATORS, PASSES, PERTURBATIONS, SEGMENTATIONS

PASSES_MINIMUM: Final = 64
PASSES_MAXIMUM: Final = 1_000_000
DRAFT_PASSES: Final = 64
"""Evaluations per window of a draft."""


def estimator_module(name: str) -> ModuleType:
    """The module of an estimator, with what `ESTIMATORS` says; imports torch."""
    return import_module(f"moodfader.engine.explain.{ESTIMATORS[name]}")


@dataclass(frozen=True)
class AnalysisSettings:
    """Settings of an analysis.

    Attributes
    ----------
    segmentation
        "felzenszwalb" (the paper's), "slic", "chan-vese" or "watershed".
    estimator
        "gradient" (expected gradients), "local" (local regression) or "lime" (the paper's).
    perturbation
        "gain" (+-6 dB) or "hide" (silence; the paper's).
    passes
        Network evaluations per window, at least 64; 0 is replaced by the estimator's default.
    seed
        0 or more. The same settings give the same analysis.
    coupled
        Whether the faders' masks are those of the explanation, as before 0.8; otherwise each fader moves its own
        feature and leaves the other six.
    quality
        "full", or "draft": few evaluations and coupled faders, for a first impression within seconds. Weights of a
        draft are those of the full analysis with more noise.

    Raises
    ------
    InputError
        A name is unknown or a number out of range.
    """

    segmentation: str = "felzenszwalb"
    estimator: str = "gradient"
    perturbation: str = "gain"
    passes: int = 0
    seed: int = 0
    coupled: bool = False
    quality: str = "full"

    def __post_init__(self) -> None:
        if self.perturbation == "mask":  # the word for users; files and cache keys have the older one
            object.__setattr__(self, "perturbation", "hide")
        for value, allowed, what in (
            (self.segmentation, SEGMENTATIONS, "segmentation"),
            (self.estimator, ESTIMATORS, "estimator"),
            (self.perturbation, PERTURBATIONS, "perturbation"),
            (self.quality, QUALITIES, "quality"),
        ):
            if not isinstance(value, str) or value not in allowed:
                raise InputError(f"no {what} is called {value!r}: there are {', '.join(allowed)}")
        for number, what in ((self.passes, "passes"), (self.seed, "seed")):
            if isinstance(number, bool) or not isinstance(number, numbers.Integral):
                raise InputError(f"{what} {number!r}: a whole number is needed")
        if self.quality == "draft":
            object.__setattr__(self, "coupled", True)
        if self.passes == 0:
            draft = self.quality == "draft" and self.estimator == "gradient"
            object.__setattr__(self, "passes", DRAFT_PASSES if draft else PASSES[self.estimator])
        if self.passes < PASSES_MINIMUM:
            raise InputError(f"{self.passes} evaluations are too few to explain anything: at least {PASSES_MINIMUM}")
        if self.passes > PASSES_MAXIMUM:
            raise InputError(f"{self.passes} evaluations are too many to be kept in memory: at most {PASSES_MAXIMUM}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed {self.seed} is out of range: a whole number from 0 on")

    def stored(self) -> dict[str, Any]:
        """Return the settings as they are kept in files and keys: `quality` only where it is not full."""
        values = asdict(self)
        if self.quality == "full":
            del values["quality"]  # as in files of before there were drafts
        return values
