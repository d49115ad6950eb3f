"""The architectures by name: layers of the trunk, and the branch for keys beside it. Without torch."""

from dataclasses import dataclass
from typing import Final, Literal

Layer = tuple[str, int, int, int]
"""("conv", kernel, stride, channels) or ("pool", size, size, 0)."""

KeyMethod = Literal["key", "key_change"]
"""The branch for keys: `key_branch.py` or `key_change_branch.py`."""
KEY_FIELDS: Final[dict[KeyMethod, int]] = {"key": 8 * (12 + 2) + 1, "key_change": 8 * 28 + 1}
"""Frames that one output of a branch for keys sees."""
RHYTHM_FIELD: Final = 114
"""Frames that one output of the branch for rhythm sees: 3.6 s."""


@dataclass(frozen=True)
class Architecture:
    """Layers of the trunk, and the branch for keys in the column of context, if there is one."""

    layers: tuple[Layer, ...]
    context: KeyMethod | None = None


# 53 x 53 pixels are seen by each position, one every 8 frames
_TRUNK: Final[tuple[Layer, ...]] = (
    ("conv", 5, 2, 12),
    ("conv", 3, 2, 24),
    ("conv", 3, 1, 40),
    ("pool", 2, 2, 0),
    ("conv", 3, 1, 48),
    ("conv", 3, 1, 48),
)

ARCHITECTURES: Final[dict[str, Architecture]] = {
    "context": Architecture(_TRUNK, "key"),
    "modulation": Architecture(_TRUNK, "key_change"),
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
