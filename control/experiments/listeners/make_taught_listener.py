"""Make the weights of the taught listener again: it answers gain fields as readouts of two music taggers do.

python -m moodfader.control.experiments.listeners.make_taught_listener DATA KNOWN KNOWN MUSICNN VGG OUT

DATA is the folder of the research data, with `musicnn_teacher/embeddings.npz` (what MSD_musicnn says of its clips);
the two KNOWN folders hold composed music (two seeds of `train --synthetic-clips`). MUSICNN and VGG are the networks
MSD_musicnn and MSD_vgg of the Python package musicnn 0.1.0 as safetensors, their variables by the names that they
have in the checkpoint (`tensorflow.train.load_checkpoint` lists them). OUT gets taught.safetensors. Takes about an
hour of one core.

The recordings by which the juries' tables are made, and those of the benchmarks, are left out.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soxr
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ....engine.steering.listeners import all_statistics
from ....models.common.arrays import FloatArray
from ....models.common.atomic_write import atomic_write
from ....models.common.constants import MIDLEVEL, SAMPLE_RATE
from ....models.common.errors import InputError
from ....models.datasets.perceptual import read_perceptual
from ....models.datasets.soundtracks import read_soundtracks
from ....models.datasets.table import Clip, read_rows
from ....models.datasets.teacher_embeddings import read_embeddings
from ....models.jury.fit import fit_readout
from ....models.jury.judges import LinearReadout
from ....models.jury.material import (
    JuryMaterial,
    Source,
    felt_targets,
    film_targets,
    perceptual_targets,
    read_felt,
    spread,
    stretch,
)
from ....models.jury.mel import MEL_RATE
from ....models.jury.tagger import Tagger
from ...console.output import print_error
from ..datasets import read_mono
from .responses import excerpt_of, fit_to_responses, heard_under_fields

READOUT_RIDGE: Final = 100.0
READOUT_AXES: Final = 80
RESPONSE_RIDGE: Final = 0.4
"""Chosen, with the statistics, by how the responses agree with those of the development jury."""
EXCERPTS: Final = 520
SEED: Final = 77
_FIRST_EXCERPT_SEED: Final = 1000
_KNOWN_READ: Final = 2
"""Every second composed clip is read for the readout, every sixth may be filtered."""
_KNOWN_FILTERED: Final = 6
_FILM_LEFT_OUT: Final = (24, 38, 45, 70, 97, 108, 135, 166, 180, 222, 223, 248, 266, 319, 336, 347)
_SONGS_LEFT_OUT: Final = {
    "classical": (10, 30, 41, 77),
    "electronic": (11, 21, 66, 77),
    "pop": (1, 50, 81, 91),
    "rock": (22, 33, 60, 61),
}
LEFT_OUT: Final = frozenset(
    [f"{number:03d}" for number in _FILM_LEFT_OUT]
    + [f"{genre}_{number:03d}" for genre, numbers in _SONGS_LEFT_OUT.items() for number in numbers]
)
"""Recordings by which the juries' tables and the figures of the documentation are made."""


class _Embedding:
    """Embeddings [values] of sounds at 22,050 Hz, by one teacher."""

    def __init__(self, kind: str, weights: Path) -> None:
        """Kind: "musicnn" or "vgg", as `Tagger` knows them. Raises InputError for weights that are not of it."""
        try:
            self._tagger = Tagger(kind, load_file(weights))
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{weights}: not the weights of MSD_{kind} ({error})") from error

    def __call__(self, sound: FloatArray) -> FloatArray:
        resampled = np.asarray(soxr.resample(sound, SAMPLE_RATE, MEL_RATE), np.float32)
        return np.asarray(self._tagger(torch.from_numpy(resampled)).numpy())


