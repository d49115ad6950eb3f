"""Where the program speaks: results on standard output, progress and complaints on standard error.

Progress bars are there only while standard error is a terminal, and never with --quiet.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from ...models.common.arrays import ProgressCallback


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to who called (rich would exit with code 1)."""
        raise BrokenPipeError


class Output:
    """Says results, notes and progress as the options of a command ask for."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self._quiet = quiet

    def result(self, values: Mapping[str, Any], shown: Callable[[], RenderableType]) -> None:
        """One result: a line of JSON, or what `shown` makes for the eye."""
        if self.as_json:
            print(json.dumps(_rounded(values), ensure_ascii=False, allow_nan=False), flush=True)
        else:
            self.show(shown())

    def show(self, shown: RenderableType) -> None:
        """A table or lines; lines are not wrapped, for paths are to be copied."""
        console = _Console(highlight=False)
        for part in shown.renderables if isinstance(shown, Group) else [shown]:
            console.print(part, soft_wrap=isinstance(part, str | Text), markup=False)

    def line(self, text: str) -> None:
        """A line of a result that is not cut or wrapped (paths are to be copied); not with --json."""
        if not self.as_json:
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Something worth knowing that is no result: on standard error, not with --quiet."""
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)

    def log(self, text: str) -> None:
        """A note for those who see no progress bar, because standard error is not a terminal."""
        if not sys.stderr.isatty():
            self.note(text)

    @contextlib.contextmanager
    def progress(self, task: str) -> Iterator[ProgressCallback]:
        """A bar that appears with the first report and goes when the work is done."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(
            *columns, console=console, transient=True, disable=self._quiet or not console.is_terminal
        ) as bar:
            number = bar.add_task(task, total=1.0, visible=False)
            yield lambda done: bar.update(number, completed=done, visible=True)


def print_error(text: str) -> None:
    """One line on standard error, with the program's name before it."""
    with contextlib.suppress(BrokenPipeError):
        print("moodfader: " + " ".join(text.split()), file=sys.stderr, flush=True)


def _rounded(value: Any) -> Any:  # noqa: ANN401
    """Six decimals are more than any of these numbers mean."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
