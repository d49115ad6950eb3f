"""Which loudspeaker each channel belongs to, as the channel mask of a wav header says it.

A mask has one bit a loudspeaker, in the order of the channels: front left 1, front right 2, front centre 4, low
frequencies 8, back left 0x10, back right 0x20, ... (Microsoft's WAVEFORMATEXTENSIBLE; FLAC and FFmpeg use the same).
"""

from collections.abc import Iterable
from typing import Final

LOUDSPEAKERS: Final = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR"),
    *("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR"),
)
"""Names of the bits, from the lowest on."""
DEFAULT_MASKS: Final = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
"""What a number of channels means where nothing is said: mono, stereo, 3.0, quad, 5.0, 5.1, 6.1, 7.1."""
_BED: Final = 0x7FF  # bits that loudness knows a weight for
_LOW_FREQUENCIES: Final = 0x8
_SURROUND: Final = 0x730  # back left, right and centre, side left and right


def valid_mask(mask: int, channels: int) -> int:
    """The mask, or 0 where it does not name that many loudspeakers."""
    return mask if mask.bit_count() == channels and mask < 1 << len(LOUDSPEAKERS) else 0


def mask_of_names(names: Iterable[str]) -> int:
    """The mask of FFmpeg's channel names; 0 where one is no loudspeaker of a mask, or they are in another order."""
    mask = last = 0
    for name in names:
        if name not in LOUDSPEAKERS or (bit := 1 << LOUDSPEAKERS.index(name)) <= last:
            return 0
        mask, last = mask | bit, bit
    return mask


def loudness_weights(mask: int, channels: int) -> tuple[float, ...]:
    """Weights of the channels in ITU-R BS.1770-4: 1.41 at the sides and the back, 0 for low frequencies."""
    mask = valid_mask(mask, channels) or DEFAULT_MASKS[channels]
    if mask & ~_BED:
        mask = DEFAULT_MASKS[channels]
    bits = [1 << place for place in range(len(LOUDSPEAKERS)) if mask >> place & 1]
    return tuple(0.0 if bit == _LOW_FREQUENCIES else 1.41 if bit & _SURROUND else 1.0 for bit in bits)
