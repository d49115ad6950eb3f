"""Where the processor time of an analysis goes: parts of the network, forward and seven times backward.

One thread; the least of some rounds, in ms of processor time a sample, for a window of 128 positions of the demo:
by automatic differentiation, and by the backward pass that explanations take, sample by sample and four together.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import explain_runs
import numpy as np


def least_ms(build: Callable[[], Any], pixels: Any, *, rounds: int, samples: int) -> tuple[float, float]:
    """Processor time of one forward pass, and of the gradients of seven features."""
    import torch

    forward, backward = [], []
    for _ in range(rounds):
        started = time.process_time()
        output = build()
        forward.append(time.process_time() - started)
        weights = torch.ones_like(output)
        started = time.process_time()
        for _ in range(7):
            torch.autograd.grad(output, pixels, weights, retain_graph=True)
        backward.append(time.process_time() - started)
    return 1e3 * min(forward) / samples, 1e3 * min(backward) / samples


def backward_ms(network: Any, sound: Any, *, together: int, rounds: int) -> tuple[float, float]:
    """Processor time a sample of the backward pass's two ways, over as many samples as go together."""
    import torch
    from moodfader.models.inference.backward.network import BackwardPass

    backward_pass = BackwardPass(network, samples_per_gate=together)
    forward, backward = [], []
    with torch.inference_mode():
        for _ in range(rounds):
            started = time.process_time()
            _, trace = backward_pass.forward(sound)
            forward.append(time.process_time() - started)
            started = time.process_time()
            backward_pass.backward(trace)
            backward.append(time.process_time() - started)
    return 1e3 * min(forward) / len(sound.sound), 1e3 * min(backward) / len(sound.sound)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=2, help="samples in a batch (default: 2)")
    options = parser.parse_args()
    explain_runs.use_threads(1)
    from moodfader.engine import load_track
    from moodfader.engine.audio.track_spectrogram import track_spectrogram
    from moodfader.engine.explain.perturbation import SegmentPerturber, cut_window
    from moodfader.engine.explain.segmentation import segment_spectrogram
    from moodfader.models.inference.checkpoint import load_model
    from moodfader.models.network.padding import PaddedSpectrogram
    from moodfader.models.network.receptive_field import CONTEXT_STEPS

    model = load_model()
    network, geometry = model.network, model.network.geometry
    spectrogram = track_spectrogram(load_track(explain_runs.demo_path()))
    window = cut_window(spectrogram, segment_spectrogram(spectrogram), model, 0, 128)
    t = np.random.default_rng(0).choice([0.21, 0.79], (options.samples, len(window.segments)))
    sound = SegmentPerturber(window, model, "gain").perturb(t)
    pixels = sound.sound.requires_grad_()
    spare = geometry.field - geometry.patch - 2 * CONTEXT_STEPS * geometry.stride
    parts: dict[str, Callable[[], Any]] = {
        "whole network": lambda: sum(part.mean((2, 3)) for part in network.branch_outputs(sound)),
        "trunk": lambda: network._features(sound.crop(spare)),
    }
    if (context := network.context) is not None:
        parts["keys"] = lambda: context.tonal(sound.crop(geometry.field - context.tonal.field))
        parts["rhythm"] = lambda: context.rhythm(sound.crop(geometry.field - context.rhythm.field))
    print(f"{explain_runs.machine(1)}, model {model.digest[:12]}, {len(spectrogram)} frames\n")
    print("| part | forward, ms a sample | seven times backward |\n| --- | ---: | ---: |")
    for name, build in parts.items():
        forward, backward = least_ms(build, pixels, rounds=options.rounds, samples=options.samples)
        print(f"| {name} | {forward:.1f} | {backward:.1f} |", flush=True)
    several = PaddedSpectrogram(sound.sound.detach()[:1].repeat(4, 1, 1), sound.start, sound.length)
    for together, samples in ((1, PaddedSpectrogram(several.sound[:1], sound.start, sound.length)), (4, several)):
        forward, backward = backward_ms(network, samples, together=together, rounds=options.rounds)
        print(f"| backward pass, {together} together | {forward:.1f} | {backward:.1f} |", flush=True)


if __name__ == "__main__":
    main()
