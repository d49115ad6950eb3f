"""The gain field of a gain map, for comparison with other ways to make it."""

import torch
from moodfader.engine.dsp.faders import FADER_RANGE_DB
from moodfader.engine.file_targets.gain_map import GainMap


def map_field(map: GainMap) -> torch.Tensor:
    """The field in dB [frames, bands] that the filter makes of a map, before it is smoothed."""
    return torch.from_numpy(map.mask_weights[:, 0][map.labels] * FADER_RANGE_DB[1])
