"""The architectures by name: layers of the trunk, and the branch that hears keys beside it."""

from dataclasses import dataclass
from typing import Final

from .key_branch import KeyBranch
from .key_change_branch import KeyChangeBranch
from .pitch_class_branch import PitchClassBranch

Layer = tuple[str, int, int, int]
"""("conv", kernel, stride, channels) or ("pool", size, size, 0)."""


@dataclass(frozen=True)
class Architecture:
    """Layers of the trunk, and what hears keys in the column of context, if there is one."""

    layers: tuple[Layer, ...]
    context: type[PitchClassBranch] | None = None


# 53 x 53 pixels are seen by each position, one every 8 frames
_TRUNK: Final[tuple[Layer, ...]] = (
    ("conv", 5, 2, 12),
    ("conv", 3, 2, 24),
    ("conv", 3, 1, 40),
    ("pool", 2, 2, 0),
    ("conv", 3, 1, 48),
    ("conv", 3, 1, 48),
)

ARCHITECTURES: Final = {
    "context": Architecture(_TRUNK, KeyBranch),
    "modulation": Architecture(_TRUNK, KeyChangeBranch),
    "small": Architecture(
        (
            ("conv", 5, 2, 16),
            ("conv", 3, 2, 32),
            ("conv", 3, 1, 48),
            ("pool", 2, 2, 0),
            ("conv", 3, 1, 64),
            ("conv", 3, 1, 64),
        )
    ),
    # the network of Chowdhury et al. (2019)
    "vgg": Architecture(
        (
            ("conv", 5, 2, 64),
            ("conv", 3, 1, 64),
            ("pool", 2, 2, 0),
            ("conv", 3, 1, 128),
            ("conv", 3, 1, 128),
            ("pool", 2, 2, 0),
            ("conv", 3, 1, 256),
            ("conv", 3, 1, 256),
            ("conv", 3, 1, 384),
            ("conv", 3, 1, 512),
            ("conv", 1, 1, 256),
        )
    ),
}
