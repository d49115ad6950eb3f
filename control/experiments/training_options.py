"""Groups of options of `train` and `evaluate`: data sets, training settings and the evaluation of steering."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ...models.common.errors import InputError
from ..console import options

if TYPE_CHECKING:
    from ...models.training.settings import TrainingSettings
    from .datasets import DatasetPaths

_FROM = "Data sets"
_HOW = "Training"
_STORED_LAYERS: Final = {"finetune": "start", "random": "free"}
"""Values of --emotion-layer whose names in settings and checkpoints are older."""
_PRETRAINED: Final = (Path("synthetic"), Path("known"))
"""Values of --init in place of a file; the second for one more version."""


@dataclass(frozen=True)
class DatasetOptions:
    """Options that name data sets: rated recordings and synthetic music."""

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
            help="A table with a column file and columns named as features or emotions, 0..1. Repeatable.",
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
    synthetic: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Labelled synthetic music, made by --synthetic-clips. Repeatable.",
            rich_help_panel=_FROM,
        ),
    ] = None
    emotify: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Emotify: songs and the emotions that listeners felt (data.csv and the folders of the genres).",
            rich_help_panel=_FROM,
        ),
    ] = None
    vgmidi: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="VGMIDI: rated MIDI files of game music, rendered in random instruments (needs FluidSynth).",
            rich_help_panel=_FROM,
        ),
    ] = None
    emopia: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="EMOPIA: MIDI files of pop piano in four quadrants of emotion, rendered likewise.",
            rich_help_panel=_FROM,
        ),
    ] = None
    pop909: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="POP909: MIDI files of pop songs with their keys, rendered with bass and drums.",
            rich_help_panel=_FROM,
        ),
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
        """Return the paths of the data sets.

        Raises
        ------
        InputError
            No data set is named and there is none in the data folder.
        """
        from .datasets import DatasetPaths
        from .rendered_datasets import MIDI_DATASETS

        tables, synthetic = tuple(self.table or ()), tuple(self.synthetic or ())
        return DatasetPaths(
            self.soundtracks,
            self.midlevel,
            tables,
            self.perceptual,
            synthetic,
            self.teacher,
            self.emotify,
            {name: folder for name in MIDI_DATASETS if (folder := getattr(self, name)) is not None},
        ).or_default()


@dataclass(frozen=True)
class TrainingOptions:
    """Options of training."""

    epochs: Annotated[int, typer.Option(metavar="N", help="Number of epochs.", rich_help_panel=_HOW)] = 30
    steps: Annotated[int, typer.Option(metavar="N", help="Steps per epoch.", rich_help_panel=_HOW)] = 40
    emotion_layer: Annotated[
        str,
        typer.Option(
            metavar="fixed|finetune|random",
            help="Layer from features to emotions: as published, published and trained, or random and trained.",
            rich_help_panel=_HOW,
        ),
    ] = "finetune"
    architecture: Annotated[
        str,
        typer.Option(metavar="NAME", help="modulation, context, small or vgg (the paper's).", rich_help_panel=_HOW),
    ] = "modulation"
    rate: Annotated[float, typer.Option(metavar="X", help="Learning rate.", rich_help_panel=_HOW)] = 3e-3
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|synthetic",
            help="Initial model; synthetic: the one of the program that was trained on synthetic music only.",
            rich_help_panel=_HOW,
        ),
    ] = None
    precision: Annotated[
        str,
        typer.Option(
            metavar="float32|bfloat16",
            help="bfloat16 is faster on processors that support it.",
            rich_help_panel=_HOW,
        ),
    ] = "float32"
    threads: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Number of threads; the same seed and N give the same model.",
            rich_help_panel=_HOW,
        ),
    ] = 2
    consistency: Annotated[
        float,
        typer.Option(
            metavar="X",
            help="Weight of the loss by adversarial gain fields; 0: without it, and quicker.",
            rich_help_panel=_HOW,
        ),
    ] = 2.0
    seed: options.Seed = 0

    def settings(self, device: str) -> "TrainingSettings":
        """Return the training settings.

        Parameters
        ----------
        device
            "auto", "cpu" or "cuda".

        Raises
        ------
        InputError
            A name is unknown, a number out of range, or there is no such device.
        """
        from ...models.inference.checkpoint import pretrained_checkpoint
        from ...models.inference.device import resolve_device
        from ...models.training.settings import TrainingSettings

        if self.emotion_layer not in ("fixed", *_STORED_LAYERS, *_STORED_LAYERS.values()):
            raise InputError(f"--emotion-layer {self.emotion_layer}: there are fixed, {', '.join(_STORED_LAYERS)}")
        return TrainingSettings(
            architecture=self.architecture,
            layer=_STORED_LAYERS.get(self.emotion_layer, self.emotion_layer),
            epochs=self.epochs,
            steps_per_epoch=self.steps,
            seed=self.seed,
            precision=self.precision,
            threads=self.threads,
            device=resolve_device(device),
            learning_rate=self.rate,
            consistency=self.consistency,
            start=pretrained_checkpoint() if self.init in _PRETRAINED else self.init,
        )


@dataclass(frozen=True)
class SteeringOptions:
    """Whether steering is evaluated, on which tracks, by whom."""

    steering: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Instead: measure faders and targets on this track by judges. Repeatable.",
            rich_help_panel="Steering",
        ),
    ] = None
    jury: Annotated[
        str,
        typer.Option(
            metavar="development|reporting", help="The three judges of --steering.", rich_help_panel="Steering"
        ),
    ] = "development"
    coupled: Annotated[
        bool, typer.Option("--coupled", metavar="", help="Judge coupled faders.", rich_help_panel="Steering")
    ] = False
