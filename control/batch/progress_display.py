"""Progress of a batch: a bar on a terminal, JSON objects for programs, nothing where the output is piped."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from ...models.common.formatting import format_duration
from ..console.output import Output

if TYPE_CHECKING:
    from ...engine.batch.runner import Progress as BatchProgress

_JSON_S: Final = 1.0
_WORDS: Final = {"predict": "Predicting", "analyze": "Analysing", "steer": "Steering", "render": "Rendering"}


class ProgressDisplay:
    """Shows how far a batch is, in a `with` block.

    Parameters
    ----------
    command
        predict, analyze, steer or render.
    output
        Output of the command.
    quiet
        No bar.
    """

    def __init__(self, command: str, output: Output, quiet: bool) -> None:
        console = Console(stderr=True)
        self._output = output
        self._printed = 0.0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[more]}"),
            console=console,
            transient=True,
            disable=quiet or output.as_json or not console.is_terminal,
        )
        self._row = self._bar.add_task(_WORDS[command], total=1.0, more="")

    def __enter__(self) -> "ProgressDisplay":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, progress: "BatchProgress") -> None:
        """Say what earlier runs have done."""
        if (earlier := progress.done + progress.failed) and not self._output.as_json:
            self._output.note(f"{earlier} of {progress.total} tracks have been worked on before")

    def update(self, progress: "BatchProgress") -> None:
        """Show where the batch is."""
        self._bar.update(self._row, total=max(progress.total, 1), completed=progress.done + progress.failed)
        self._bar.update(self._row, more=_line(progress))
        if self._output.as_json and time.monotonic() - self._printed >= _JSON_S:
            self._printed = time.monotonic()
            self._output.result({"event": "progress", **progress_values(progress)}, lambda: "")

    def end(self, progress: "BatchProgress", destination: str) -> None:
        """Print what came of it."""
        self._bar.stop()
        lines = [f"{progress.done} of {progress.total} tracks done, {progress.failed} failed: {destination}"]
        if progress.worked:
            hours, rate = progress.music_s / 3600, progress.music_s / max(progress.elapsed_s, 1e-6)
            lines.append(
                f"{hours:.2f} hours of music in {format_duration(progress.elapsed_s)} ({rate:.0f} times real time)"
            )
        if progress.stopped:
            lines.append(f"stopped: {progress.stopped} (the same command goes on where it was)")
        if progress.noted:
            about = "1 track" if progress.noted == 1 else f"{progress.noted} tracks"
            lines.append(f"notes about {about}: in the tables and the report")
        values = {"event": "end", **progress_values(progress), "destination": destination}
        self._output.result(values, lambda: "\n".join(lines))


def progress_values(progress: "BatchProgress") -> dict[str, Any]:
    """Progress as a JSON object; the rates are those of this run."""
    seconds = max(progress.elapsed_s, 1e-6)
    return {
        "tracks": progress.total,
        "done": progress.done,
        "failed": progress.failed,
        "noted": progress.noted,
        "hours": progress.music_s / 3600,
        "elapsed_s": progress.elapsed_s,
        "work_s": progress.work_s,
        "tracks_per_s": progress.worked / seconds,
        "times_real_time": progress.music_s / seconds,
        "left_s": progress.left_s,
        "stopped": progress.stopped or None,
    }


def _line(progress: "BatchProgress") -> str:
    ended = progress.done + progress.failed
    parts = [f"{ended}/{progress.total} tracks", f"{progress.music_s / 3600:.1f} h"]
    if progress.elapsed_s:
        parts.append(f"{progress.music_s / progress.elapsed_s:.0f}x")
    if progress.left_s is not None:
        parts.append(f"{format_duration(progress.left_s)} left")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)
