"""Make the weights of the broad and of the shape listener again, from all of the recordings that make_jury divides.

python -m moodfader.control.experiments.listeners.make_linear_listeners DATA KNOWN KNOWN OUT

The folders are those of make_jury.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file

from ....engine.steering.listeners import broad_statistics, shape_statistics
from ....models.common.arrays import FloatArray
from ....models.common.atomic_write import atomic_write
from ....models.jury.fit import fit_readout
from ....models.jury.material import JuryMaterial, Source, read_halves
from ....models.network.spectrogram import LogSpectrogram
from ..datasets import read_mono
from ..make_jury import run_script

LISTENERS: Final = {"broad": (broad_statistics, 100.0), "shape": (shape_statistics, 300.0)}
"""By name: the statistics, and the ridge of the regression on them."""


def make_linear_listeners(data: Path, known: tuple[Path, Path], output: Path) -> None:
    """Write <name>.safetensors of each listener into `output`. Raises InputError for what is not there."""
    output.mkdir(parents=True, exist_ok=True)
    first, second = read_halves(data, known, read_mono)
    whole = JuryMaterial(
        film=_joined(first.film, second.film),
        felt=_joined(first.felt, second.felt),
        perceptual=_joined(first.perceptual, second.perceptual),
        known=_joined(first.known, second.known),
    )
    front_end = LogSpectrogram()
    for name, (statistics, ridge) in LISTENERS.items():

        def measure(sound: FloatArray, of: Callable[[torch.Tensor], torch.Tensor] = statistics) -> FloatArray:
            with torch.inference_mode():
                return np.asarray(of(front_end(torch.from_numpy(sound))).numpy())

        tensors = fit_readout(whole, measure, ridge=ridge)
        kept = {part: tensors[part] for part in ("mean", "deviation", "slopes", "offset")}
        with atomic_write(output / f"{name}.safetensors") as path:
            save_file(kept, path)


def _joined(first: Source, second: Source) -> Source:
    return Source(first.sounds + second.sounds, np.concatenate((first.targets, second.targets)))


if __name__ == "__main__":
    sys.exit(run_script(make_linear_listeners))
