"""The settings of a training run."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.errors import InputError
from ..inference.checkpoint import read_checkpoint
from ..network.architectures import ARCHITECTURES
from .losses import HEAD_WEIGHTS, SYNTHETIC_FEATURE_WEIGHTS

MAX_THREADS = 256
"""More make no run quicker, and many more end the program."""
LAYERS = ("fixed", "start", "free")

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainingSettings:
    """layer: the mid-level to emotion layer is "fixed" as published, starts there ("start") or is "free".

    precision: "float32", or "bfloat16" for the convolutions where the processor is quicker with it. threads: how
    many torch uses, device: where it works; sums of floats depend on both, so they belong to what makes a run
    repeatable. start: the checkpoint whose network is the beginning, its last layer apart. consistency: what the
    change of the features under adversarial gain fields counts (gain_fields.py; 0: none), found for `copies`
    recordings a step, small ones first if `growing`. distillation: what the distance from a teacher's embedding
    counts (distillation.py). layer_rate: by how much the mid-level to emotion layer learns faster; refit: it is
    fitted at once before and after (emotion_layer.py). Raises InputError for an unknown name or a number out of
    range.
    """

    architecture: str = "modulation"
    layer: str = "start"
    epochs: int = 30
    steps_per_epoch: int = 40
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    dropout: float = 0.2
    averaging: float = 0.98
    seed: int = 0
    precision: str = "float32"
    threads: int = 2
    device: str = "cpu"
    start: Path | None = None
    consistency: float = 2.0
    copies: int = 16
    growing: bool = True
    distillation: float = 0.2
    layer_rate: float = 3.0
    refit: bool = True

    def __post_init__(self) -> None:
        for value, known, what in (
            (self.layer, LAYERS, "layer"),
            (self.architecture, ARCHITECTURES, "architecture"),
            (self.precision, PRECISIONS, "precision"),
        ):
            if value not in known:
                raise InputError(f"{what} {value!r}: there are {', '.join(known)}")
        for number, least, what in (
            (self.epochs, 1, "epochs"),
            (self.steps_per_epoch, 1, "steps"),
            (self.seed, 0, "seed"),
            (self.threads, 1, "threads"),
            (self.copies, 1, "copies"),
            (self.consistency, 0, "consistency"),
            (self.distillation, 0, "distillation"),
        ):
            if not least <= number < math.inf:  # (neither is NaN)
                raise InputError(f"{what} {number}: at least {least}")
        if self.threads > MAX_THREADS:
            raise InputError(f"threads {self.threads}: at most {MAX_THREADS}")
        if not 0 < self.learning_rate < 1:
            raise InputError(f"learning rate {self.learning_rate:g}: above 0 and below 1")

    def to_record(self) -> dict[str, Any]:
        """As a record keeps them, with what each error counts; the start by its weights' digest, not its place."""
        values = dataclasses.asdict(self) | {"head_weights": HEAD_WEIGHTS, "known_weights": SYNTHETIC_FEATURE_WEIGHTS}
        if self.start is not None:
            values["start"] = read_checkpoint(self.start).digest
        return values
