"""Explanations at the paper's 50,000 samples: what they cost with the stock explainer, and how stable they are.

Hours for ten clips. --keep adds the tables, with their date and machine, to results_long.md beside this file.
"""

import argparse
import contextlib
import io
import sys
from pathlib import Path

import bench_explain
import explain_runs
import numpy as np

KEPT = Path(__file__).with_name("results_long.md")


class _Both(io.StringIO):
    """Shown and remembered."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def cost(samples: int, *, rounds: int, threads: int) -> None:
    """Stock with many samples against the default, at which two seeds agree at least as well (see the next table)."""
    from moodfader.engine.analysis.settings import AnalysisSettings

    default = AnalysisSettings()
    kind = f"{default.estimator}:{default.perturbation}"
    found = [
        (
            explain_runs.measured("stock", passes=samples, threads=threads),
            explain_runs.measured(kind, passes=default.passes, threads=threads),
        )
        for _ in range(rounds)
    ]
    ratio = np.median([one["seconds"] / other["seconds"] for one, other in found])
    print(f"\n### Ten seconds of the demo: stock lime_image with {samples:,} samples, and the default\n")
    print("| | seconds | peak memory |\n| --- | ---: | ---: |")
    names = f"stock lime_image, {samples:,} samples", f"default ({kind.replace(':', ', ')}, {default.passes} passes)"
    for name, runs in zip(names, zip(*found, strict=True), strict=True):
        seconds, peak = (np.median([run[key] for run in runs]) for key in ("seconds", "peak_mb"))
        print(f"| {name} | {seconds:.1f} | {peak:.0f} MB |")
    print(f"\nThe default is {ratio:.0f} times as fast (median of {rounds}; wanted: 100).", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1, help="clips at a time (stability)")
    parser.add_argument("--only", choices=["cost", "stability"], help="one table (default: both)")
    parser.add_argument("--keep", action="store_true", help=f"add to {KEPT.name}")
    options = parser.parse_args()
    explain_runs.use_threads(options.threads)
    from moodfader.models.inference.checkpoint import load_model

    model = load_model()
    with contextlib.redirect_stdout(_Both()) as said:
        print(f"## Explanations, {options.samples:,} samples\n")
        print(f"{explain_runs.machine(options.threads)}, model {model.digest[:12]}", flush=True)
        if options.only in (None, "cost"):
            cost(options.samples, rounds=options.rounds, threads=options.threads)
        if options.only in (None, "stability"):
            variants = [("gradient", kind, passes) for kind in ("gain", "hide") for passes in (512, 1408)]
            variants += [("local", kind, 2048) for kind in ("gain", "hide")]
            variants.append(("lime", "hide", options.samples))
            bench_explain.stability(options.clips, variants, jobs=options.jobs)
    if options.keep:
        with KEPT.open("a") as file:
            file.write(said.getvalue().strip() + "\n\n")


if __name__ == "__main__":
    main()
