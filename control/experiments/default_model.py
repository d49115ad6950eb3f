"""The default model made anew, from the rated recordings, a teacher's embeddings and music of known qualities.

    python -m moodfader.control.experiments.default_model --data ../shared/data --work build/model

Resumable: music that is rendered and epochs that are finished are kept in the work folder. On the same machine, with
the same torch, sound fonts and one thread it gives the same file.

1. 1,000 pieces composed and 1,000 passages arranged of scores, rendered with FluidR3.
2. From the network that knows such music alone: 14 epochs on film clips, songs with felt emotions, perceptual ratings
   and the music, under adversarial gain fields that grow.
3. From there: 8 epochs under fields of full size, which count more.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from ...models.common.errors import InputError
from ...models.common.paths import data_dir
from ...models.datasets.clip_dataset import ClipDataset, load_spectrograms
from ...models.datasets.perceptual import read_perceptual
from ...models.datasets.soundtracks import read_soundtracks
from ...models.datasets.table import Clip, parse_number, parse_rating, read_rows, read_table
from ...models.datasets.teacher_embeddings import read_embeddings, with_embeddings
from ...models.inference.checkpoint import pretrained_checkpoint, save_model
from ...models.inference.predict_clips import predict_clips
from ...models.inference.threads import torch_threads
from ...models.scores.arrange import arrange, draw_score
from ...models.synthesis.labelled_music import TABLE, labelled_set
from ...models.training.batches import TrainingSource
from ...models.training.feature_scale import widen_features
from ...models.training.settings import TrainingSettings
from ...models.training.train import train, training_record
from ..console.output import Output
from .datasets import read_mono
from .train_command import midlevel_quantiles

PIECES: Final = 1000
SOUND_FONTS: Final = ("FluidR3_GM.sf2",)
FELT: Final = ("valence", "energy", "tension", "happy", "sad", "tender")
PER_BATCH: Final = {"soundtracks": 16, "emotify": 16, "perceptual": 6, "composed": 6, "scores": 6}

FIRST: Final = TrainingSettings(
    start=pretrained_checkpoint(), epochs=14, learning_rate=1.5e-3, precision="bfloat16", threads=1, copies=16
)
SECOND: Final = replace(
    FIRST, epochs=8, learning_rate=1.2e-3, consistency=5.0, copies=20, distillation=0.3, growing=False, seed=1
)


def read_felt(table: Path) -> list[Clip]:
    """Songs of Emotify with felt emotions 0..1 and weights, as `felt_<emotion>`. Raises InputError."""
    clips = []
    for line, row in enumerate(read_rows(table), start=2):
        ratings = {f"felt_{name}": parse_rating(row, name, table, line, top=1.0) for name in FELT}
        weight = parse_number(row, "weight", table, line)
        clips.append(Clip(table.parent / row["file"], row["group"], ratings, weight=weight))
    return clips


def read_sources(data: Path, music: Path, voice: Output) -> list[TrainingSource]:
    """Everything that is learned from, as spectrograms. Raises InputError for what is missing."""
    film = read_soundtracks(data / "soundtracks")
    albums = {clip.path: clip.group for clip in film}
    clips: dict[str, list[Clip]] = {
        "soundtracks": film,
        "emotify": read_felt(data / "emotify" / "felt.csv"),
        "perceptual": read_perceptual(data / "soundtracks", groups=albums),
        **{kind: read_table(music / kind / TABLE, prefix="known_") for kind in ("composed", "scores")},
    }
    embeddings = read_embeddings(data / "musicnn_teacher" / "embeddings.npz")

    def loaded(name: str, found: Sequence[Clip]) -> ClipDataset:
        with voice.progress(f"Reading {name}") as report:
            return with_embeddings(load_spectrograms(found, read_mono, report), found, embeddings)

    return [TrainingSource(name, loaded(name, found), PER_BATCH[name]) for name, found in clips.items()]


def make_default_model(data: Path, work: Path, voice: Output) -> Path:
    """The model's file in the work folder. Raises InputError."""
    music = work / "music"
    with voice.progress("Composing") as report:
        labelled_set(PIECES, seed=11, folder=music / "composed", soundfonts=SOUND_FONTS, progress=report)
    with voice.progress("Arranging") as report:
        labelled_set(
            PIECES,
            seed=12,
            folder=music / "scores",
            soundfonts=SOUND_FONTS,
            composer=arrange,
            group=lambda seed: draw_score(seed).name,
            progress=report,
        )
    with torch_threads(FIRST.threads):
        sources = read_sources(data, music, voice)
        first = trained(sources, FIRST, work / "first.safetensors", voice)
        return trained(sources, replace(SECOND, start=first), work / "default.safetensors", voice)


def trained(sources: Sequence[TrainingSource], settings: TrainingSettings, path: Path, voice: Output) -> Path:
    """The checkpoint of one run, made or gone on with unless it is there."""
    if path.is_file():
        return path
    state = path.with_suffix(".state")
    with voice.progress(f"Training {path.stem}") as report:
        network = train(sources, settings, state=state, progress=lambda epoch, _: report(epoch / settings.epochs))
    recordings = [part.material for part in sources if part.name in ("soundtracks", "emotify")]
    factors = widen_features(network, np.concatenate([predict_clips(network, part)[0] for part in recordings]))
    more = {"midlevel_quantiles": midlevel_quantiles(network, recordings), "widened": factors.round(4).tolist()}
    save_model(network, path, record=training_record(sources, settings, **more))
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
