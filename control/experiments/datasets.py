"""The data sets of training and evaluation, read from the paths of the options: spectrograms with ratings."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
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
from ...models.datasets.emotify import read_emotify
from ...models.datasets.midlevel import read_midlevel
from ...models.datasets.perceptual import read_perceptual
from ...models.datasets.soundtracks import read_soundtracks
from ...models.datasets.table import Clip, SweepClip, read_sweeps, read_table
from ...models.datasets.teacher_embeddings import read_embeddings, with_embeddings
from ...models.network.spectrogram import LogSpectrogram
from ...models.synthesis.labelled_music import TABLE, labelled_set
from ...models.training.batches import TrainingSource
from ..console.output import Output
from .rendered_datasets import MIDI_DATASETS, render_midi_dataset

CLIPS_PER_BATCH: Final = {
    "soundtracks": 20, "midlevel": 20, "table": 20, "perceptual": 10, "known": 16, "emotify": 16,
    **{name: dataset.clips_per_batch for name, dataset in MIDI_DATASETS.items()},
}  # fmt: skip
"""Clips per batch by kind of data set (`known`: synthetic music)."""
NOT_RECORDED: Final = ("perceptual", "known", *MIDI_DATASETS)
"""Kinds of data set that are no complete recordings: excerpts of a rating study, and rendered music."""
DIVIDED_ALONE: Final = ("known", "emotify", *MIDI_DATASETS)
"""Kinds whose folds are made for each data set: its groups are in no other one."""
KNOWN_ALONE: Final = 24
"""Synthetic clips per batch where there is no other data set."""
MIN_CLIPS: Final = 5
"""Smallest number of clips that training and evaluation accept."""


@dataclass(frozen=True)
class DatasetPaths:
    """Paths of the data sets, as the options give them.

    `known` are folders of synthetic music, `midi` those of MIDI files by their names in MIDI_DATASETS.
    """

    soundtracks: Path | None = None
    midlevel: Path | None = None
    tables: tuple[Path, ...] = ()
    perceptual: Path | None = None
    known: tuple[Path, ...] = ()
    teacher: Path | None = None
    emotify: Path | None = None
    midi: Mapping[str, Path] = field(default_factory=dict)

    @property
    def named(self) -> bool:
        """Whether any path is given."""
        audio = (self.soundtracks, self.midlevel, self.tables, self.perceptual, self.known, self.emotify)
        return any((*audio, *self.midi))

    def or_default(self) -> "DatasetPaths":
        """Return these paths or, if none is given, those of the data folder (MOODFADER_DATA).

        Raises
        ------
        InputError
            No path is given and there is nothing in the data folder.
        """
        if self.named:
            return self
        folder = data_dir() / "soundtracks"
        if not folder.is_dir():
            raise InputError(f"nothing to learn from: {folder} is not there; give --soundtracks, --table, ...")
        perceptual = folder if (folder / "perceptual.csv").is_file() else None
        return dataclasses.replace(self, soundtracks=folder, perceptual=perceptual)


@dataclass(frozen=True)
class LabelledDataset:
    """A data set of one kind with its spectrograms and ratings.

    Attributes
    ----------
    name
        The kind, and after a colon what tells several of a kind apart.
    clips
        Paths, groups and ratings.
    material
        Spectrograms and targets of the clips.
    share
        Clips per batch; 0 for the usual number of its kind.
    """

    name: str
    clips: list[Clip]
    material: ClipDataset
    share: int = field(default=0)

    @property
    def kind(self) -> str:
        """A key of CLIPS_PER_BATCH."""
        return self.name.split(":")[0]

    def source(self, indices: list[int] | None = None) -> TrainingSource:
        """Return the training source of all clips, or of those with the given indices."""
        material = self.material if indices is None else self.material.subset(indices)
        return TrainingSource(self.name, material, self.share or CLIPS_PER_BATCH[self.kind])


def read_datasets(datasets: DatasetPaths, console: Output) -> list[LabelledDataset]:
    """Read the data sets and compute their spectrograms, with a progress bar.

    Raises
    ------
    InputError
        A table or an audio file is missing or cannot be read.
    """
    found: list[tuple[str, list[Clip]]] = []
    groups: dict[Path, str] = {}
    albums: dict[int, str] = {}
    if datasets.soundtracks is not None:
        clips = read_soundtracks(datasets.soundtracks)
        groups = {clip.path: clip.group for clip in clips}
        albums = {int(clip.path.stem): clip.group for clip in clips}
        found.append(("soundtracks", clips))
        if len(set(groups.values())) == len(clips):
            console.note("soundtracks: albums are unknown, so training and test clips may be from the same album")
    if datasets.midlevel is not None:
        found.append(("midlevel", read_midlevel(datasets.midlevel, albums=albums)))
    found += [(f"table:{table.name}", read_table(table)) for table in datasets.tables]
    if datasets.perceptual is not None:
        found.append(("perceptual", read_perceptual(datasets.perceptual, groups=groups)))
    if datasets.emotify is not None:
        found.append(("emotify", read_emotify(datasets.emotify)))
    found += [(kind, render_midi_dataset(kind, folder, console)) for kind, folder in datasets.midi.items()]
    embeddings = {} if datasets.teacher is None else read_embeddings(datasets.teacher)
    known = [read_table(folder / TABLE, prefix="known_") for folder in datasets.known]
    found += [(_known_name(place, datasets.known), clips) for place, clips in enumerate(known)]
    music = sum(map(len, known))
    place = CLIPS_PER_BATCH["known"] if len(found) > len(known) else KNOWN_ALONE
    rated = []
    for name, clips in found:
        if not clips:
            raise InputError(f"{name}: none of its rows has an audio file")
        with console.progress(f"Reading {name}") as report:
            # several folders of synthetic music share the clips per batch of one
            share = max(1, round(place * len(clips) / music)) if name.startswith("known") else 0
            material = with_embeddings(load_spectrograms(clips, read_mono, report), clips, embeddings)
            rated.append(LabelledDataset(name, clips, material, share))
        console.note(f"{name}: {len(clips)} clips")
    if embeddings and all(part.material.embeddings is None for part in rated):
        raise InputError(f"{datasets.teacher}: none of its clips is among those that are learned from")
    return rated


def read_test_sweeps(paths: Sequence[Path], console: Output) -> tuple[list[SweepClip], ClipDataset]:
    """Read synthetic music for testing.

    Parameters
    ----------
    paths
        Tables, or folders with a table `known_music.csv`.
    console
        For progress.

    Returns
    -------
    clips : list of SweepClip
    material : ClipDataset
        Their spectrograms.

    Raises
    ------
    InputError
        A table or an audio file is missing or cannot be read.
    """
    series = []
    for place, path in enumerate(paths):
        table = path / TABLE if path.is_dir() else path
        series += read_sweeps(table, prefix=f"{place + 1}:" if len(paths) > 1 else "")
    with console.progress("Reading synthetic music for testing") as report:
        material = load_spectrograms([clip.clip for clip in series], read_mono, report)
    console.note(f"synthetic music: {len(series)} clips, {len({clip.series for clip in series} - {''})} sweeps")
    return series, material


def require_enough_clips(rated: Sequence[LabelledDataset]) -> None:
    """Check that there are enough clips to train on.

    Raises
    ------
    InputError
        There are fewer than MIN_CLIPS.
    """
    count = sum(len(part.clips) for part in rated)
    if count < MIN_CLIPS:
        names = ", ".join(part.name for part in rated)
        raise InputError(f"{names}: too few rows: {count} recordings, at least {MIN_CLIPS} are needed to learn from")


def read_mono(path: Path) -> FloatArray:
    """Read a sound file as the network's input: mono at 22,050 Hz without clicks, float32 [samples], its level 1."""
    track = load_track(path)
    return np.asarray(np.concatenate(list(track.network_input_blocks())) / track.network_peak, np.float32)


@functools.cache
def _front_end() -> LogSpectrogram:
    return LogSpectrogram()


def _known_name(place: int, folders: Sequence[Path]) -> str:
    return "known" if len(folders) == 1 else f"known:{place + 1}:{folders[place].name}"


def compute_spectrogram(audio: FloatArray) -> npt.NDArray[np.float16]:
    """Compute the spectrogram of audio that is already scaled.

    Parameters
    ----------
    audio
        float32 [samples], mono at 22,050 Hz.

    Returns
    -------
    numpy.ndarray
        float16 [frames, bands], the format of data sets in memory.
    """
    with torch.inference_mode():
        return np.asarray(_front_end()(torch.from_numpy(audio)).half().numpy())


def render_labelled_music(folder: Path, count: int, *, seed: int, console: Output) -> Path:
    """Render synthetic music into a folder until it has at least `count` clips.

    Returns
    -------
    pathlib.Path
        `folder`.

    Raises
    ------
    InputError
        FluidSynth or a sound font is missing, or the folder cannot be written to.
    """
    with console.progress(f"Composing {count} pieces") as report:
        labelled_set(count, seed=seed, folder=folder, progress=report)
    return folder
