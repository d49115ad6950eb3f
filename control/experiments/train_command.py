"""The command `train`: trains a model on rated recordings and labelled synthetic music."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.atomic_write import check_writable
from ...models.common.errors import InputError
from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.output import Output
from .training_options import DatasetOptions, TrainingOptions

if TYPE_CHECKING:
    from ...models.datasets.clip_dataset import ClipDataset
    from ...models.network.model import MidlevelNetwork
    from ...models.training.batches import TrainingSource
    from ...models.training.settings import TrainingSettings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


@expand_option_groups
def train(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The model, .safetensors.")],
    recordings: DatasetOptions,
    training: TrainingOptions,
    synthetic_clips: Annotated[
        int, typer.Option(metavar="N", help="Compose and render N labelled synthetic clips (needs FluidSynth).")
    ] = 0,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Train a model. An interrupted run is resumed when it is started again with the same options."""
    console = Output(as_json=as_json, quiet=quiet)
    if output.suffix != ".safetensors":
        raise InputError(f"{output}: the name of a model ends in .safetensors")
    if output.exists() and not overwrite:
        raise InputError(f"{output}: exists already (--overwrite replaces it)")
    if synthetic_clips < 0:
        raise InputError(f"--synthetic-clips {synthetic_clips}: a number of clips, 0 for none")
    check_writable(output)
    state = output.with_name(output.name + ".state")
    settings = training.settings(device)
    from ...models.inference.checkpoint import save_model
    from ...models.inference.threads import torch_threads
    from ...models.training.train import training_record
    from .datasets import NOT_RECORDED, read_datasets, render_labelled_music, require_enough_clips

    datasets = recordings.datasets()
    if synthetic_clips:
        folder, *more = datasets.known or (output.with_name(output.stem + "-known"),)
        rendered = render_labelled_music(folder, synthetic_clips, seed=training.seed, console=console)
        datasets = replace(datasets, known=(rendered, *more))
    with torch_threads(settings.threads):
        rated = read_datasets(datasets, console)
        require_enough_clips(rated)
        sources = [part.source() for part in rated]
        network = train_with_progress(sources, settings, state, console)
        recordings_only = [part for part in rated if part.kind not in NOT_RECORDED] or rated
        quantiles = midlevel_quantiles(network, [part.material for part in recordings_only])
        record = training_record(sources, settings, midlevel_quantiles=quantiles)
    digest = save_model(network, output, record=record)
    state.unlink(missing_ok=True)
    values = {"output": str(output), "digest": digest, "clips": {part.name: len(part.clips) for part in rated}}
    console.result(values, lambda: f"model {digest[:12]} written to {output}")


def train_with_progress(
    sources: "Sequence[TrainingSource]", settings: "TrainingSettings", state: Path, console: Output
) -> "MidlevelNetwork":
    """Train, or go on from the state file of an interrupted run; a bar, and a line for each epoch."""
    from ...models.training.train import train as learn

    if state.exists():
        console.note(f"resuming from {state}")
    with console.progress("Training") as report:

        def finished(epoch: int, loss: float) -> None:
            report(epoch / settings.epochs)
            console.log(f"epoch {epoch} of {settings.epochs}: loss {loss:.4f}")

        return learn(sources, settings, state=state, progress=finished)


def midlevel_quantiles(network: "MidlevelNetwork", recordings: "Sequence[ClipDataset]") -> dict[str, list[float]]:
    """Compute percentiles of each feature over recordings.

    Returns
    -------
    dict of str to list of float
        5th, 25th, 50th, 75th and 95th percentile by feature.
    """
    import numpy as np

    from ...models.common.constants import MIDLEVEL
    from ...models.inference.predict_clips import predict_clips

    midlevel = np.concatenate([predict_clips(network, part)[0] for part in recordings])
    levels = np.percentile(midlevel, [5, 25, 50, 75, 95], axis=0).T
    return {name: [round(float(level), 4) for level in row] for name, row in zip(MIDLEVEL, levels, strict=True)}
