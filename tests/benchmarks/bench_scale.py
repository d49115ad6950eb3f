"""How the cost of analysis and render grows with a track: length, channels, sample rate, segments, and with cores.

    python tests/benchmarks/bench_scale.py RESULTS.json [--axes length channels] [--longest 1800] [--plot scale.png]

One quantity changes at a time; the others stay at 60 s, stereo, 44.1 kHz, the segments that are found, one thread.
The sound is the demonstration track over and over. Each analysis (default settings) and each render (two faders,
solved as a whole, with the predictions) has a process of its own: its processor time, its time on the clock and its
largest memory, the start-up of the program apart. For the axis of segments a grid of so many in ten seconds stands
for those that are found, in 30 s of sound; it is not rendered, for hardly any rectangle is significant.

Results are kept in RESULTS.json, and what is there is not measured again: long lengths can be added later. The slope
is that of the straight line through the logarithms, by least squares; the table and the plot are made of all results.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

SONG = Path(__file__).parents[2] / "presets" / "demo.ogg"
USUAL: Final = {"length": 60.0, "channels": 2, "rate": 44100, "segments": 0, "threads": 1}
AXES: Final[dict[str, tuple[str, str, tuple[float, ...]]]] = {
    "length": ("length", "s", (10, 60, 240, 1800, 14400)),
    "channels": ("channels", "", (1, 2, 4, 6)),
    "rate": ("sample rate", "Hz", (8000, 16000, 44100, 96000, 192000)),
    "segments": ("segments in ten seconds", "", (50, 150, 500, 2000)),
    "threads": ("threads", "", (1, 2)),
}
"""Name, unit and values of each quantity."""
KINDS: Final = ("analysis", "render")
FIELDS: Final = ("processor s", "clock s", "peak MB")


def make_track(path: Path, point: dict[str, Any]) -> None:
    """The demonstration track over and over, written in pieces."""
    import soxr

    sound, rate = soundfile.read(SONG, dtype="float32", always_2d=True)
    own = soxr.resample(sound, rate, point["rate"]) if rate != point["rate"] else sound
    channels = [own[:, number % own.shape[1]] * 0.9**number for number in range(point["channels"])]
    song = np.clip(np.stack(channels, axis=1), -1, 1)
    left = round(point["length"] * point["rate"])
    with soundfile.SoundFile(path, "w", point["rate"], point["channels"], "PCM_16") as file:
        while left > 0:
            file.write(song[:left])
            left -= len(song)


def run_one(kind: str, folder: Path, point: dict[str, Any]) -> dict[str, float]:
    """Analyse or render the folder's track in this process: what it took."""
    from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
    from moodfader.engine.audio.track import load_track
    from moodfader.engine.dsp.faders import Faders
    from moodfader.engine.render.render import render
    from moodfader.models.inference.checkpoint import load_model

    if kind == "analysis":  # (a render imports no torch)
        import torch
        from moodfader.engine.analysis import analyze_track
        from moodfader.engine.analysis.settings import AnalysisSettings

        torch.set_num_threads(point["threads"])
        if point["segments"]:
            analyze_track.segment_spectrogram = grid_of(point["segments"])  # type: ignore[assignment]
    model = load_model()
    begun, processor = time.monotonic(), time.process_time()
    track = load_track(folder / "track.wav")
    if kind == "analysis":
        analysis = analyze_track.analyze_track(track, model, AnalysisSettings())
        save_analysis(analysis, folder / "analysis.npz")
    else:
        analysis = load_analysis(folder / "analysis.npz", track=track, model=model)
        render(track, analysis, folder / "out.wav", faders=Faders(dissonance=6, articulation=-3), overwrite=True)
    spent = time.process_time() - processor, time.monotonic() - begun
    return dict(zip(FIELDS, (*spent, peak_mb()), strict=True))


