"""Options that several commands have, as groups: a command takes a group as one parameter (option_groups.py)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .output import Output

if TYPE_CHECKING:
    from ...engine.analysis.settings import AnalysisSettings
    from ...models.inference.checkpoint import Model

_ANALYSIS = "How it is analysed"


@dataclass(frozen=True)
class OutputOptions:
    """What is printed, and how."""

    as_json: options.Json = False
    quiet: options.Quiet = False

    def output(self) -> Output:
        """The command's output."""
        return Output(as_json=self.as_json, quiet=self.quiet)


@dataclass(frozen=True)
class NetworkOptions:
    """Which network predicts, and on what it computes."""

    model: options.ModelFile = None
    device: options.Device = "auto"

    def load(self) -> "Model":
        """Load the network. Raises InputError."""
        return options.load_model_option(self.model, self.device)


@dataclass(frozen=True)
class AnalysisOptions:
    """How a track is analysed."""

    evaluations: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Evaluations of the network for each window; 0: as many as the estimator needs.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = 0
    seed: options.Seed = 0
    segmentation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="felzenszwalb (the paper's), slic, chan-vese or watershed.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = "felzenszwalb"
    estimator: Annotated[
        str,
        typer.Option(
            metavar="gradient|local|lime",
            help="gradient: expected gradients; local: local regression; lime: the paper's.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = "gradient"
    perturbation: Annotated[
        str,
        typer.Option(
            metavar="gain|mask",
            help="gain: segments up and down by 6 dB; mask: silenced, the paper's.",
            rich_help_panel=_ANALYSIS,
        ),
    ] = "gain"

    coupled: options.Coupled = False
    quality: options.Quality = "full"

    def settings(self) -> "AnalysisSettings":
        """The settings of the analysis. Raises InputError for an unknown name or a number out of range."""
        from ...engine.analysis.settings import AnalysisSettings

        return AnalysisSettings(
            self.segmentation,
            self.estimator,
            self.perturbation,
            self.evaluations,
            self.seed,
            self.coupled,
            self.quality,
        )


@dataclass(frozen=True)
class AnalysisFileOption:
    """An analysis made before."""

    analysis: Annotated[
        Path | None,
        typer.Option(
            metavar="F", help="A stored analysis; without it the cached one, or a new one.", rich_help_panel=_ANALYSIS
        ),
    ] = None
