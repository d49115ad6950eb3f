"""Make the judges' weights again: python -m moodfader.control.experiments.make_jury DATA KNOWN KNOWN OUT.

DATA is the folder of the research data, the two KNOWN folders hold composed music (two seeds of `train
--synthetic-clips`), OUT gets the weights. musicnn's own weights are converted apart and have to lie in OUT or in the
package.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from safetensors.torch import save_file

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from ...models.jury.fit import fit_readout
from ...models.jury.judges import TaggerEmbedding
from ...models.jury.librosa_measures import librosa_measures
from ...models.jury.material import read_halves
from ...models.jury.measures import acoustic_measures
from ...models.jury.train import train_judge
from ..console.output import print_error
from .datasets import read_mono

MAKES: Final = (
    ("development", "statistics", acoustic_measures, "musicnn", 1500, 3),
    ("reporting", "recurrent", librosa_measures, "vgg", 900, 4),
)
"""Jury, its network, its measures, its tagger, and steps and seed of the training."""
MEASURES_RIDGE: Final = 100.0
TAGGER_RIDGE: Final = 30.0
TAGGER_AXES: Final = 80


def make_jury(data: Path, known: tuple[Path, Path], output: Path) -> None:
    """Write the six judges' own weights into `output`. Raises InputError for what is not there."""
    output.mkdir(parents=True, exist_ok=True)
    halves = read_halves(data, known, read_mono)
    for material, (jury, network, measures, tagger, steps, seed) in zip(halves, MAKES, strict=True):
        tensors = {
            f"network-{network}": train_judge(material, network, steps=steps, seed=seed),
            f"{jury}-measures": fit_readout(material, measures, ridge=MEASURES_RIDGE),
            f"{jury}-tagger": fit_readout(material, TaggerEmbedding(tagger), ridge=TAGGER_RIDGE, axes=TAGGER_AXES),
        }
        for name, own in tensors.items():
            with atomic_write(output / f"{name}.safetensors") as path:
                save_file({key: tensor.contiguous() for key, tensor in own.items()}, path)


def run_script(make: Callable[[Path, tuple[Path, Path], Path], None]) -> int:
    """Run `make(data, (known, known), output)` on the four folders of the command line; returns the exit code."""
    if len(sys.argv) != 5:
        print_error(f"{make.__name__} DATA KNOWN KNOWN OUT: four folders are needed")
        return 2
    data, first, second, output = map(Path, sys.argv[1:])
    try:
        make(data, (first, second), output)
    except InputError as error:
        print_error(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run_script(make_jury))
