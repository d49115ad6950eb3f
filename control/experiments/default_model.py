"""The default model made anew, from rated recordings, a teacher's embeddings and labelled synthetic music.

    python -m moodfader.control.experiments.default_model --data ../shared/data --work build/model

Resumable: rendered music, spectrograms and finished epochs are kept in the work folder. On the same machine, with the
same torch, sound fonts and one thread it gives the same file.

1. 1,000 pieces composed and 1,000 passages arranged of scores, and three excerpts of each piece of VGMIDI, rendered
   with FluidR3.
2. From the network that was trained on synthetic music alone: training on film clips, songs with felt emotions,
   perceptual ratings, game music and synthetic music, under adversarial gain fields that grow.
3. The scale of the features is widened to the spread that it shall have over recordings.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from ...models.common.atomic_write import atomic_write
from ...models.common.errors import InputError
from ...models.common.paths import data_dir
from ...models.datasets.clip_dataset import ClipDataset, dataset_of, load_spectrograms
from ...models.datasets.digests import short_digest
from ...models.datasets.emotify import read_emotify
from ...models.datasets.perceptual import read_perceptual
from ...models.datasets.soundtracks import read_soundtracks
from ...models.datasets.table import Clip, read_table
from ...models.datasets.teacher_embeddings import read_embeddings, with_embeddings
from ...models.inference.checkpoint import pretrained_checkpoint, save_model
from ...models.inference.predict_clips import predict_clips
from ...models.inference.threads import torch_threads
from ...models.scores.arrange import arrange, draw_score
from ...models.synthesis.labelled_music import TABLE, labelled_set
from ...models.training.batches import TrainingSource
from ...models.training.feature_scale import widen_features
from ...models.training.settings import TrainingSettings
from ...models.training.train import training_record
from ..console.output import Output
from .datasets import read_mono
from .rendered_datasets import render_midi_dataset
from .train_command import midlevel_quantiles, train_with_progress

PIECES: Final = 1000
SOUND_FONTS: Final = ("FluidR3_GM.sf2",)
PER_BATCH: Final = {"soundtracks": 15, "emotify": 14, "perceptual": 6, "vgmidi": 5, "composed": 8, "scores": 8}
"""Clips of each data set in a batch."""
SETTINGS: Final = TrainingSettings(
    start=pretrained_checkpoint(),
    epochs=24,
    learning_rate=1.5e-3,
    precision="bfloat16",
    threads=1,
    copies=16,
    consistency=4.0,
    distillation=0.25,
)


def render_music(music: Path, console: Output) -> None:
    """Render the synthetic music into the folders `composed` and `scores`. Raises InputError."""
    with console.progress("Composing") as report:
        labelled_set(PIECES, seed=11, folder=music / "composed", soundfonts=SOUND_FONTS, progress=report)
    with console.progress("Arranging") as report:
        labelled_set(
            PIECES,
            seed=12,
            folder=music / "scores",
            soundfonts=SOUND_FONTS,
            composer=arrange,
            group=lambda seed: draw_score(seed).name,
            progress=report,
        )


def read_sources(data: Path, work: Path, console: Output) -> list[TrainingSource]:
    """Read everything that is learned from, as spectrograms. Raises InputError for what is missing."""
    music = work / "music"
    film = read_soundtracks(data / "soundtracks")
    albums = {clip.path: clip.group for clip in film}
    clips: dict[str, list[Clip]] = {
        "soundtracks": film,
        "emotify": read_emotify(data / "emotify"),
        "perceptual": read_perceptual(data / "soundtracks", groups=albums),
        "vgmidi": render_midi_dataset(
            "vgmidi", data / "vgmidi", console, rendered=music / "vgmidi", soundfonts=SOUND_FONTS
        ),
        **{kind: read_table(music / kind / TABLE, prefix="known_") for kind in ("composed", "scores")},
    }
    embeddings = read_embeddings(data / "musicnn_teacher" / "embeddings.npz")
    return [
        TrainingSource(
            name,
            with_embeddings(stored_dataset(name, found, work / "spectrograms", console), found, embeddings),
            PER_BATCH[name],
        )
        for name, found in clips.items()
    ]


def stored_dataset(name: str, clips: Sequence[Clip], folder: Path, console: Output) -> ClipDataset:
    """Return the clips' spectrograms, of a file in the folder or computed and stored there. Raises InputError."""
    key = short_digest([[clip.path.name, clip.path.stat().st_size, clip.start_s, clip.length_s] for clip in clips])
    path = folder / f"{name}-{key}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as stored:
            parts = np.split(stored["frames"], np.cumsum(stored["lengths"])[:-1])
        return dataset_of(clips, list(parts))
    with console.progress(f"Reading {name}") as report:
        dataset = load_spectrograms(clips, read_mono, report)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temp_path, temp_path.open("wb") as file:
        lengths = np.array([len(spectrogram) for spectrogram in dataset.spectrograms])
        np.savez(file, frames=np.concatenate(dataset.spectrograms), lengths=lengths)
    return dataset


def make_default_model(data: Path, work: Path, console: Output) -> Path:
    """Make the model's file in the work folder, unless it is there. Raises InputError."""
    path = work / "default.safetensors"
    if path.is_file():
        return path
    render_music(work / "music", console)
    with torch_threads(SETTINGS.threads):
        sources = read_sources(data, work, console)
        state = path.with_suffix(".state")
        network = train_with_progress(sources, SETTINGS, state, console)
        recordings = [part.material for part in sources if part.name in ("soundtracks", "emotify")]
        factors = widen_features(network, np.concatenate([predict_clips(network, part)[0] for part in recordings]))
        more = {"midlevel_quantiles": midlevel_quantiles(network, recordings), "widened": factors.round(4).tolist()}
        save_model(network, path, record=training_record(sources, SETTINGS, **more))
    state.unlink(missing_ok=True)
    return path


def main(
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where music, states and models are kept.")],
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="The data folder (MOODFADER_DATA).")] = None,
) -> None:
    """Make the default model anew."""
    try:
        print(make_default_model(data or data_dir(), work, Output(as_json=False, quiet=False)))
    except InputError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    typer.run(main)
