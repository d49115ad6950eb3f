"""One run of a batch: everything is checked, then worked on, then tables and report are written."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ... import __version__
from ...models.common.atomic_write import check_no_input
from ...models.common.errors import InputError
from ..console.output import Output
from .options import BatchOptions
from .progress_display import ProgressDisplay
from .track_settings import SettingsMaker, Values

if TYPE_CHECKING:
    from ...engine.batch.common.storage import Storage
    from ...engine.batch.common.tasks import Job, Task
    from ...engine.batch.journal import Journal

FAILED: int = 3
"""Exit code when some tracks failed, or the batch stopped before its end."""
FOLDERS = {"predict": "emotions", "analyze": "analyses", "render": "sounds", "steer": "sounds"}

_REPORT = "report.html"


def run_batch(command: str, sources: Sequence[str], values: Values, options: BatchOptions) -> None:
    """Do what a command of batch says.

    Parameters
    ----------
    command
        predict, analyze, steer or render.
    sources
        The SOURCE arguments.
    values
        The command's own options, by the names of a manifest's columns.
    options
        What all commands share.

    Raises
    ------
    InputError
        For a mistake in the call; nothing has been written then.
    typer.Exit
        With code 3 when some tracks failed.
    """
    options.check()
    console = Output(as_json=options.as_json, quiet=options.quiet)
    from ...engine.batch.common.errors import StorageLostError
    from ...engine.batch.common.storage import open_storage

    try:
        tasks = find_tasks(command, sources, values, options, console)
        storage = open_storage(options.output)
        if storage.local is not None:
            check_inputs_stay(storage.local, sources, tasks)
        job = _job(command, options, storage)
        if options.dry_run:
            from .estimate import print_estimate

            print_estimate(job, tasks, options, console)
            return
        with _locked(storage):
            failed = _work(job, tasks, storage, options, console)
    except StorageLostError as error:
        raise InputError(str(error)) from error
    if failed:
        raise typer.Exit(FAILED)


def find_tasks(
    command: str, sources: Sequence[str], values: Values, options: BatchOptions, console: Output
) -> list["Task"]:
    """Find the tracks that the arguments name, with their settings. Raises InputError."""
    from ...engine.batch.common.tasks import Source
    from ...engine.batch.inputs.manifests import is_manifest, read_manifest
    from ...engine.batch.inputs.naming import make_tasks
    from ...engine.batch.inputs.sources import find_sources

    maker = SettingsMaker(command, values)
    found: list[tuple[Source, tuple[Values, str | None]]] = []
    for text in sources:
        if is_manifest(text):
            for number, source, row in read_manifest(text):
                try:
                    found.append((source, maker.of_row(row)))
                except InputError as error:
                    raise InputError(f"{text}, row {number}: {error}") from error
            continue
        settings = maker.of_row({})
        if os.path.isdir(text) and os.path.realpath(text) == os.path.realpath(options.output):  # noqa: PTH112
            raise InputError(f"--output {options.output}: it is the source itself, give another folder")
        found += [(source, settings) for source in find_sources(text, but=options.output)]
    if maker.ignored:
        console.note(f"columns that are no options of {command} are left out: {', '.join(maker.ignored)}")
    tracks = [(source, settings) for source, (settings, _) in found]
    return make_tasks(command, tracks, suffixes=[suffix for _, (_, suffix) in found], folder=FOLDERS[command])


def check_inputs_stay(folder: Path, sources: Sequence[str], tasks: Sequence["Task"]) -> None:
    """See that no sound and no table that was named is among what will be written there. Raises InputError."""
    from ...engine.batch.common.storage import is_url, local_path
    from ...engine.batch.tables import TABLES

    written = (*TABLES, _REPORT, *(task.output for task in tasks if task.output is not None))
    read = (*sources, *(task.source.url for task in tasks))
    check_no_input((folder / name for name in written), (local_path(text) for text in read if not is_url(text)))


def _job(command: str, options: BatchOptions, storage: "Storage") -> "Job":
    from ...engine.batch.common.storage import is_url, local_path
    from ...engine.batch.common.tasks import Job
    from ...models.inference.checkpoint import default_checkpoint, read_checkpoint

    if storage.local is not None and storage.local.exists() and not storage.local.is_dir():
        raise InputError(f"--output {options.output}: it is a file, the name of a folder is needed")
    cache = options.cache
    if cache is not None and not is_url(cache):
        cache = str(local_path(cache).resolve())
    elif cache is None and os.environ.get("MOODFADER_CACHE"):
        cache = str(Path(os.environ["MOODFADER_CACHE"]).resolve())
    return Job(
        command=command,
        model_path=options.model_path,
        model_digest=read_checkpoint(options.model or default_checkpoint()).digest,
        device=options.device_name(),
        destination=options.output if storage.local is None else str(storage.local.resolve()),
        version=__version__,
        cache=cache,
    )


def _work(job: "Job", tasks: list["Task"], storage: "Storage", options: BatchOptions, console: Output) -> bool:
    """Work on what is left; whether anything failed."""
    from ...engine.batch.common.errors import StorageLostError
    from ...engine.batch.executors.choice import open_executor
    from ...engine.batch.journal import Journal
    from ...engine.batch.runner import Batch

    journal = Journal(storage, command=job.command, model=job.model_digest)
    with contextlib.ExitStack() as stack:
        stack.callback(_close, journal)
        outputs = (
            storage.names(FOLDERS[job.command]) if any(task.output for task in tasks) and len(journal) else set()
        )
        batch = Batch(job, tasks, journal, there=outputs.__contains__, retry_failures=options.retry_failures)
        progress = batch.progress
        display = stack.enter_context(ProgressDisplay(job.command, console, options.quiet))
        if batch.left:
            jobs = min(options.workers(job.device), len(batch.left))
            executor, workers = open_executor(options.scheduler, jobs=jobs)
            stack.callback(executor.shutdown, cancel_futures=True)
            more = 2 if options.scheduler else 1  # (the way to a cluster is longer: the next task waits there)
            display.begin(progress)
            batch.run(executor, workers=workers * more, group=options.group(job.device), report=display.update)
        try:
            journal.flush()
            _write_results(job, tasks, storage, journal, options)
        except StorageLostError as error:
            progress.stopped = progress.stopped or str(error)
    display.end(progress, storage.url)
    return bool(progress.failed or progress.stopped)


def _write_results(
    job: "Job", tasks: list["Task"], storage: "Storage", journal: "Journal", options: BatchOptions
) -> None:
    from ...engine.batch.common.storage import put_made
    from ...engine.batch.tables import write_tables
    from .report_page import write_report

    def records() -> Iterator[dict[str, Any]]:
        return (record for _, record in journal.records(tasks))

    write_tables(storage, records, table=options.table)
    put_made(storage, _REPORT, lambda path: write_report(path, job.command, len(tasks), records))


def _close(journal: "Journal") -> None:
    from ...engine.batch.common.errors import StorageLostError

    with contextlib.suppress(StorageLostError):  # (said already; what could be written is there)
        journal.close()


@contextlib.contextmanager
def _locked(storage: "Storage") -> Iterator[None]:
    """Keep other runs out of a local destination, and unfinished files of a run that was killed out of the way.

    The lock's file is not removed: another run may have it open, and a third would lock a new one.
    """
    if storage.local is None:
        yield
        return
    import fcntl

    from ...engine.batch.common.storage import PARTIAL

    try:
        storage.local.mkdir(parents=True, exist_ok=True)
        lock = (storage.local / ".lock").open("w")
    except OSError as error:
        raise InputError(f"{storage.url}: cannot be written to ({error.strerror or error})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{storage.url}: another run is at work there") from None
        shutil.rmtree(storage.local / PARTIAL, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(storage.local / PARTIAL, ignore_errors=True)
