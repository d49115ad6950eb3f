"""What training and evaluation work on: the datasets that the options name, as spectrograms with ratings."""

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...engine.audio.track import load_track
from ...models.common.arrays import FloatArray
from ...models.common.errors import InputError
from ...models.common.paths import data_dir
from ...models.datasets.clip_dataset import ClipDataset, load_spectrograms
from ...models.datasets.midlevel import read_midlevel
from ...models.datasets.perceptual import read_perceptual
from ...models.datasets.soundtracks import read_soundtracks
from ...models.datasets.table import Clip, SweepClip, read_sweeps, read_table
from ...models.datasets.teacher_embeddings import read_embeddings, with_embeddings
from ...models.network.spectrogram import LogSpectrogram
from ...models.synthesis.labelled_music import TABLE, labelled_set
from ...models.training.batches import TrainingSource
from ..console.output import Output

CLIPS_PER_BATCH: Final = {"soundtracks": 20, "midlevel": 20, "table": 20, "perceptual": 10, "known": 16}
"""How many clips of each kind are in a batch."""
KNOWN_ALONE: Final = 24
"""How many pieces of known qualities where there is nothing else."""


LEAST_CLIPS: Final = 5
"""With fewer recordings there is nothing to learn but those recordings."""


@dataclass(frozen=True)
class DatasetPaths:
    """Folders and tables as the options name them."""

    soundtracks: Path | None = None
    midlevel: Path | None = None
    tables: tuple[Path, ...] = ()
    perceptual: Path | None = None
    known: tuple[Path, ...] = ()
    teacher: Path | None = None

    @property
    def named(self) -> bool:
        return any((self.soundtracks, self.midlevel, self.tables, self.perceptual, self.known))

    def or_default(self) -> "DatasetPaths":
        """Itself, or what lies in the data folder (MOODFADER_DATA) when it names nothing. Raises InputError."""
        if self.named:
            return self
        folder = data_dir() / "soundtracks"
        if not folder.is_dir():
            raise InputError(f"nothing to learn from: {folder} is not there; give --soundtracks, --table, ...")
        perceptual = folder if (folder / "perceptual.csv").is_file() else None
        return dataclasses.replace(self, soundtracks=folder, perceptual=perceptual)


@dataclass(frozen=True)
class LabelledDataset:
    """Clips of one kind and their spectrograms."""

    name: str
    clips: list[Clip]
    material: ClipDataset
    share: int = field(default=0)

    @property
    def kind(self) -> str:
        """Of the kinds of SHARES."""
        return self.name.split(":")[0]

    def source(self, indices: list[int] | None = None) -> TrainingSource:
        """What training draws from: all, or the clips of those indices."""
        chosen = self.material if indices is None else self.material.subset(indices)
        return TrainingSource(self.name, chosen, self.share or CLIPS_PER_BATCH[self.kind])


def read_datasets(datasets: DatasetPaths, voice: Output) -> list[LabelledDataset]:
    """Read everything that is named, with a progress bar. Raises InputError."""
    found: list[tuple[str, list[Clip]]] = []
    groups: dict[Path, str] = {}
    albums: dict[int, str] = {}
    if datasets.soundtracks is not None:
        clips = read_soundtracks(datasets.soundtracks)
        groups = {clip.path: clip.group for clip in clips}
        albums = {int(clip.path.stem): clip.group for clip in clips}
        found.append(("soundtracks", clips))
        if len(set(groups.values())) == len(clips):
            voice.note("soundtracks: no albums are named, so clips of one album may be learned from and tested on")
    if datasets.midlevel is not None:
        found.append(("midlevel", read_midlevel(datasets.midlevel, albums=albums)))
    found += [(f"table:{table.name}", read_table(table)) for table in datasets.tables]
    if datasets.perceptual is not None:
        found.append(("perceptual", read_perceptual(datasets.perceptual, groups=groups)))
    embeddings = {} if datasets.teacher is None else read_embeddings(datasets.teacher)
    known = [read_table(folder / TABLE, prefix="known_") for folder in datasets.known]
    found += [(_known_name(place, datasets.known), clips) for place, clips in enumerate(known)]
    music = sum(map(len, known))
    place = CLIPS_PER_BATCH["known"] if len(found) > len(known) else KNOWN_ALONE
    rated = []
    for name, clips in found:
        if not clips:
            raise InputError(f"{name}: none of its rows has an audio file")
        with voice.progress(f"Reading {name}") as report:
            # several folders of known music share the place in a batch that one would have
            share = max(1, round(place * len(clips) / music)) if name.startswith("known") else 0
            material = with_embeddings(load_spectrograms(clips, read_mono, report), clips, embeddings)
            rated.append(LabelledDataset(name, clips, material, share))
        voice.note(f"{name}: {len(clips)} clips")
    if embeddings and all(part.material.embeddings is None for part in rated):
        raise InputError(f"{datasets.teacher}: none of its clips is among those that are learned from")
    return rated


def read_test_sweeps(paths: Sequence[Path], voice: Output) -> tuple[list[SweepClip], ClipDataset]:
    """Music of known qualities for testing: its tables, or folders that hold known_music.csv. Raises InputError."""
    series = []
    for place, path in enumerate(paths):
        table = path / TABLE if path.is_dir() else path
        series += read_sweeps(table, prefix=f"{place + 1}:" if len(paths) > 1 else "")
    with voice.progress("Reading music of known qualities") as report:
        material = load_spectrograms([one.clip for one in series], read_mono, report)
    voice.note(f"music for testing: {len(series)} clips, {len({one.series for one in series} - {''})} series")
    return series, material


def require_enough_clips(rated: Sequence[LabelledDataset]) -> None:
    """Raises InputError where there are fewer than LEAST_CLIPS recordings to learn from."""
    count = sum(len(part.clips) for part in rated)
    if count < LEAST_CLIPS:
        names = ", ".join(part.name for part in rated)
        raise InputError(
            f"{names}: too few rows: {count} recordings, at least {LEAST_CLIPS} are needed to learn from"
        )


def read_mono(path: Path) -> FloatArray:
    """A sound file as the network hears it: mono at 22.05 kHz without clicks, float32 [samples], its level one."""
    track = load_track(path)
    return np.asarray(np.concatenate(list(track.network_input_blocks())) / track.network_peak, np.float32)


@functools.cache
def _front_end() -> LogSpectrogram:
    return LogSpectrogram()


def _known_name(place: int, folders: Sequence[Path]) -> str:
    return "known" if len(folders) == 1 else f"known:{place + 1}:{folders[place].name}"


def compute_spectrogram(sound: FloatArray) -> npt.NDArray[np.float16]:
    """What the network sees of a sound that is scaled already: [frames, bands], as `prepare` keeps it."""
    with torch.inference_mode():
        return np.asarray(_front_end()(torch.from_numpy(sound)).half().numpy())


def render_labelled_music(folder: Path, count: int, *, seed: int, voice: Output) -> Path:
    """The folder with at least `count` pieces of known qualities in it; what is missing is made. InputError."""
    with voice.progress(f"Composing {count} pieces") as report:
        labelled_set(count, seed=seed, folder=folder, progress=report)
    return folder
