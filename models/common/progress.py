"""Progress of long work that is made of steps within steps, without a parameter through every function between."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

ProgressCallback = Callable[[float], None]
"""A progress callback; takes the fraction done, 0..1."""

_REPORT: ContextVar[ProgressCallback | None] = ContextVar("report", default=None)


@contextlib.contextmanager
def progress_span(report: ProgressCallback | None, first: float, last: float) -> Iterator[None]:
    """Let the steps within be the part from `first` to `last` of the work that `report` is told about.

    Parameters
    ----------
    report : callable or None
        Takes the fraction of the whole work that is done, 0..1; None if nobody wants to know.
    first, last : float
        Fractions of the whole work at the beginning and at the end of this part.

    Examples
    --------
    >>> with progress_span(print, 0.5, 1.0):
    ...     report_step(0.0)
    ...     report_step(0.5)
    0.5
    0.75
    """
    token = _REPORT.set(None if report is None else lambda done: report(first + (last - first) * done))
    try:
        yield
    finally:
        _REPORT.reset(token)


def report_step(done: float) -> None:
    """Tell that this fraction (0..1) of the innermost `progress_span` of this thread is done."""
    report = _REPORT.get()
    if report is not None:
        report(done)
