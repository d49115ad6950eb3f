"""train: a new model from rated recordings and music of known qualities."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..models.errors import InputError
from . import options
from .console import Voice

if TYPE_CHECKING:
    from ..models.network import MidlevelNetwork
    from .material import Rated

Soundtracks = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Soundtracks Set 1: numbered sound files and a table of ratings.")
]
Midlevel = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Mid-level Perceptual Features: audio, metadata_annotations.")
]
Table = Annotated[
    list[Path] | None,
    typer.Option(metavar="CSV", help="A column file, others named like features or emotions, 0..1. Repeatable."),
]
Perceptual = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Perceptual ratings of excerpts (perceptual.csv and sound files).")
]
Known = Annotated[Path | None, typer.Option(metavar="DIR", help="Music of known qualities made before.")]
KnownClips = Annotated[
    int, typer.Option(metavar="N", help="Compose and render N pieces of known qualities (needs FluidSynth).")
]
Epochs = Annotated[int, typer.Option(metavar="N", help="How many epochs.")]
Steps = Annotated[int, typer.Option(metavar="N", help="Steps of an epoch.")]
Layer = Annotated[
    str,
    typer.Option(metavar="fixed|start|free", help="The published last layer: kept, a start, or unused."),
]
Architecture = Annotated[str, typer.Option(metavar="small|vgg", help="vgg is the paper's network.")]
Threads = Annotated[
    int, typer.Option(metavar="N", help="Threads of the training: the same seed and N give the same model.")
]
Precision = Annotated[
    str, typer.Option(metavar="float32|bfloat16", help="bfloat16 is quicker where the processor knows it.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The model, .safetensors.")],
    soundtracks: Soundtracks = None,
    midlevel: Midlevel = None,
    table: Table = None,
    perceptual: Perceptual = None,
    known: Known = None,
    known_clips: KnownClips = 0,
    epochs: Epochs = 30,
    steps: Steps = 40,
    layer: Layer = "start",
    architecture: Architecture = "small",
    precision: Precision = "float32",
    threads: Threads = 2,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a model. An interrupted run goes on where it was when it is started again in the same way."""
    voice = Voice(as_json=as_json, quiet=quiet)
    state = output.with_name(output.name + ".state")
    if output.suffix != ".safetensors":
        raise InputError(f"{output}: the name of a model ends in .safetensors")
    if output.exists() and not overwrite:
        raise InputError(f"{output}: exists already (--overwrite replaces it)")
    options.check_folder(output)
    from ..models.train import TrainingSettings, record_of

    settings = TrainingSettings(
        epochs=epochs,
        steps_per_epoch=steps,
        layer=layer,
        architecture=architecture,
        seed=seed,
        precision=precision,
        threads=threads,
    )
    from ..models.checkpoint import save_model
    from ..models.train import train as learn
    from .material import Datasets, read_datasets, rendered_music

    datasets = Datasets(soundtracks, midlevel, tuple(table or ()), perceptual, known).or_default()
    if known_clips:
        folder = known or output.with_name(output.stem + "-known")
        datasets = replace(datasets, known=rendered_music(folder, known_clips, seed=seed, voice=voice))
    rated = read_datasets(datasets, voice)
    sources = [part.source() for part in rated]
    if state.exists():
        voice.note(f"going on from {state}")
    with voice.progress("Training") as report:

        def finished(epoch: int, loss: float) -> None:
            report(epoch / epochs)
            voice.log(f"epoch {epoch} of {epochs}: loss {loss:.4f}")

        network = learn(sources, settings, state=state, progress=finished)
    record = record_of(sources, settings, midlevel_quantiles=midlevel_quantiles(network, rated))
    digest = save_model(network, output, record=record)
    state.unlink(missing_ok=True)
    values = {"output": str(output), "digest": digest, "clips": {part.name: len(part.clips) for part in rated}}
    voice.result(values, lambda: f"model {digest[:12]} written to {output}")


def midlevel_quantiles(network: "MidlevelNetwork", rated: "list[Rated]") -> dict[str, list[float]]:
    """5, 25, 50, 75 and 95 percent of each mid-level over the recordings (else all) that were learned from."""
    import numpy as np

    from ..models.evaluate import predict_material
    from ..models.vocabulary import MIDLEVEL

    real = [part for part in rated if part.name not in ("perceptual", "known")] or rated
    heard = np.concatenate([predict_material(network, part.material)[0] for part in real])
    levels = np.percentile(heard, [5, 25, 50, 75, 95], axis=0).T
    return {name: [round(float(level), 4) for level in row] for name, row in zip(MIDLEVEL, levels, strict=True)}
