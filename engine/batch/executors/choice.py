"""The executor that the options ask for."""

from concurrent.futures import Executor

from .process_pool import ProcessPool

WORK_MODULE = "moodfader.engine.batch.worker"


def open_executor(scheduler: str | None, *, jobs: int) -> tuple[Executor, int]:
    """Start workers, or connect to those of a cluster.

    Parameters
    ----------
    scheduler
        Address of a Dask scheduler, "local" for a Dask cluster of this machine, None for plain processes.
    jobs
        Worker processes of this machine.

    Returns
    -------
    executor : concurrent.futures.Executor
    workers : int
        How many tasks it works on at once, now; a cluster may grow.

    Raises
    ------
    InputError
        If there is no scheduler at the address.
    """
    if scheduler is None:
        return ProcessPool(jobs, preload=[WORK_MODULE]), jobs
    from .dask_executor import DaskExecutor

    cluster = DaskExecutor(scheduler, jobs=jobs)
    return cluster, max(cluster.workers, 1)
