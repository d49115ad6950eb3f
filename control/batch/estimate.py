"""batch --dry-run: files are counted, a few are worked on, and time and space of all are estimated from these."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.filesize import decimal

from ...models.common.formatting import format_duration
from ..console.output import Output
from .options import BatchOptions

if TYPE_CHECKING:
    from ...engine.batch.common.tasks import Job, Task

TRIED: Final = 5
"""Tracks that are worked on to estimate the rest."""


def choose_tasks(tasks: Sequence["Task"], count: int = TRIED) -> list["Task"]:
    """Tracks spread evenly over the sizes of all."""
    ordered = sorted(tasks, key=lambda task: (task.source.stamp[0], task.name))
    if len(ordered) <= count:
        return ordered
    return [ordered[round((i + 0.5) * len(ordered) / count - 0.5)] for i in range(count)]


def print_estimate(job: "Job", tasks: Sequence["Task"], options: BatchOptions, console: Output) -> None:
    """Work on a few tracks, write into a temporary folder, and print what all of them would take."""
    from ...engine.batch.executors.choice import open_executor

    chosen = choose_tasks(tasks)
    with (
        tempfile.TemporaryDirectory(prefix="moodfader-") as folder,
        console.progress("Trying a few tracks") as report,
    ):
        local = dataclasses.replace(job, destination=folder)
        executor, _ = open_executor(None, jobs=1)
        try:
            outcomes = _try(executor, local, chosen, report)
        finally:
            executor.shutdown(cancel_futures=True)
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    if options.scheduler:
        cluster, workers = open_executor(options.scheduler, jobs=options.workers(job.device))
        cluster.shutdown(cancel_futures=True)
    else:
        workers = options.workers(job.device)
    values = estimate(tasks, chosen, outcomes, written_bytes=written, workers=workers)
    console.result(values, lambda: "\n".join(_lines(values)))


def _try(executor: Any, job: "Job", chosen: Sequence["Task"], report: Any) -> list[Any]:  # noqa: ANN401
    from ...engine.batch.worker import run_tasks

    outcomes = []
    executor.submit(run_tasks, job, []).result()  # (the start of a worker is not a track's time)
    for number, task in enumerate(chosen):
        outcomes += executor.submit(run_tasks, job, [task]).result()
        report((number + 1) / len(chosen))
    return outcomes


def estimate(
    tasks: Sequence["Task"], chosen: Sequence["Task"], outcomes: Sequence[Any], *, written_bytes: int, workers: int
) -> dict[str, Any]:
    """Estimate hours of music, time and space of all tracks by the bytes (or else the number) of those tried.

    Returns
    -------
    dict
        tracks, bytes, hours, work_s (of one worker), time_s (of all workers), output_bytes; the last four None where
        none of the tried tracks could be used.
    """
    size = sum(task.source.stamp[0] for task in tasks)
    pairs = zip(chosen, outcomes, strict=True)
    good = [(task, outcome) for task, outcome in pairs if outcome.status == "done"]
    values: dict[str, Any] = {"tracks": len(tasks), "bytes": size, "tried": len(chosen), "usable": len(good)}
    tried_size = sum(task.source.stamp[0] for task, _ in good)
    factor = None
    if good:
        factor = size / tried_size if size and tried_size else len(tasks) / len(good)
    rows = sum(len(str(outcome.result)) for _, outcome in good)

    def scaled(value: float) -> float | None:
        return None if factor is None else value * factor

    music_s = scaled(sum(outcome.result.get("duration_s") or 0.0 for _, outcome in good))
    work_s = scaled(sum(outcome.seconds for _, outcome in good))
    return {
        **values,
        "workers": workers,
        "hours": None if music_s is None else music_s / 3600,
        "work_s": work_s,
        "time_s": None if work_s is None else work_s / workers,
        "output_bytes": scaled(float(written_bytes + 3 * rows)),
        "failures": [outcome.reason for _, outcome in zip(chosen, outcomes, strict=True) if outcome.reason],
    }


def _lines(values: dict[str, Any]) -> list[str]:
    lines = [f"{values['tracks']} tracks, {decimal(values['bytes'])}"]
    if values["time_s"] is None:
        lines.append(f"none of {values['tried']} tracks that were tried can be used")
    else:
        lines += [
            f"about {values['hours']:.1f} hours of music (from {values['usable']} tracks that were tried)",
            f"about {format_duration(values['time_s'])} with {values['workers']} workers",
            f"about {decimal(round(values['output_bytes']))} of results",
        ]
    return lines + [f"failed: {reason}" for reason in values["failures"]]
