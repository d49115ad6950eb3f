"""Output of the commands: results on standard output; progress, notes and errors on standard error.

Progress bars are there only while standard error is a terminal, and never with --quiet.
"""

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...models.common.formatting import format_duration, printable, rounded_values
from ...models.common.progress import ProgressCallback
from .terminal_io import NARROWEST

if TYPE_CHECKING:  # (rich takes as long as the rest of a command's start: only what prints with it imports it)
    from rich.console import Console, RenderableType


class Output:
    """Prints results, notes and progress as the options of a command ask for.

    Parameters
    ----------
    as_json : bool
        Results as JSON, one object a line.
    quiet : bool
        No progress and no notes.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self._quiet = quiet

    def result(self, values: Mapping[str, Any], shown: "Callable[[], RenderableType]") -> None:
        """Print one result.

        Parameters
        ----------
        values : mapping
            What --json prints, as one line; numbers are rounded to six decimals.
        shown : callable
            Makes the table or text that is printed otherwise.
        """
        with _closed_terminal_as_pipe():
            if self.as_json:
                print(_json(values), flush=True)
            else:
                self.show(shown())

    def csv_row(self, cells: Iterable[object]) -> None:
        """One row of a table in CSV (numbers to six decimals)."""
        import csv
        import io

        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="").writerow(rounded_values(list(cells)))
        print(line.getvalue(), flush=True)

    def show(self, shown: "RenderableType") -> None:
        """Print a table or text; lines of text are not wrapped, so that paths can be copied."""
        from rich.console import Console, Group
        from rich.text import Text

        console = Console(highlight=False)
        console.width = max(console.width, NARROWEST)
        for part in shown.renderables if isinstance(shown, Group) else [shown]:
            console.print(_harmless(part), soft_wrap=isinstance(part, str | Text), markup=False)

    def line(self, text: str) -> None:
        """Print a line of a result unless --json is given; it is neither cut nor wrapped."""
        if not self.as_json:
            print(printable(text), flush=True)

    def note(self, text: str) -> None:
        """Print a note on standard error unless --quiet is given, and unless nobody can read it any more."""
        if not self._quiet:
            with contextlib.suppress(OSError):  # (threads of a show tell notes: they must not end by that)
                print(printable(text), file=sys.stderr, flush=True)

    def log(self, text: str) -> None:
        """Print a note only where no progress bar is shown, because standard error is not a terminal."""
        if not sys.stderr.isatty():
            self.note(text)

    @contextlib.contextmanager
    def progress(self, task: str, *, files: "FileCount | None" = None) -> Iterator[ProgressCallback]:
        """Show a progress bar with a clock that runs until the block ends.

        Parameters
        ----------
        task : str
            What is done.
        files : FileCount, optional
            If it counts more than one file, the bar is about all of them: which one is worked on, and the time left.

        Yields
        ------
        callable
            Takes the fraction done, 0 to 1.
        """
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        task = printable(task)
        if files is not None and files.total > 1:
            with self._progress_of_files(console, task, files) as report:
                yield report
            return
        columns = (
            *(TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()),
            *(TimeElapsedColumn(), TimeRemainingColumn()),
        )
        with Progress(
            *columns, console=console, transient=True, disable=self._quiet or not console.is_terminal
        ) as bar:
            number = bar.add_task(task, total=1.0)
            yield lambda done: bar.update(number, completed=done)

    @contextlib.contextmanager
    def _progress_of_files(self, console: "Console", task: str, files: "FileCount") -> Iterator[ProgressCallback]:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        number = files.begin()
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(
            *columns, console=console, transient=True, disable=self._quiet or not console.is_terminal
        ) as bar:
            row = bar.add_task(f"{task} ({number + 1} of {files.total})", total=1.0, left="")

            def report(done: float) -> None:
                fraction = (number + done) / files.total
                bar.update(row, completed=fraction, left=files.time_left(fraction))

            report(0.0)
            yield report


class FileCount:
    """Counts the files that have been worked on, and estimates how long the rest will take.

    Parameters
    ----------
    total : int
        How many files there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._begun = 0
        self._since = time.monotonic()

    def begin(self) -> int:
        """Count another file; returns its index, from 0."""
        self._begun += 1
        return self._begun - 1

    def time_left(self, fraction: float) -> str:
        """Time left after this fraction of all files, 0 to 1, as text; empty at the beginning."""
        if fraction <= 0:
            return ""
        return f"{format_duration((time.monotonic() - self._since) * (1 - fraction) / fraction)} left"


def _harmless(part: "RenderableType") -> "RenderableType":
    """A text whose characters cannot steer the terminal (a title with a file's name); tables are left as they are."""
    from rich.text import Text

    if isinstance(part, Text) and (plain := printable(part.plain)) != part.plain:
        return Text(plain, style=part.style)
    return printable(part) if isinstance(part, str) else part


def _json(values: Mapping[str, Any]) -> str:
    """One line; letters that standard output has no bytes for are escaped, as JSON allows."""
    text = json.dumps(rounded_values(values), ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(rounded_values(values), allow_nan=False)
    return text


@contextlib.contextmanager
def _closed_terminal_as_pipe() -> Iterator[None]:
    """Who reads a result has gone with the terminal as well as with a pipe."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EIO:
            raise BrokenPipeError(errno.EPIPE, "the terminal has been closed") from error
        raise


def system_reason(error: OSError) -> str | None:
    """The operating system's reason for an error about a file, in one line.

    Parameters
    ----------
    error : OSError
        The error.

    Returns
    -------
    str or None
        The file's name and the reason; the reason alone if the disk is full; None if no file is concerned.
    """
    if error.filename is None or error.strerror is None:
        return f"{error.strerror}" if error.errno == errno.ENOSPC else None
    return f"{os.fsdecode(error.filename)}: {error.strerror[:1].lower()}{error.strerror[1:]}"


def print_error(text: str) -> None:
    """Print an error on standard error, as one line with the program's name before it."""
    with contextlib.suppress(OSError):
        print("moodfader: " + printable(" ".join(text.split())), file=sys.stderr, flush=True)
