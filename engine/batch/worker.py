"""What a worker does: a few tasks of a job, one after the other or together on a graphics card.

Nothing that is wrong with a track is raised: its outcome says it. What is raised is a mistake in the set-up that
would meet every track (InputError), or a fault of the program.
"""

import contextlib
import functools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from ... import __version__
from ...models.common.atomic_write import make_readable
from ...models.common.errors import InputError
from ...models.common.formatting import rounded_values
from ...models.inference.checkpoint import Model, load_model
from ...models.inference.device import resolve_device
from ..analysis.batched_prediction import predict_tracks
from ..audio.track import Track, load_track
from .common.errors import StorageLostError, lost_storage, one_line
from .common.storage import Storage, is_url, open_storage, partial_folder
from .common.tasks import NOTES, Job, Outcome, Task
from .inputs.fetching import fetched
from .track_work import WORK, write_curve


def run_tasks(job: Job, tasks: Sequence[Task]) -> list[Outcome]:
    """Work on tasks; one outcome for each, in their order.

    Raises
    ------
    InputError
        If this worker has another version of the program, or not the job's network.
    """
    model = prepare(job)
    if not tasks:  # (a worker that only shall be warm)
        return []
    with _folder(job) as folder:
        if job.command == "predict":
            return _predict(job, tasks, model, folder)
        return [_one(job, task, model, folder) for task in tasks]


def prepare(job: Job) -> Model:
    """Load what all tasks of a job need, once in the life of a worker. Raises InputError."""
    if job.version != __version__:
        raise InputError(
            f"a worker has version {__version__} of this program, the batch was started by {job.version}"
        )
    if job.cache and not is_url(job.cache):
        os.environ["MOODFADER_CACHE"] = job.cache
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    model = _model(job.model_path, job.device)
    if model.digest != job.model_digest:
        raise InputError(f"{model.path}: a worker finds another network there than the batch was started with")
    return model


@functools.lru_cache(maxsize=2)
def _model(path: str | None, device: str) -> Model:
    return load_model(None if path is None else Path(path), device=resolve_device(device))


@functools.lru_cache(maxsize=8)
def _storage(url: str) -> Storage:
    return open_storage(url)


@contextlib.contextmanager
def _folder(job: Job) -> Iterator[Path]:
    """A folder for unfinished files: in a local destination, so that they can be moved into place."""
    storage = _storage(job.destination)
    try:
        where = None if storage.local is None else partial_folder(storage.local)
        name = tempfile.mkdtemp(prefix="moodfader-", dir=where)
    except OSError as error:
        raise StorageLostError(f"{job.destination}: {error.strerror or error}") from error
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)


def _one(job: Job, task: Task, model: Model, folder: Path) -> Outcome:
    """Open, work, put into place."""
    begun = time.perf_counter()
    outcome = Outcome("done")
    file = None if task.output is None else folder / f"output{Path(task.output).suffix}"
    with contextlib.ExitStack() as stack:
        try:
            track = _opened(task, outcome, stack)
            if track is not None:
                result = WORK[job.command](track, task.settings, model, file, job)
                outcome.notes += result.pop(NOTES, [])
                _finish(job, task, outcome, result, file)
        except Exception as error:
            _fail(outcome, error, task)
            if file is not None and task.output is not None:  # (nobody finds the unfinished one)
                outcome.reason = outcome.reason.replace(str(file), task.output)
    outcome.seconds = time.perf_counter() - begun
    return outcome


def _predict(job: Job, tasks: Sequence[Task], model: Model, folder: Path) -> list[Outcome]:
    """Open tracks side by side, predict those together that have the same settings."""
    begun = time.perf_counter()
    outcomes = [Outcome("done") for task in tasks]
    with contextlib.ExitStack() as stack:
        tracks = _opened_together(tasks, outcomes, stack)
        for every_s in {task.settings.get("emotions_every") for task in tasks}:
            numbers = [
                i for i, task in enumerate(tasks) if tracks[i] and task.settings.get("emotions_every") == every_s
            ]
            try:
                chosen = [track for i in numbers if (track := tracks[i]) is not None]
                predicted = predict_tracks(chosen, model, every_s=every_s)
            except Exception as error:
                for i in numbers:
                    _fail(outcomes[i], error, tasks[i])
                continue
            for i, (prediction, curve) in zip(numbers, predicted, strict=True):
                task = tasks[i]
                try:
                    file = None
                    if curve is not None and task.output is not None:
                        file = folder / f"{i}.csv"
                        write_curve(curve, file)
                    _finish(job, task, outcomes[i], prediction.to_dict(), file)
                except Exception as error:
                    _fail(outcomes[i], error, task)
    for outcome in outcomes:
        outcome.seconds = (time.perf_counter() - begun) / len(tasks)
    return outcomes


def _opened_together(
    tasks: Sequence[Task], outcomes: Sequence[Outcome], stack: contextlib.ExitStack
) -> list[Track | None]:
    """Decode tracks, several at a time (the decoders let go of Python's lock)."""

    def opened(number: int) -> Track | None:
        try:
            return _opened(tasks[number], outcomes[number], stack)
        except Exception as error:
            _fail(outcomes[number], error, tasks[number])
            return None

    if len(tasks) == 1:
        return [opened(0)]
    with ThreadPoolExecutor(min(len(tasks), 8)) as threads:
        return list(threads.map(opened, range(len(tasks))))


def _opened(task: Task, outcome: Outcome, stack: contextlib.ExitStack) -> Track | None:
    """The track of a task; None if it is known already, as the outcome then says. Raises as the reader of files."""
    path = stack.enter_context(fetched(task.source))
    try:
        track = load_track(path)
    except InputError as error:
        text = str(error).replace(str(path), task.source.url)
        raise InputError(text) from error
    outcome.sound = track.digest
    outcome.notes += [note.removeprefix(f"{path}: ") for note in track.notes]
    if task.known_sound == track.digest:
        outcome.unchanged = True
        return None
    return track


def _finish(job: Job, task: Task, outcome: Outcome, result: dict[str, Any], file: Path | None) -> None:
    """Put what was written into place, and name it in the result."""
    result = {"file": task.source.url, **{key: value for key, value in result.items() if key not in _NOT_KEPT}}
    if task.output is not None and file is not None:
        storage = _storage(job.destination)
        make_readable(file)
        storage.put(file, task.output)
        result["output"] = task.output
    if outcome.notes:
        result[NOTES] = outcome.notes
    outcome.result = rounded_values(result)


_NOT_KEPT = {"file", "output", "seconds"}
"""Of a command's result: names of temporary files, and what another run would measure otherwise."""


def _fail(outcome: Outcome, error: Exception, task: Task) -> None:
    """Say in an outcome what was wrong."""
    outcome.result = {}
    reason = one_line(error)
    lost = lost_storage(error)
    if isinstance(error, StorageLostError) or lost:
        outcome.status = "lost"
        outcome.reason = reason if lost is None or lost in reason else f"{reason} ({lost})"
        return
    outcome.status = "failed"
    if isinstance(error, MemoryError):
        reason = f"{task.source.url}: there is not enough memory for it"
    elif not isinstance(error, InputError):
        print(f"moodfader: {task.source.url}: {type(error).__name__}: {reason}", file=sys.stderr, flush=True)
        reason = f"{task.source.url}: a fault of the program ({type(error).__name__}: {reason})"
    outcome.reason = reason
