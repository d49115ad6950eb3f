"""Explanations against the stock explainer of `lime`: time, memory, stability, and the speed on a whole track.

Same clip, network, segments, batches and samples; each time and memory from a process of its own, ratios within one
round, medians over the rounds. The quick table; bench_explain_long.py has the 50,000 samples of the paper.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import explain_runs
import numpy as np
import soundfile


def times(samples: int, *, rounds: int, threads: int, kinds: Sequence[str]) -> None:
    """Stock and ours in turn."""
    found = [
        {kind: explain_runs.measured(kind, passes=samples, threads=threads) for kind in kinds} for _ in range(rounds)
    ]
    names = {"stock": "stock lime_image", **{kind: f"ours, {kind.replace(':', ', ')}" for kind in kinds[1:]}}
    print(f"\n### {samples:,} samples of ten seconds (demo), median of {rounds} rounds\n")
    print("| | seconds | outside of the network | peak memory | stock / ours: time | outside | memory |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in kinds:
        seconds, outside, peak = (
            np.median([one[kind][key] for one in found]) for key in ("seconds", "outside", "peak_mb")
        )
        ratios = [
            np.median([one["stock"][key] / one[kind][key] for one in found])
            for key in ("seconds", "outside", "peak_mb")
        ]
        print(
            f"| {names[kind]} | {seconds:.2f} s | {outside:.2f} s | {peak:.0f} MB "
            f"| {ratios[0]:.1f} | {ratios[1]:.1f} | {ratios[2]:.2f} |",
            flush=True,
        )


Variant = tuple[str, str, int]
"""Estimator, perturbation, passes."""


def _two_seeds(job: tuple[int, int, Variant]) -> tuple[float, float]:
    """Jaccard and r of one clip of `count`; in a process of its own."""
    from moodfader.models.inference.checkpoint import load_model

    count, index, (estimator, perturbation, passes) = job
    clip = explain_runs.clip_at(index, count)
    model = load_model()
    runs = [
        explain_runs.ours(clip, model, estimator=estimator, perturbation=perturbation, passes=passes, seed=seed)
        for seed in (1, 2)
    ]
    return explain_runs.agreement(*runs)


def stability(count: int, variants: Sequence[Variant], *, jobs: int = 1) -> dict[Variant, Any]:
    """Agreement of two seeds: means over clips and features, `jobs` clips at a time; returns the table's numbers."""
    print(f"\n### Two seeds: mean of seven features over {count} clips\n")
    print("| estimator | perturbation | passes | Jaccard of the 50 strongest | Pearson r | least r of a clip |")
    print("| --- | --- | ---: | ---: | ---: | ---: |", flush=True)
    rows = {}
    # (started anew, for a process that has used threads cannot be forked)
    with ProcessPoolExecutor(jobs, get_context("spawn"), explain_runs.use_threads, (1,)) as pool:
        for variant in variants:
            estimator, perturbation, passes = variant
            alike = []
            for found in pool.map(_two_seeds, [(count, index, variant) for index in range(count)]):
                alike.append(found)
                so_far = "Jaccard {:.3f}, r {:.4f}".format(*np.mean(alike, axis=0))
                print(f"{estimator} {passes:,}: {len(alike)} of {count} clips, {so_far}", file=sys.stderr, flush=True)
            jaccard, r = np.mean(alike, axis=0)
            rows[variant] = (jaccard, r)
            name = "plain lime" if estimator == "lime" else estimator
            least = np.min(alike, axis=0)[1]
            print(f"| {name} | {perturbation} | {passes:,} | {jaccard:.3f} | {r:.4f} | {least:.4f} |", flush=True)
    return rows


def whole_track(minutes: float, *, threads: int) -> None:
    """The default settings on the demo, looped."""
    sound, rate = soundfile.read(explain_runs.demo_path(), dtype="float32")
    length = round(minutes * 60 * rate)
    sound = np.tile(sound, (-(-length // len(sound)), 1))[:length]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop.wav"
        soundfile.write(path, sound, rate)
        found = explain_runs.measured("track", passes=0, threads=threads, path=path)
    print(f"\n### A track of {minutes:g} minutes (the demo, looped), default settings\n")
    print("| passes | seconds of work | per second of music | wanted | peak memory | wanted |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    print(
        f"| {found['passes']:.0f} | {found['seconds']:.0f} | {found['seconds'] / found['duration']:.2f} | 0.50 "
        f"| {found['peak_mb']:.0f} MB ({found['before_mb']:.0f} before it begins) | 1500 MB |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--only", choices=["times", "stability", "track"], help="one table (default: all)")
    options = parser.parse_args()
    explain_runs.use_threads(options.threads)
    from moodfader.models.inference.checkpoint import load_model

    model = load_model()
    print(f"## Explanations\n\n{explain_runs.machine(options.threads)}, model {model.digest[:12]}", flush=True)
    if options.only in (None, "times"):
        kinds = ("stock", "lime:hide", "local:hide", "local:gain")
        times(options.samples, rounds=options.rounds, threads=options.threads, kinds=kinds)
    if options.only in (None, "stability"):
        variants = [("gradient", kind, passes) for kind in ("gain", "hide") for passes in (320, 512)]
        variants += [("local", kind, 1024) for kind in ("gain", "hide")]
        variants += [("lime", "hide", passes) for passes in (1000, 4000)]
        stability(options.clips, variants)
    if options.only in (None, "track"):
        whole_track(options.minutes, threads=options.threads)


if __name__ == "__main__":
    main()
