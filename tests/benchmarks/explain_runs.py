"""What the benchmarks of explanations share: clips, the stock explainer of `lime`, ours, and how alike two runs are.

All import torch inside of functions: the number of threads is set in the environment first. Run as a program, this
measures one explanation in a process of its own and prints JSON.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("MOODFADER_DATA", Path(__file__).parents[3] / "shared" / "data"))
BATCH = 32
STRONGEST = 50


@dataclass
class Clip:
    """Ten seconds as the network sees them."""

    name: str
    spectrogram: Any
    labels: Any


def use_threads(count: int) -> None:
    """For torch and the linear algebra of NumPy and SciPy, here and in the processes that are started from here."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(count)))
    import torch

    torch.set_num_threads(count)


def clock() -> float:
    """Seconds. With one thread those of the processor, which other programs on the machine do not lengthen."""
    return time.process_time() if os.environ["OMP_NUM_THREADS"] == "1" else time.perf_counter()


def machine(threads: int) -> str:
    """The line that every table needs."""
    import torch

    threading = "thread (processor time)" if threads == 1 else "threads (wall time)"
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {threads} {threading}, torch {torch.__version__}, "
        f"Python {platform.python_version()}, {datetime.date.today()}"
    )


def demo_path() -> Path:
    return Path(__file__).parents[2] / "presets" / "demo.ogg"


def clip_of(path: Path, *, start: int = 0) -> Clip:
    """Ten seconds of a file from frame `start` on."""
    from moodfader.engine import load_track
    from moodfader.engine.audio.track_spectrogram import track_spectrogram
    from moodfader.engine.explain.segmentation import segment_spectrogram
    from moodfader.models.common.constants import CLIP_FRAMES

    spectrogram = track_spectrogram(load_track(path))[start : start + CLIP_FRAMES]
    return Clip(f"{path.stem}@{start}", spectrogram, segment_spectrogram(spectrogram))


def clips(count: int) -> Iterator[Clip]:
    """Clips spread over the research data; parts of the demo where that is not there."""
    return (clip_at(index, count) for index in range(count))


def clip_at(index: int, count: int) -> Clip:
    """One of `count` of these."""
    import numpy as np

    files = sorted((DATA / "soundtracks" / "audio").glob("*.ogg"))
    if files:
        return clip_of(files[np.linspace(0, len(files) - 1, count).round().astype(int)[index]])
    return clip_of(demo_path(), start=int(np.linspace(0, 1000, count).round()[index]))


@contextlib.contextmanager
def network_seconds(model: Any) -> Iterator[list[float]]:
    """Counts the time within the network: a list of one number."""
    spent = [0.0]
    inner = model.network.branch_outputs

    def timed(picture: Any) -> Any:
        started = clock()
        result = inner(picture)
        spent[0] += clock() - started
        return result

    model.network.branch_outputs = timed
    try:
        yield spent
    finally:
        model.network.branch_outputs = inner


def stock(clip: Clip, model: Any, *, samples: int, seed: int) -> Any:
    """`lime.lime_image.LimeImageExplainer` as it comes: weights [segments, 7]."""
    import numpy as np
    import torch
    from lime.lime_image import LimeImageExplainer

    network = model.network

    def classifier(images: Any) -> Any:  # [batch, frames, bands, 3], the three alike
        with torch.inference_mode():
            pictures = torch.from_numpy(np.ascontiguousarray(images[..., 0]))
            return network.local(network.pad(pictures)).mean((2, 3)).numpy()

    # its progress bar cannot be told off
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        explained = LimeImageExplainer(random_state=seed).explain_instance(
            clip.spectrogram,
            classifier,
            labels=range(7),
            top_labels=None,
            hide_color=0,
            num_samples=samples,
            batch_size=BATCH,
            segmentation_fn=lambda image: clip.labels,
        )
    weights = np.zeros((clip.labels.max() + 1, 7))
    for feature in range(7):
        for segment, weight in explained.local_exp[feature]:
            weights[segment, feature] = weight
    return weights


def ours(clip: Clip, model: Any, *, estimator: str, perturbation: str, passes: int, seed: int) -> Any:
    """Weights [segments, 7] of the same clip in one window."""
    import numpy as np
    from moodfader.engine.analysis.settings import estimator_module
    from moodfader.engine.explain.perturbation import cut_window

    stretch = cut_window(
        clip.spectrogram, clip.labels, model, 0, model.network.geometry.positions(len(clip.spectrogram))
    )
    rng = np.random.default_rng(seed)
    return (
        estimator_module(estimator)
        .explain_window(stretch, model, passes=passes, perturbation=perturbation, rng=rng)
        .weights
    )


def agreement(one: Any, other: Any) -> tuple[float, float]:
    """Jaccard of the 50 strongest segments and Pearson's r of two runs' weights [segments, 7]: means of features."""
    import numpy as np

    jaccard, r = [], []
    for a, b in zip(one.T, other.T, strict=True):
        top = [set(np.argsort(-np.abs(w), kind="stable")[:STRONGEST].tolist()) for w in (a, b)]
        jaccard.append(len(top[0] & top[1]) / len(top[0] | top[1]))
        r.append(np.corrcoef(a, b)[0, 1])
    return float(np.mean(jaccard)), float(np.mean(r))


def peak_mb() -> float:
    """The largest memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def measured(kind: str, *, passes: int, threads: int, path: Path | None = None) -> dict[str, float]:
    """One explanation in a process of its own: seconds, those outside of the network, peak memory and what of it
    was there before. kind: stock, lime:hide, local:gain ..., or track (the whole file with the default settings)."""
    command = [sys.executable, __file__, kind, str(passes), str(threads), str(path or demo_path())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _measure(kind: str, passes: int, path: Path) -> dict[str, float]:
    from moodfader.models.inference.checkpoint import load_model

    model = load_model()
    if kind == "track":
        return _measure_track(model, path)
    clip = clip_of(path)
    ours(clip, model, estimator="local", perturbation="hide", passes=64, seed=9)  # everything is loaded and warm
    before = peak_mb()
    with network_seconds(model) as spent:
        started = clock()
        if kind == "stock":
            stock(clip, model, samples=passes, seed=0)
        else:
            estimator, perturbation = kind.split(":")
            ours(clip, model, estimator=estimator, perturbation=perturbation, passes=passes, seed=0)
        seconds = clock() - started
    return {"seconds": seconds, "outside": seconds - spent[0], "before_mb": before, "peak_mb": peak_mb()}


def _measure_track(model: Any, path: Path) -> dict[str, float]:
    from moodfader.engine import load_track
    from moodfader.engine.analysis.analyze_track import analyze_track
    from moodfader.engine.analysis.settings import AnalysisSettings

    before = peak_mb()
    started = clock()
    track = load_track(path)
    settings = AnalysisSettings()
    analyze_track(track, model, settings)
    seconds = clock() - started
    return {
        "seconds": seconds,
        "duration": track.duration_s,
        "passes": settings.passes,
        "before_mb": before,
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind")
    parser.add_argument("passes", type=int)
    parser.add_argument("threads", type=int)
    parser.add_argument("path", type=Path)
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    print(json.dumps(_measure(chosen.kind, chosen.passes, chosen.path)))
