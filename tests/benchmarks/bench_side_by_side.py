"""Whole commands of two installations turn by turn on one machine: wall clock, processor time, memory, as ratios.

    python tests/benchmarks/bench_side_by_side.py HERE [OTHER] [--rounds 3] [--commands predict render]

HERE and OTHER are the interpreters of two environments with Moodfader in them, such as this one and an older
release's (or OTHER is a wheel: a fresh environment is made for it). Without OTHER there are no ratios. Each command
runs in a process of its own, first in the one and then in the other, the next round the other way round; caches are
empty. The sounds are the demonstration track, two seconds of it, and four minutes made of it. About six minutes on
two free cores, one and a half without the analyses (--commands). The ratios are medians of those of the rounds; in
brackets the least and the most.
"""

import argparse
import datetime
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SONG = Path(__file__).parents[2] / "presets" / "demo.ogg"
PROGRAM = ("-m", "moodfader.control.cli")
FADERS = ("--set", "dissonance=6", "--set", "articulation=-3")
COUPLED = "--coupled"  # left out where the program has no such option: its faders are coupled then
FEW = ("--evaluations", "64")  # of the analyses that are rendered: their number costs a render nothing
RENDER = (*PROGRAM, "render", "four.wav", "-o", "out.wav", "--device", "cpu", "--quiet")
COMMANDS = {
    "import moodfader": ("-c", "import moodfader"),
    "help": (*PROGRAM, "--help"),
    "predict 2 s": (*PROGRAM, "predict", "short.wav", "--device", "cpu", "--json"),
    "predict 45 s": (*PROGRAM, "predict", "song.ogg", "--device", "cpu", "--json"),
    "predict 4 min": (*PROGRAM, "predict", "four.wav", "--device", "cpu", "--json"),
    "analyze --coupled": (*PROGRAM, "analyze", "song.ogg", "-o", "new.npz", COUPLED, "--device", "cpu", "--quiet"),
    "analyze": (*PROGRAM, "analyze", "song.ogg", "-o", "new.npz", "--device", "cpu", "--quiet"),
    "render 4 min, coupled": (*RENDER, "--analysis", "coupled.npz", *FADERS),
    "render 4 min, one fader": (*RENDER, "--analysis", "four.npz", *FADERS[:2]),
    "render 4 min, two faders": (*RENDER, "--analysis", "four.npz", *FADERS),
}
OUTPUTS = ("new.npz", "out.wav")


class Cost(NamedTuple):
    """What a command took."""

    wall_s: float
    processor_s: float
    memory_mb: float


class Installation:
    """An environment, and a folder with the track and an analysis of it by its own model."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        folder.mkdir()
        maker = multiprocessing.get_context("spawn").Process(target=_make_sounds, args=(folder,))
        maker.start()  # (in a process of its own: what this one has in memory would count as its children's)
        maker.join()
        self.environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        told = subprocess.run(
            [python, *PROGRAM, "analyze", "--help"], env=self.environment | {"COLUMNS": "200"}, cwd=folder,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.has_coupled = COUPLED in told.stdout
        self.few = FEW if FEW[0] in told.stdout else ("--passes", FEW[1])
        self.version = subprocess.run(
            [python, "-c", "from importlib.metadata import version as v; print(v('moodfader'), 'torch', v('torch'))"],
            cwd=folder, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        for name, options in (("coupled.npz", (COUPLED,)), ("four.npz", ())):
            few = (*self.few, *options, "--device", "cpu", "--quiet")
            self.cost((*PROGRAM, "analyze", "four.wav", "-o", name, *few))

    def cost(self, arguments: tuple[str, ...]) -> Cost:
        """Run the interpreter with these arguments."""
        for name in OUTPUTS:
            (self.folder / name).unlink(missing_ok=True)
        chosen = [word for word in arguments if word != COUPLED or self.has_coupled]
        with tempfile.TemporaryDirectory() as empty:
            environment = {
                **self.environment,
                "MOODFADER_CACHE": f"{empty}/cache",
                "MOODFADER_CONFIG": f"{empty}/own",
            }
            begun = time.perf_counter()
            process = subprocess.Popen(
                [self.python, *chosen], cwd=self.folder, env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            assert process.stderr is not None
            said = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.python} {' '.join(chosen)}: {said.decode()}")
        unit = 1e6 if sys.platform == "darwin" else 1e3
        return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def _make_sounds(folder: Path) -> None:
    """The demonstration track, two seconds of it, and four minutes of it over and over."""
    import numpy as np
    import soundfile

    shutil.copy(SONG, folder / "song.ogg")
    sound, rate = soundfile.read(SONG, dtype="float32")
    soundfile.write(folder / "short.wav", sound[: 2 * rate], rate)
    soundfile.write(folder / "four.wav", np.resize(sound, (240 * rate, sound.shape[1])), rate)


def environment_of(what: str, folder: Path) -> Path:
    """The interpreter named, or that of a fresh environment with the wheel named."""
    if not what.endswith(".whl"):
        return Path(shutil.which(what) or what).absolute()
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", what], check=True)
    return folder / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("here")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        pair = [
            Installation(environment_of(what, Path(temporary) / f"environment-{name}"), Path(temporary) / name)
            for name, what in (("here", options.here), ("other", options.other))
            if what is not None
        ]
        costs: dict[str, tuple[list[Cost], list[Cost]]] = {name: ([], []) for name in options.commands}
        for number in range(options.rounds):
            for name in options.commands:
                for which in range(len(pair)) if number % 2 == 0 else reversed(range(len(pair))):
                    costs[name][which].append(pair[which].cost(COMMANDS[name]))
    versions = "; ".join(f"{name}: {one.version}" for name, one in zip(("here", "other"), pair, strict=False))
    print(f"{datetime.date.today()}; {versions}; load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
    print("| command | wall s: here, other, ratio | processor s | peak MB |")
    print("| --- | ---: | ---: | ---: |")
    for name, (ours, theirs) in costs.items():
        cells = []
        for field, digits in zip(Cost._fields, (2, 2, 0), strict=True):
            a, b = ([getattr(cost, field) for cost in each] for each in (ours, theirs))
            if not b:
                cells.append(f"{statistics.median(a):.{digits}f}")
                continue
            ratios = [x / y for x, y in zip(a, b, strict=True)]
            middle = statistics.median(ratios)
            medians = f"{statistics.median(a):.{digits}f}, {statistics.median(b):.{digits}f}"
            cells.append(f"{medians}, **{middle:.2f}** [{min(ratios):.2f}, {max(ratios):.2f}]")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
