"""How train and evaluate are told what to learn from and in which way: the options that both have."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import options

if TYPE_CHECKING:
    from ...models.training.settings import TrainingSettings
    from .datasets import DatasetPaths

_FROM = "What is learned from and judged by"
_HOW = "How it is trained"


@dataclass(frozen=True)
class DatasetOptions:
    """Rated recordings and music of known qualities, as the options name them."""

    soundtracks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Soundtracks Set 1 or 2: numbered sound files and a table of ratings.",
            rich_help_panel=_FROM,
        ),
    ] = None
    midlevel: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Mid-level Perceptual Features: audio, metadata_annotations.",
            rich_help_panel=_FROM,
        ),
    ] = None
    table: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CSV",
            help="A column file, others named like features or emotions, 0..1. Repeatable.",
            rich_help_panel=_FROM,
        ),
    ] = None
    perceptual: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Perceptual ratings of excerpts (perceptual.csv and sound files).",
            rich_help_panel=_FROM,
        ),
    ] = None
    known: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Music of known qualities made before. Repeatable.", rich_help_panel=_FROM),
    ] = None

    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="NPZ",
            help="Embeddings of the clips by another network, to be learned beside the ratings.",
            rich_help_panel=_FROM,
        ),
    ] = None

    def datasets(self) -> "DatasetPaths":
        """The same for `material`. Raises InputError when nothing is named and nothing lies in the data folder."""
        from .datasets import DatasetPaths

        tables, known = tuple(self.table or ()), tuple(self.known or ())
        return DatasetPaths(
            self.soundtracks, self.midlevel, tables, self.perceptual, known, self.teacher
        ).or_default()


@dataclass(frozen=True)
class TrainingOptions:
    """A way of training, as the options name it."""

    epochs: Annotated[int, typer.Option(metavar="N", help="How many epochs.", rich_help_panel=_HOW)] = 30
    steps: Annotated[int, typer.Option(metavar="N", help="Steps of an epoch.", rich_help_panel=_HOW)] = 40
    layer: Annotated[
        str,
        typer.Option(
            metavar="fixed|start|free",
            help="The published last layer: kept, a start, or unused.",
            rich_help_panel=_HOW,
        ),
    ] = "start"
    architecture: Annotated[
        str,
        typer.Option(metavar="NAME", help="modulation, context, small or vgg (the paper's).", rich_help_panel=_HOW),
    ] = "modulation"
    rate: Annotated[float, typer.Option(metavar="X", help="Learning rate.", rich_help_panel=_HOW)] = 3e-3
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|known",
            help="A model to begin with; known: the one that ships and was taught by music of known qualities alone.",
            rich_help_panel=_HOW,
        ),
    ] = None
    precision: Annotated[
        str,
        typer.Option(
            metavar="float32|bfloat16",
            help="bfloat16 is quicker where the processor knows it.",
            rich_help_panel=_HOW,
        ),
    ] = "float32"
    threads: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Threads, reading included: the same seed and N give the same model.",
            rich_help_panel=_HOW,
        ),
    ] = 2
    consistency: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="What it counts that narrow gain changes move the features; 0: nothing, and quicker.",
            rich_help_panel=_HOW,
        ),
    ] = 2.0
    seed: options.Seed = 0

    def settings(self, device: str) -> "TrainingSettings":
        """The same for `train`, to learn on what `chosen_device` takes. Raises InputError for a name or number that
        means nothing, and where there is no such device."""
        from ...models.inference.checkpoint import pretrained_checkpoint
        from ...models.inference.device import resolve_device
        from ...models.training.settings import TrainingSettings

        return TrainingSettings(
            architecture=self.architecture,
            layer=self.layer,
            epochs=self.epochs,
            steps_per_epoch=self.steps,
            seed=self.seed,
            precision=self.precision,
            threads=self.threads,
            device=resolve_device(device),
            learning_rate=self.rate,
            consistency=self.consistency,
            start=pretrained_checkpoint() if self.start == Path("known") else self.start,
        )
