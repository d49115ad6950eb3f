"""From the command to the first sound of `play` with an analysed track, here and elsewhere, turn by turn.

    python tests/benchmarks/bench_start.py HERE [OTHER ...] [--rounds 15]

HERE and OTHER are as for bench_side_by_side.py: interpreters of environments with Moodfader in them, or wheels.

The track is the demonstration track from its first sample that is not silent on, so nothing of the time is its own.
It is played through a JACK server with the dummy driver (blocks of 512), and the outputs are recorded with the time
of each cycle: the first sound is the first sample of the recording that is not silent.

In each round every installation has its turn, in an order drawn anew, and so has the floor: an interpreter that does
nothing but import what no player does without (FLOOR), until it ends. Printed are medians and quartiles in seconds:
the wall clock from the start of the command to the first sound, the processor time of the command and all its
processes until then (ticks of 10 ms, read every 10 ms), and the ratios of the pairs of a round. Where other programs
use the machine, the ratios say more than the seconds.
"""

import argparse
import datetime
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from bench_side_by_side import environment_of

sys.path.append(str(Path(__file__).parents[1]))
from helpers import jack_server

SONG = Path(__file__).parents[2] / "presets" / "demo.ogg"
FLOOR = ("-c", "import numpy, soundfile, jack")
_FLOOR_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
_SILENT = 1e-3
_PLAYED_S = 2.5
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Start(NamedTuple):
    """One start: wall clock and processor time until the first sound, in s."""

    wall_s: float
    processor_s: float


def processor_time(pid: int) -> float:
    """Processor time so far of a process, its children and theirs, in s; 0 where it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) * _TICK_S + sum(processor_time(int(child)) for child in children)


def first_sound(python: Path, file: Path, server: jack_server.Server, folder: Path) -> Start:
    """Play a file with an installation until it has sounded."""
    tape = folder / "tape"
    recorder = server.recorder(tape)
    program = [python.with_name("moodfader"), "play", file, "--backend", "jack", "--osc-port", "0", "--no-terminal"]
    spent: list[tuple[float, float]] = []
    begun = time.monotonic()
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() < begun + _PLAYED_S:
            time.sleep(0.01)
            spent.append((time.monotonic(), processor_time(process.pid)))
    finally:
        process.terminate()
        process.wait()
        recorder.terminate()
        recorder.wait()
    heard = jack_server.Tape(tape)
    loud = np.flatnonzero((np.abs(heard.samples) > _SILENT).any(axis=1))
    if not len(loud):
        raise SystemExit(f"{python}: nothing was heard within {_PLAYED_S} s")
    at = heard.time_of(int(loud[0]))
    return Start(at - begun, next((cost for when, cost in spent if when >= at), spent[-1][1]))


def floor(python: Path) -> Start:
    """Import what no player does without."""
    begun = time.monotonic()
    process = subprocess.Popen([python, *FLOOR], env=os.environ | _FLOOR_ENVIRONMENT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return Start(time.monotonic() - begun, usage.ru_utime + usage.ru_stime)


def spread(values: Sequence[float]) -> str:
    """Median, and quartiles in brackets."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("installations", nargs="+", metavar="HERE OTHER")
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--folder", type=Path, help="where track and analyses are kept for the next run")
    asked = options.parse_args()
    server = jack_server.Server()
    os.environ.update(server.environment)
    try:
        with tempfile.TemporaryDirectory() as name:
            pythons = [
                environment_of(what, Path(name) / f"environment-{number}")
                for number, what in enumerate(asked.installations)
            ]
            starts: dict[Path | None, list[Start]] = {python: [] for python in (*pythons, None)}
            folder = asked.folder.absolute() if asked.folder else Path(name)
            folder.mkdir(exist_ok=True)
            os.environ.update(MOODFADER_CACHE=f"{folder}/cache", MOODFADER_CONFIG=f"{folder}/own")
            sound, rate = soundfile.read(SONG, dtype="float32")
            file = folder / "song.ogg"
            loud = np.flatnonzero(np.abs(sound).max(axis=1) > 10 * _SILENT)
            soundfile.write(file, sound[loud[0] : loud[0] + 30 * rate], rate)
            for python in pythons:  # (each by its own network, into the cache)
                program = [python.with_name("moodfader"), "analyze", file, "--quiet"]
                subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
                first_sound(python, file, server, folder)  # (the first reads from the disk)
            for _ in range(asked.rounds):
                for python in random.sample(list(starts), len(starts)):
                    start = floor(pythons[0]) if python is None else first_sound(python, file, server, folder)
                    starts[python].append(start)
    finally:
        server.stop()
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {asked.rounds} rounds\n")
    print("| | first sound, wall s | processor s |\n| --- | ---: | ---: |")
    for python, found in starts.items():
        name = "floor: " + FLOOR[1] if python is None else str(python)
        print(f"| {name} | {spread([one.wall_s for one in found])} | {spread([one.processor_s for one in found])} |")
    for other in pythons[1:]:
        pairs = list(zip(starts[pythons[0]], starts[other], strict=True))
        ratios = [spread([ours[field] / theirs[field] for ours, theirs in pairs]) for field in (0, 1)]
        print(f"| **ratio** to {other} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
