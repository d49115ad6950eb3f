"""The loop of a batch: tasks go to an executor, results to the journal.

An interrupted batch is resumed: tasks of which the journal has a result are not done again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import Any, Final

from .common.errors import SchedulerLostError, StorageLostError, WorkerDiedError
from .common.tasks import NOTES, Job, Outcome, Task
from .journal import Journal
from .worker import run_tasks

ATTEMPTS: Final = 2
"""How many workers may die of a track before it counts as failed."""
MAX_LOST: Final = 5
"""Tracks in a row whose storage could not be reached before the batch stops."""
_REPORT_S: Final = 0.25


@dataclass
class Progress:
    """How far a batch is. Tracks that an earlier run did are in `done` and `failed`, but not in the rates."""

    total: int
    total_bytes: int
    done: int = 0
    failed: int = 0
    bytes_done: int = 0
    """Of all tracks that are done or failed."""
    worked: int = 0
    """Tracks that this run did or failed."""
    worked_bytes: int = 0
    music_s: float = 0.0
    """Length of the tracks that this run did."""
    work_s: float = 0.0
    """Time that workers spent, added up."""
    elapsed_s: float = 0.0
    noted: int = 0
    """Tracks done, now or before, that there are notes about."""
    stopped: str = ""
    """Why the batch stopped before its end, in one line."""

    @property
    def left_s(self) -> float | None:
        """Estimate of the time that is left, by bytes where they are known; None at the beginning."""
        if not self.worked:
            return None
        if self.worked_bytes and self.total_bytes:
            return self.elapsed_s * (self.total_bytes - self.bytes_done) / self.worked_bytes
        return self.elapsed_s * (self.total - self.done - self.failed) / self.worked


class Batch:
    """One run over tasks.

    Parameters
    ----------
    job, tasks
        What is to be done.
    journal
        What has been done.
    there
        Whether an output is there; a track whose output has gone is worked on again.
    retry_failures
        Work on nothing but the tracks that failed.
    """

    def __init__(
        self,
        job: Job,
        tasks: Sequence[Task],
        journal: Journal,
        *,
        there: Callable[[str], bool] = lambda name: True,
        retry_failures: bool = False,
    ) -> None:
        self._job = job
        self._journal = journal
        self.progress = Progress(len(tasks), sum(task.source.stamp[0] for task in tasks))
        self.left: list[Task] = []
        """Tasks that this run works on."""
        for task in tasks:
            record = journal.find(task)
            same = record is not None and record.get("stamp") == list(task.source.stamp)
            if record is not None and record.get("status") == "done":
                kept = same and record.get("output") == task.output and (task.output is None or there(task.output))
                if kept or retry_failures:
                    self._count_earlier(task, record)
                elif task.output is None or there(task.output):
                    known = str(record.get("sound", "")) if record.get("output") == task.output else ""
                    self.left.append(replace(task, known_sound=known))
                else:
                    self.left.append(task)
            elif record is not None and same and not retry_failures:
                self._count_earlier(task, record)
            elif record is not None or not retry_failures:
                self.left.append(task)
        self._lost: list[tuple[Task, Outcome]] = []
        self._deaths: dict[str, int] = {}

    def _count_earlier(self, task: Task, record: dict[str, Any]) -> None:
        if record.get("status") == "done":
            self.progress.done += 1
            self.progress.noted += NOTES in record["result"]
        else:
            self.progress.failed += 1
        self.progress.bytes_done += task.source.stamp[0]

    def run(
        self,
        executor: Executor,
        *,
        workers: int,
        group: int = 1,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> Progress:
        """Work until all is done, or until a storage is lost.

        Parameters
        ----------
        executor
            Where the work is done.
        workers
            How many groups are on their way at once.
        group
            Tracks that a worker gets together: one, or a batch for a graphics card.
        report
            Called several times a second.

        Raises
        ------
        InputError
            For a mistake in the set-up that every worker meets.
        """
        begun = reported = time.monotonic()
        queue: Iterator[Task] = iter(self.left)
        again: deque[list[Task]] = deque()
        running: dict[Future[list[Outcome]], list[Task]] = {}
        progress = self.progress
        try:
            while not progress.stopped:
                while len(running) < workers and (tasks := _next_group(again, queue, group)):
                    running[executor.submit(run_tasks, self._job, tasks)] = tasks
                if not running:
                    break
                ended, _ = wait(running, timeout=_REPORT_S, return_when=FIRST_COMPLETED)
                for future in ended:
                    tasks = running.pop(future)
                    again.extend(self._take(future, tasks))
                progress.elapsed_s = time.monotonic() - begun
                if time.monotonic() - reported >= _REPORT_S:
                    reported = time.monotonic()
                    report(progress)
            for future, _ in list(running.items()):  # (what others have done before the storage was lost)
                if future.done():
                    self._take(future, running.pop(future))
            if not progress.stopped:
                self._settle_lost()
        except StorageLostError as error:
            progress.stopped = str(error)
        progress.elapsed_s = time.monotonic() - begun
        report(progress)
        return progress

    def _take(self, future: "Future[list[Outcome]]", tasks: list[Task]) -> list[list[Task]]:
        """Record what came of a group; the groups that must be tried again."""
        try:
            outcomes = future.result()
        except SchedulerLostError:
            return [tasks]
        except (WorkerDiedError, CancelledError) as error:
            return self._after_death(tasks, str(error))
        for task, outcome in zip(tasks, outcomes, strict=True):
            if outcome.status == "lost":
                self._keep_lost(task, outcome)
            else:
                if outcome.status == "done":
                    self._settle_lost()  # (the storage is there: what could not be read was the file's own fault)
                self._record(task, outcome)
        return []

    def _after_death(self, tasks: list[Task], reason: str) -> list[list[Task]]:
        """Each track of a dead worker gets another one to itself, until it has had its attempts."""
        groups = []
        for task in tasks:
            self._deaths[task.name] = self._deaths.get(task.name, 0) + 1
            if self._deaths[task.name] < ATTEMPTS:
                groups.append([task])
            else:
                self._record(task, Outcome("failed", f"{task.source.url}: {reason}"))
        return groups

    def _keep_lost(self, task: Task, outcome: Outcome) -> None:
        self._lost.append((task, outcome))
        if len(self._lost) >= MAX_LOST or any(word in outcome.reason.lower() for word in ("space", "quota")):
            self.progress.stopped = outcome.reason

    def _settle_lost(self) -> None:
        for task, outcome in self._lost:
            self._record(task, Outcome("failed", outcome.reason))
        self._lost.clear()

    def _record(self, task: Task, outcome: Outcome) -> None:
        values: dict[str, Any] = {
            "name": task.name,
            "settings": task.settings_digest,
            "status": outcome.status,
            "stamp": list(task.source.stamp),
            "sound": outcome.sound,
        }
        earlier = self._journal.find(task) if outcome.unchanged else None
        if outcome.status == "failed":
            values |= {"file": task.source.url, "reason": outcome.reason}
        else:
            result = outcome.result if earlier is None else {**earlier["result"], "file": task.source.url}
            values |= {"output": task.output, "result": result}
        self._journal.append({**values, "seconds": round(outcome.seconds, 3)})
        progress, size = self.progress, task.source.stamp[0]
        progress.worked += 1
        progress.worked_bytes += size
        progress.bytes_done += size
        progress.work_s += outcome.seconds
        if outcome.status == "done":
            progress.done += 1
            progress.noted += NOTES in values["result"]
            progress.music_s += float(values["result"].get("duration_s") or 0.0)
        else:
            progress.failed += 1


def _next_group(again: "deque[list[Task]]", queue: Iterator[Task], size: int) -> list[Task]:
    if again:
        return again.popleft()
    return [task for _, task in zip(range(size), queue, strict=False)]
