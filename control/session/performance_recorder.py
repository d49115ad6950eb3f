"""Records a performance: control events with their output sample and source, and the analyses that were used.

The file is written by the thread that receives the player's messages, so no control waits for the disk.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.analysis.surrogate import TrackSummary
from ...engine.processes.messages import AppliedEvent
from ...models.common.errors import InputError
from ..parameters.table import ROOT

if TYPE_CHECKING:
    from ...engine.performance.automation_file import AutomationWriter

READY = f"{ROOT}/track/ready"


class PerformanceRecorder:
    """Writes events with a writer (None: no recording). A write error ends the recording with one note."""

    def __init__(
        self, writer: "AutomationWriter | None", note: Callable[[str], None], *, coupled: bool = False
    ) -> None:
        """coupled: whether the faders of the tracks are, which is written with the first line."""
        self._writer, self._note, self._coupled = writer, note, coupled
        self._lock = threading.Lock()
        self._sources: dict[str, str] = {}
        self._last = 0  # output sample of the newest event, which may not have been played when the performance ends

    def begin(self, tracks: Sequence[str], *, sample_rate: int, channels: int, ceiling_dbtp: float) -> None:
        """Write the header. Raises InputError."""
        if self._writer is not None:
            paths = [str(Path(track).absolute()) for track in tracks]
            self._writer.begin(
                sample_rate=sample_rate,
                channels=channels,
                ceiling_dbtp=ceiling_dbtp,
                tracks=paths,
                coupled=self._coupled,
            )

    def note_source(self, address: str, source: str) -> None:
        """Remember the source of the last change of a control."""
        self._sources[address] = source

    @property
    def is_recording(self) -> bool:
        """Whether events are being written."""
        return self._writer is not None

    def write_events(self, applied: Iterable[AppliedEvent], summaries: Mapping[int, TrackSummary]) -> None:
        """Write events that took effect; `summaries` has the analyses by track."""
        for event in applied:
            address, value = event.address, event.value
            self._last = event.at
            line: dict[str, Any] = {"at": event.at, "address": address, "value": value}
            if not event.derived and (source := self._sources.get(address)):
                line["source"] = source
            if address == READY and isinstance(value, int) and value in summaries:
                line |= {"digest": summaries[value].digest, "model": summaries[value].model_digest}
            self._write(line)

    def end(self, played: int | None) -> None:
        """Write the end of a performance of `played` output samples (None: it never began) and close the file."""
        if played is not None:
            self._write({"at": max(played, self._last), "end": True})
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            if self._writer is None:
                return
            try:
                self._writer.write(line)
            except InputError as error:
                self._writer = None  # it has closed the file after the last complete line
                self._note(f"the recording ends here: {error}")
