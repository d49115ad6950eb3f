"""What training and evaluation work on: the datasets that the options name, as spectrograms with ratings."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from ..engine.track import load_track
from ..models.batches import Material, prepare
from ..models.datasets import Clip, read_midlevel, read_perceptual, read_soundtracks, read_table
from ..models.errors import InputError
from ..models.spectrogram import FloatArray
from ..models.synthesis import TABLE, known_music
from ..models.train import Source
from .console import Voice

SHARES: Final = {"soundtracks": 24, "midlevel": 24, "table": 24, "perceptual": 6, "known": 12}
"""How many clips of each kind are in a batch."""


@dataclass(frozen=True)
class Datasets:
    """Folders and tables as the options name them."""

    soundtracks: Path | None = None
    midlevel: Path | None = None
    tables: tuple[Path, ...] = ()
    perceptual: Path | None = None
    known: Path | None = None

    @property
    def named(self) -> bool:
        return any((self.soundtracks, self.midlevel, self.tables, self.perceptual, self.known))

    def or_default(self) -> "Datasets":
        """Itself, or what lies in the data folder (MOODFADER_DATA) when it names nothing. Raises InputError."""
        if self.named:
            return self
        folder = Path(os.environ.get("MOODFADER_DATA", "../shared/data")) / "soundtracks"
        if not folder.is_dir():
            raise InputError(f"nothing to learn from: {folder} is not there; give --soundtracks, --table, ...")
        return Datasets(soundtracks=folder, perceptual=folder if (folder / "perceptual.csv").is_file() else None)


@dataclass(frozen=True)
class Rated:
    """Clips of one kind and their spectrograms."""

    name: str
    clips: list[Clip]
    material: Material
    share: int = field(default=0)

    def source(self, indices: list[int] | None = None) -> Source:
        """What training draws from: all, or the clips of those indices."""
        chosen = self.material if indices is None else self.material.subset(indices)
        return Source(self.name, chosen, self.share or SHARES[self.name.split(":")[0]])


def read_datasets(datasets: Datasets, voice: Voice) -> list[Rated]:
    """Read everything that is named, with a progress bar. Raises InputError."""
    found: list[tuple[str, list[Clip]]] = []
    groups: dict[Path, str] = {}
    if datasets.soundtracks is not None:
        clips = read_soundtracks(datasets.soundtracks)
        groups = {clip.path: clip.group for clip in clips}
        found.append(("soundtracks", clips))
    if datasets.midlevel is not None:
        found.append(("midlevel", read_midlevel(datasets.midlevel)))
    found += [(f"table:{table.name}", read_table(table)) for table in datasets.tables]
    if datasets.perceptual is not None:
        found.append(("perceptual", read_perceptual(datasets.perceptual, groups=groups)))
    if datasets.known is not None:
        found.append(("known", read_table(datasets.known / TABLE, prefix="known_")))
    rated = []
    for name, clips in found:
        if not clips:
            raise InputError(f"{name}: none of its rows has an audio file")
        with voice.progress(f"Reading {name}") as report:
            rated.append(Rated(name, clips, prepare(clips, read_mono, report)))
        voice.note(f"{name}: {len(clips)} clips")
    return rated


def read_mono(path: Path) -> FloatArray:
    """A sound file as the network hears it: mono at 22.05 kHz, float32 [samples], scaled to a peak of one."""
    track = load_track(path)
    return np.asarray(np.concatenate(list(track.mono_blocks())) / track.peak, np.float32)


def rendered_music(folder: Path, count: int, *, seed: int, voice: Voice) -> Path:
    """The folder with at least `count` pieces of known qualities in it; what is missing is made. InputError."""
    with voice.progress(f"Composing {count} pieces") as report:
        known_music(count, seed=seed, folder=folder, progress=report)
    return folder
