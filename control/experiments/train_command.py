"""train: a new model from rated recordings and music of known qualities."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...models.common.atomic_write import check_folder
from ...models.common.errors import InputError
from ..console import options
from ..console.option_groups import with_groups
from ..console.output import Voice
from .training_options import Recipe, Recordings

if TYPE_CHECKING:
    from ...models.network.model import MidlevelNetwork
    from .datasets import Rated


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


@with_groups
def train(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The model, .safetensors.")],
    recordings: Recordings,
    recipe: Recipe,
    known_clips: Annotated[
        int, typer.Option(metavar="N", help="Compose and render N pieces of known qualities (needs FluidSynth).")
    ] = 0,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Train a model. An interrupted run goes on where it was when it is started again in the same way."""
    voice = Voice(as_json=as_json, quiet=quiet)
    state = output.with_name(output.name + ".state")
    if output.suffix != ".safetensors":
        raise InputError(f"{output}: the name of a model ends in .safetensors")
    if output.exists() and not overwrite:
        raise InputError(f"{output}: exists already (--overwrite replaces it)")
    check_folder(output)
    settings = recipe.settings(device)
    from ...models.inference.checkpoint import save_model
    from ...models.inference.threads import on_threads
    from ...models.training.train import record_of
    from ...models.training.train import train as learn
    from .datasets import check_enough, read_datasets, rendered_music

    datasets = recordings.datasets()
    if known_clips:
        folder, *more = datasets.known or (output.with_name(output.stem + "-known"),)
        made = rendered_music(folder, known_clips, seed=recipe.seed, voice=voice)
        datasets = replace(datasets, known=(made, *more))
    with on_threads(settings.threads):
        rated = read_datasets(datasets, voice)
        check_enough(rated)
        sources = [part.source() for part in rated]
        if state.exists():
            voice.note(f"going on from {state}")
        with voice.progress("Training") as report:

            def finished(epoch: int, loss: float) -> None:
                report(epoch / settings.epochs)
                voice.log(f"epoch {epoch} of {settings.epochs}: loss {loss:.4f}")

            network = learn(sources, settings, state=state, progress=finished)
        record = record_of(sources, settings, midlevel_quantiles=midlevel_quantiles(network, rated))
    digest = save_model(network, output, record=record)
    state.unlink(missing_ok=True)
    values = {"output": str(output), "digest": digest, "clips": {part.name: len(part.clips) for part in rated}}
    voice.result(values, lambda: f"model {digest[:12]} written to {output}")


def midlevel_quantiles(network: "MidlevelNetwork", rated: "list[Rated]") -> dict[str, list[float]]:
    """5, 25, 50, 75 and 95 percent of each mid-level over the recordings (else all) that were learned from."""
    import numpy as np

    from ...models.common.constants import MIDLEVEL
    from ...models.inference.predict_clips import predict_material

    real = [part for part in rated if part.kind not in ("perceptual", "known")] or rated
    heard = np.concatenate([predict_material(network, part.material)[0] for part in real])
    levels = np.percentile(heard, [5, 25, 50, 75, 95], axis=0).T
    return {name: [round(float(level), 4) for level in row] for name, row in zip(MIDLEVEL, levels, strict=True)}
