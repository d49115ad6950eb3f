"""How often a second the networks hear ten seconds of music, in batches of 16, and what their checkpoints weigh."""

import argparse
import time

import numpy as np
import torch
from moodfader.models.common.constants import CLIP_FRAMES, N_BANDS
from moodfader.models.inference.checkpoint import default_checkpoint, load_model
from moodfader.models.inference.fold import optimise_for_inference
from moodfader.models.network.architectures import ARCHITECTURES
from moodfader.models.network.model import MidlevelNetwork


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
    print(f"\ncheckpoint {default_checkpoint().stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