def make_taught_listener(data: Path, known: tuple[Path, Path], teachers: Mapping[str, Path], output: Path) -> None:
    """Write taught.safetensors into `output`. Raises InputError for what is not there.

    teachers: the weights of "musicnn" and of "vgg".
    """
    output.mkdir(parents=True, exist_ok=True)
    taggers = []
    for kind, weights in teachers.items():
        embed = _Embedding(kind, weights)
        material = _material(data, known, embed, stored=kind == "musicnn")
        readout = LinearReadout(fit_readout(material, np.asarray, ridge=READOUT_RIDGE, axes=READOUT_AXES))
        taggers.append((embed, readout))

    def mean_answer(sound: FloatArray) -> FloatArray:
        return np.asarray(np.mean([readout(embed(sound)) for embed, readout in taggers], axis=0))

    statistics, values = heard_under_fields(_excerpts(_filtered_files(data, known)), all_statistics, mean_answer)
    with atomic_write(output / "taught.safetensors") as path:
        save_file(fit_to_responses(statistics, values, ridge=RESPONSE_RIDGE), path)


def _material(data: Path, known: tuple[Path, Path], embed: _Embedding, *, stored: bool) -> JuryMaterial:
    """Embeddings with what is known of them: as the juries learn, from both of their halves.

    stored: those of rated recordings are read from the research data.
    """
    film = [clip for clip in read_soundtracks(data / "soundtracks") if clip.path.stem not in LEFT_OUT]
    songs = [clip for clip in read_felt(data) if clip.path.stem not in LEFT_OUT]
    groups = {clip.path: clip.group for clip in film}
    excerpts = [
        clip for clip in read_perceptual(data / "soundtracks", groups=groups) if clip.path.stem not in LEFT_OUT
    ]
    rows = [(folder, row) for folder in known for row in read_rows(folder / "known_music.csv")[::_KNOWN_READ]]
    qualities = np.array([[float(row[name]) for name in MIDLEVEL] for _, row in rows], np.float32)
    rated = film_targets(film)
    embeddings = read_embeddings(data / "musicnn_teacher" / "embeddings.npz") if stored else {}

    def embedded(clips: Sequence[Clip]) -> list[FloatArray]:
        if not stored:
            return [embed(read_mono(clip.path)) for clip in clips]
        stems = [clip.path.stem for clip in clips]
        return [embeddings[str(int(stem)) if stem.isdigit() else stem] for stem in stems]

    return JuryMaterial(
        film=Source(embedded(film), rated),
        felt=Source(embedded(songs), felt_targets(songs, rated)),
        perceptual=Source(
            [embed(stretch(clip, read_mono)) for clip in excerpts], spread(perceptual_targets(excerpts))
        ),
        known=Source([embed(read_mono(folder / row["file"])) for folder, row in rows], spread(qualities)),
    )


def _filtered_files(data: Path, known: tuple[Path, Path]) -> list[Path]:
    """The files of which excerpts are heard under fields."""
    recordings = [
        path for name in ("soundtracks", "emotify") for path in sorted((data / name / "audio").glob("*.ogg"))
    ]
    composed = [path for folder in known for path in sorted(folder.glob("*.flac"))[::_KNOWN_FILTERED]]
    return [path for path in recordings if path.stem not in LEFT_OUT] + composed


def _excerpts(files: Sequence[Path]) -> Iterator[tuple[FloatArray, np.random.Generator]]:
    """EXCERPTS of the files in a random order, with the generators of their fields."""
    for number in np.random.default_rng(SEED).permutation(len(files))[:EXCERPTS].tolist():
        rng = np.random.default_rng(_FIRST_EXCERPT_SEED + number)
        excerpt = excerpt_of(read_mono(files[number]), rng)
        if excerpt is not None:
            yield excerpt, rng


def main() -> int:
    """Run on the six paths of the command line; returns the exit code."""
    if len(sys.argv) != 7:
        print_error("make_taught_listener DATA KNOWN KNOWN MUSICNN VGG OUT: six paths are needed")
        return 2
    data, first, second, musicnn, vgg, output = map(Path, sys.argv[1:])
    try:
        make_taught_listener(data, (first, second), {"musicnn": musicnn, "vgg": vgg}, output)
    except InputError as error:
        print_error(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
