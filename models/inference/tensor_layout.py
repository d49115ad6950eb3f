"""Names, shapes and types of the tensors of an architecture, so that a checkpoint is checked without torch.

They are those of `MidlevelNetwork(architecture).state_dict()`, which a test compares.
"""

from itertools import pairwise
from typing import Final

from ..common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from ..network.architectures import Architecture
from ..signal.pitch_classes import OCTAVES, QUARTER_TONES

Layout = dict[str, tuple[list[int], str | None]]
"""Shape and type, as safetensors calls it, by name."""

_CONTEXT: Final = 56
_HIDDEN: Final = 64
_KEYS_OUT: Final = 64
_RHYTHM_OUT: Final = 48
_PITCHES: Final = 12
_LAGS: Final = 43


def tensor_layout(architecture: Architecture) -> Layout:
    """Shape and type of each tensor of an architecture."""
    layout: Layout = {}
    channels, bands, place = 1, N_BANDS, 0
    for kind, kernel, stride, width in architecture.layers:
        if kind == "pool":
            bands, place = bands // stride, place + 1
            continue
        bands = (bands + 2 * (kernel // 2) - kernel) // stride + 1
        places = bands if stride > 1 else None
        _convolution(layout, f"trunk.{place}", [width, channels, kernel, kernel], place_bias=places)
        place += 3 if places is None else 4
        channels = width
    _plain(layout, "midlevel", [len(MIDLEVEL), channels, 1, 1])
    _plain(layout, "emotions", [len(EMOTIONS), len(MIDLEVEL)])
    if architecture.context is not None:
        _context(layout, channels, bands)
        branches = {"key": _keys, "key_change": _key_changes}
        branches[architecture.context](layout)
        _rhythm(layout)
    return layout


def _context(layout: Layout, channels: int, bands: int) -> None:
    _convolution(layout, "context.further.1", [_CONTEXT, channels, 3, 3], place_bias=bands // 2)
    _convolution(layout, "context.further.5", [_CONTEXT, _CONTEXT, 3, 3])
    for name, shape, places in (
        ("first", [8, 1, 5, 9], QUARTER_TONES),
        ("mix", [32, 8 * OCTAVES, 1, 1], None),
        ("semitones", [32, 32, 1, 5], None),
        ("chords", [32, 32, 1, _PITCHES], None),
        ("keys", [48, 64, 1, _PITCHES], None),
    ):
        _convolution(layout, f"context.tonal.{name}.0", shape, place_bias=places)
    _convolution(layout, "context.hidden.0", [_HIDDEN, 2 * _CONTEXT + _KEYS_OUT + _RHYTHM_OUT, 1])
    _plain(layout, "context.midlevel", [len(MIDLEVEL), _HIDDEN, 1])


def _keys(layout: Layout) -> None:
    _convolution(layout, "context.tonal.keys.3", [48, 48, 1, 1])
    _convolution(layout, "context.tonal.out.0", [_KEYS_OUT, 128, 3])


def _key_changes(layout: Layout) -> None:
    for name in ("short", "long"):
        _convolution(layout, f"context.tonal.{name}.0", [48, 48, 1, 1])
    _convolution(layout, "context.tonal.out.0", [_KEYS_OUT, 32 + 4 * 48, 1])


def _rhythm(layout: Layout) -> None:
    name = "context.rhythm"
    _convolution(layout, f"{name}.first.0", [8, 1, 3, 9], place_bias=(N_BANDS + 3) // 4)
    _convolution(layout, f"{name}.envelopes.0", [12, 32, 1])
    _convolution(layout, f"{name}.lags.0", [24, 12, 5, 1])
    widths = (32, 32, 32, 48, 48, 48)
    for number, (before, after) in enumerate(pairwise(widths)):
        _convolution(layout, f"{name}.along.{3 * number}", [after, before, 5])
    _convolution(layout, f"{name}.out.0", [_RHYTHM_OUT, 2 * 24 + _LAGS + 48 + 12, 1])


def _convolution(layout: Layout, name: str, shape: list[int], *, place_bias: int | None = None) -> None:
    """A convolution without bias, the batch normalisation after it, and offsets for each place, if there are any."""
    sequence, place = name.rsplit(".", 1)
    layout[f"{name}.weight"] = shape, "F32"
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        layout[f"{sequence}.{int(place) + 1}.{tensor}"] = [shape[0]], "F32"
    layout[f"{sequence}.{int(place) + 1}.num_batches_tracked"] = [], "I64"
    if place_bias is not None:
        layout[f"{sequence}.{int(place) + 2}.bias"] = [shape[0], 1, place_bias], "F32"


def _plain(layout: Layout, name: str, shape: list[int]) -> None:
    layout[f"{name}.weight"] = shape, "F32"
    layout[f"{name}.bias"] = shape[:1], "F32"
