"""How often a second the networks hear ten seconds of music, in batches of 16, and what their checkpoints weigh."""

import argparse
import time

import numpy as np
import torch
from moodfader.models.common.constants import CLIP_FRAMES, N_BANDS
from moodfader.models.inference.checkpoint import Model, default_checkpoint, load_model
from moodfader.models.inference.fold import optimise_for_inference
from moodfader.models.inference.predictor import TorchPredictor
from moodfader.models.inference.threads import one_blas_thread, torch_threads
from moodfader.models.network.architectures import ARCHITECTURES
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.network.padding import PaddedSpectrogram


def passes_a_second(network: MidlevelNetwork, *, batches: int, batch_size: int = 16) -> str:
    """Median over the batches, and the quickest: what others do on the machine can only take away from it."""
    picture = torch.rand(batch_size, CLIP_FRAMES, N_BANDS, device=network.device)
    seconds = []
    with torch.inference_mode():
        network(picture)[1].cpu()
        for _ in range(batches):
            started = time.perf_counter()
            network(picture)[1].cpu()  # (a graphics card has then done what it was asked)
            seconds.append(time.perf_counter() - started)
    return f"{batch_size / float(np.median(seconds)):.0f} | {batch_size / min(seconds):.0f}"


def forward_of_numpy(model: Model, *, rounds: int) -> str:
    """A forward pass of 33 s without torch against torch's, one thread, turn by turn: milliseconds of each, ratio."""
    geometry = model.predictor.geometry
    frames = 128 * geometry.stride + geometry.field - geometry.stride
    window = PaddedSpectrogram(np.random.default_rng(0).random((1, frames, N_BANDS), np.float32))
    seconds: tuple[list[float], list[float]] = [], []
    with torch_threads(1), one_blas_thread():
        for _ in range(rounds):
            for predictor, found in zip((model.predictor, TorchPredictor(model.network)), seconds, strict=True):
                started = time.process_time()
                predictor.local(window)
                found.append(time.process_time() - started)
    ours, theirs = (1000 * float(np.median(found)) for found in seconds)
    ratio = float(np.median(np.divide(*seconds)))
    return f"forward pass of 33 s: NumPy {ours:.1f} ms, torch {theirs:.1f} ms, ratio {ratio:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    where = f"{options.threads} threads" if options.device == "cpu" else torch.cuda.get_device_name(options.device)
    print(f"passes of ten seconds a second, {where}, torch {torch.__version__}\n")
    print("| network | passes a second, median | quickest batch |\n| --- | ---: | ---: |")
    shipped = load_model(device=options.device).network
    print(f"| default checkpoint | {passes_a_second(shipped, batches=options.batches)} |")
    for name in ARCHITECTURES:
        network = MidlevelNetwork(name)
        optimise_for_inference(network)
        print(f"| {name} | {passes_a_second(network.to(options.device), batches=max(options.batches // 5, 1))} |")
    if options.device == "cpu":
        print(f"\n{forward_of_numpy(load_model(), rounds=3 * options.batches)}")
    print(f"\ncheckpoint {default_checkpoint().stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
