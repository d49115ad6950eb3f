"""What `moodfader batch` costs beside the work: overhead per track, memory, two workers against single runs.

Prints a table in Markdown. Tracks are generated; `--recordings` adds a folder of real ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from batch.library import write_tracks
from moodfader.engine.batch import runner
from moodfader.engine.batch.common.storage import LocalStorage
from moodfader.engine.batch.common.tasks import Job, Outcome, Source, Task
from moodfader.engine.batch.executors.process_pool import ProcessPool
from moodfader.engine.batch.executors.process_worker import resident_bytes
from moodfader.engine.batch.journal import Journal

RESULT = {f"value{number}": number / 7 for number in range(16)}
PROGRAM = [sys.executable, "-m", "moodfader.control.cli"]


def no_work(job: Job, tasks: list[Task]) -> list[Outcome]:
    """Stand in for the work: results as large as those of predict, at once."""
    del job
    return [Outcome("done", sound="0" * 64, result={"file": task.name, **RESULT}) for task in tasks]


def overhead_s(folder: Path, tracks: int) -> float:
    """Seconds per track of the loop, the pipes to two workers and the journal, with no work in between."""
    tasks = [Task(Source(f"/m/{n}.wav", "/m", f"{n}.wav"), f"{n}.wav", None, {}, "s") for n in range(tracks)]
    job = Job("predict", None, "m", "cpu", str(folder), "0")
    journal = Journal(LocalStorage(folder), command="predict", model="m")
    pool = ProcessPool(2, preload=["moodfader.engine.batch.worker"])
    pool.submit(abs, 1).result()
    runner.run_tasks = no_work  # type: ignore[assignment]
    begun = time.perf_counter()
    progress = runner.Batch(job, tasks, journal).run(pool, workers=2)
    taken = time.perf_counter() - begun
    pool.shutdown()
    journal.close()
    assert progress.done == tracks
    return taken / tracks


def batch_run(command: str, music: Path, folder: Path, model: list[str]) -> tuple[dict[str, Any], float, float]:
    """The end of a batch of two workers as JSON, its seconds, and the most bytes that a process below it held."""
    words = [*PROGRAM, "batch", command, str(music), "-o", str(folder), "--jobs", "2", "--json", *model]
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as lines:  # (a pipe that nobody reads until the end would be full)
        process = subprocess.Popen(words, stdout=lines)
        most = 0
        while process.poll() is None:
            most = max([most, *(resident_bytes(pid) for pid in descendants(process.pid))])
            time.sleep(0.1)
        taken = time.perf_counter() - begun
        assert process.returncode == 0
        lines.seek(0)
        return json.loads(lines.read().splitlines()[-1]), taken, most


def descendants(pid: int) -> list[int]:
    """Processes below a process."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in path.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the shortest track")
    parser.add_argument("--single", type=int, default=4, help="tracks that are predicted each by a run of its own")
    parser.add_argument("--idle-tracks", type=int, default=2000, help="tracks of the run without work")
    parser.add_argument("--command", choices=("predict", "analyze"), default="predict")
    parser.add_argument("--recordings", type=Path, default=None, help="folder of further tracks, all of its files")
    parser.add_argument("--model", default=None)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    model = ["--model", options.model] if options.model else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "idle").mkdir()
        idle = overhead_s(folder / "idle", options.idle_tracks)
        write_tracks(folder / "music", options.tracks, seconds=options.seconds)
        for path in sorted(options.recordings.iterdir()) if options.recordings else ():
            (folder / "music" / path.name).symlink_to(path.resolve())
        paths = sorted(path for path in (folder / "music").rglob("*") if path.is_file())
        os.environ["MOODFADER_CACHE"] = str(folder / "cache of single runs")
        begun = time.perf_counter()
        for path in paths[:: max(len(paths) // options.single, 1)][: options.single]:
            subprocess.run([*PROGRAM, options.command, str(path), *model], check=True, stdout=subprocess.DEVNULL)
        single = (time.perf_counter() - begun) / options.single * len(paths)
        begun = time.perf_counter()
        if options.command == "predict":
            subprocess.run([*PROGRAM, "predict", *map(str, paths), *model], check=True, stdout=subprocess.DEVNULL)
        together = time.perf_counter() - begun
        os.environ["MOODFADER_CACHE"] = str(folder / "cache of the batch")
        end, taken, most = batch_run(options.command, folder / "music", folder / "out", model)
    work, predicts = end["work_s"], options.command == "predict"
    rows = [
        (f"overhead per track, {options.idle_tracks} tracks without work", f"{1e3 * idle:.2f} ms"),
        (f"{len(paths)} runs of their own (from {options.single})", f"{single:.1f} s"),
        *([(f"one run of `predict` over all {len(paths)}", f"{together:.1f} s")] if predicts else []),
        ("batch with two workers, with its start and tables", f"{taken:.1f} s"),
        ("of it, from the first task to the last", f"{end['elapsed_s']:.1f} s"),
        ("work of its workers, added up", f"{work:.1f} s"),
        ("batch / half of the single runs", f"{taken / (single / 2):.2f}"),
        ("first task to last / half of the work", f"{end['elapsed_s'] / (work / 2):.2f}"),
        ("the most memory of a worker", f"{most / 1e6:.0f} MB"),
    ]
    print("| | |\n| --- | --- |")
    for label, value in rows:
        print(f"| {label} | {value} |")


if __name__ == "__main__":
    main()
