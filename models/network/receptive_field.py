"""Receptive fields: which frames and bands each local output of a network sees. Without torch."""

from dataclasses import dataclass
from typing import Final

from ..common.constants import N_BANDS
from .architectures import KEY_FIELDS, RHYTHM_FIELD, Architecture

CONTEXT_STEPS: Final = 4
"""Positions of the trunk before and after its own that the trunk's way on in the column of context sees."""


@dataclass(frozen=True)
class ReceptiveField:
    """What local outputs see: position p sees `field` frames from p * stride - left on.

    In the trunk's columns it sees the `patch` frames in the middle of these, and as many bands; in the column of
    context, the last one, if there is one, all frames of the field and all bands.
    """

    field: int
    patch: int
    stride: int
    left_bands: int
    positions_bands: int
    context: bool

    @property
    def left_context(self) -> int:
        """Frames that the first position sees before its own."""
        return (self.field - self.stride) // 2

    @property
    def columns(self) -> int:
        """Values of a position: bands and context."""
        return self.positions_bands + self.context

    def positions(self, frames: int) -> int:
        """Positions in time of a sound of that many frames."""
        return -(-frames // self.stride)

    def frame_range(self, first: int, last: int) -> tuple[int, int]:
        """Frames [begin, end) that the positions first..last-1 see; may reach outside of the sound."""
        begin = first * self.stride - self.left_context
        return begin, begin + (last - first - 1) * self.stride + self.field

    def extent(self, column: int) -> tuple[int, int, int, int]:
        """Frames [a, b) within the field, and bands [c, d), that an output of this column sees."""
        if self.context and column == self.positions_bands:
            return 0, self.field, 0, N_BANDS
        begin = (self.field - self.patch) // 2
        low = column * self.stride - self.left_bands
        return begin, begin + self.patch, max(low, 0), min(low + self.patch, N_BANDS)


def receptive_field_of(architecture: Architecture) -> ReceptiveField:
    """What a position of the trunk's output sees of the spectrogram."""
    patch = stride = 1
    left = 0
    bands = N_BANDS
    for kind, kernel, step, _ in architecture.layers:
        padding = kernel // 2 if kind == "conv" else 0  # in frequency only
        left += padding * stride
        bands = (bands + 2 * padding - kernel) // step + 1
        patch += (kernel - 1) * stride
        stride *= step
    field = patch
    if architecture.context:
        longest = max(KEY_FIELDS[architecture.context], RHYTHM_FIELD, patch + 2 * CONTEXT_STEPS * stride)
        field += -(-(longest - patch) // (2 * stride)) * 2 * stride
    return ReceptiveField(
        field=field,
        patch=patch,
        stride=stride,
        left_bands=left,
        positions_bands=bands,
        context=architecture.context is not None,
    )


def receptive_field_until_pool(architecture: Architecture) -> ReceptiveField:
    """What the trunk has seen after its first pooling."""
    kinds = [layer[0] for layer in architecture.layers]
    return receptive_field_of(Architecture(architecture.layers[: kinds.index("pool") + 1]))