def peak_mb() -> float:
    """The largest memory of this process (not, as getrusage has it, that of the process that started it as well)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def grid_of(count: int) -> Any:
    """In place of the segmentation: rectangles, so many in ten seconds."""
    from moodfader.models.common.constants import CLIP_FRAMES, N_BANDS

    rows = max(1, round(np.sqrt(count * N_BANDS / CLIP_FRAMES)))
    columns = max(1, round(count / rows))

    def labels(spectrogram: np.ndarray, **_: object) -> np.ndarray:
        across = np.arange(N_BANDS) * rows // N_BANDS
        along = np.arange(len(spectrogram)) * columns // CLIP_FRAMES
        return (along[:, None] * rows + across).astype(np.int32)

    return labels


def measure(point: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Both, each in a process of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        make_track(Path(name) / "track.wav", point)
        for kind in KINDS[:1] if point["segments"] else KINDS:
            command = [sys.executable, __file__, "-", "--one", kind, name, json.dumps(point)]
            environment = os.environ | {"OMP_NUM_THREADS": str(point["threads"]), "MOODFADER_CACHE": f"{name}/cache"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{kind} of {point}: {done.stderr}")
            found[kind] = json.loads(done.stdout.splitlines()[-1])
    return found


def slope(values: np.ndarray, costs: np.ndarray) -> float:
    """By which power of the value the cost grows."""
    return float(np.polyfit(np.log(values), np.log(costs), 1)[0])


def points_of(results: list[dict[str, Any]], axis: str) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The values of an axis that were measured, in order, and what was."""
    own = sorted((one for one in results if one["axis"] == axis), key=lambda one: one["value"])
    return np.array([one["value"] for one in own]), own


def table(results: list[dict[str, Any]]) -> str:
    """All results in Markdown, with the slopes."""
    lines = [f"| | value | {' | '.join(f'{kind}, {field}' for kind in KINDS for field in FIELDS)} |"]
    lines.append("| --- | ---: |" + " ---: |" * (len(KINDS) * len(FIELDS)))
    for axis, (name, unit, _) in AXES.items():
        values, own = points_of(results, axis)
        columns = [[one[kind][field] for one in own if kind in one] for kind in KINDS for field in FIELDS]
        for row, value in enumerate(values):
            cells = [f"{column[row]:.{0 if column[row] > 100 else 2}f}" if column else "" for column in columns]
            lines.append(f"| {name} | {f'{value:g} {unit}'.strip()} | {' | '.join(cells)} |")
        if len(values) > 1:
            slopes = [f"{slope(values, np.array(column)):+.2f}" if column else "" for column in columns]
            lines.append(f"| **slope** | | {' | '.join(slopes)} |")
    return "\n".join(lines)


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Processor time (of threads: time on the clock) above, memory below, one column for each quantity."""
    from matplotlib.figure import Figure

    names = [axis for axis in AXES if len(points_of(results, axis)[0]) > 1]
    figure = Figure(figsize=(3.1 * len(names), 5.6), layout="constrained")
    panels = figure.subplots(2, len(names), squeeze=False, sharey="row")
    for column, axis in enumerate(names):
        values, own = points_of(results, axis)
        for row, field in enumerate(("clock s" if axis == "threads" else "processor s", "peak MB")):
            axes = panels[row][column]
            for kind, colour in zip(KINDS, ("#0072b2", "#d55e00"), strict=True):
                costs = np.array([one[kind][field] for one in own if kind in one])
                if not len(costs):
                    continue
                axes.loglog(values, costs, "o-", color=colour, label=f"{kind}: slope {slope(values, costs):.2f}")
            axes.set_xticks(values, [f"{value:g}" for value in values], fontsize=7)
            axes.minorticks_off()
            axes.set_ylabel(field, fontsize=8)
            axes.legend(fontsize=7)
            axes.grid(alpha=0.3)
        name, unit, _ = AXES[axis]
        panels[1][column].set_xlabel(f"{name} ({unit})" if unit else name, fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--axes", nargs="*", choices=AXES, default=list(AXES))
    parser.add_argument("--longest", type=float, default=240, help="no length beyond this is measured (s)")
    parser.add_argument("--plot", type=Path, metavar="F")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        kind, folder, point = asked.one
        print(json.dumps(run_one(kind, Path(folder), json.loads(point))))
        return
    results = json.loads(asked.results.read_text()) if asked.results.exists() else []
    for axis in asked.axes:
        for value in AXES[axis][2]:
            known = any(one["axis"] == axis and one["value"] == value for one in results)
            if known or (axis == "length" and value > asked.longest):
                continue
            shorter = {"length": 30.0} if axis == "segments" else {}
            point = USUAL | shorter | {axis: value if axis == "length" else int(value)}
            found = {"axis": axis, "value": value, "date": str(datetime.date.today()), **measure(point)}
            results.append(found)
            asked.results.write_text(json.dumps(results, indent=1) + "\n")
            print(json.dumps(found), file=sys.stderr, flush=True)
    print(table(results))
    if asked.plot is not None:
        plot(results, asked.plot)


if __name__ == "__main__":
    main()
