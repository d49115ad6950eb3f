"""The journal of a batch, from which an interrupted run is resumed: a line for each track that is done or failed.

A line is written before anything else knows of the result.
It is the only state of a batch; tables and reports are made from it. A local destination has it as `journal.jsonl`,
which only grows. Object stores cannot append: there the lines of each few seconds are an object of their own in
`journal/`, and the end of a run joins them. The last line of a run that was killed may be torn; it is cut off.
"""

import io
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...models.common.errors import InputError
from .common.errors import StorageLostError
from .common.storage import Storage, put_bytes
from .common.tasks import Task

NAME: Final = "journal.jsonl"
PARTS: Final = "journal"
FORMAT: Final = "moodfader-batch"
VERSION: Final = 1
FLUSH_S: Final = 2.0
"""Seconds after which lines are on the disk, or in the object store, at the latest."""
_LONGEST_LINE: Final = 16 << 20


class Journal:
    """The journal of a destination, open for one run.

    Parameters
    ----------
    storage
        The destination.
    command
        predict, analyze, steer or render: a destination has the results of one command.
    model
        Digest of the network.

    Raises
    ------
    InputError
        If the destination holds the journal of another command, or of a later version of the program.
    StorageLostError
        If it cannot be read or written.
    """

    def __init__(self, storage: Storage, *, command: str, model: str) -> None:
        self._storage = storage
        self._model = model
        self._offsets: dict[tuple[str, str], int] = {}
        self._pending: list[bytes] = []
        self._flushed = time.monotonic()
        self._parts: list[str] = []
        self._number = 0
        self._file = self._open(command)

    def _open(self, command: str) -> BinaryIO:
        file: BinaryIO
        try:
            if self._storage.local is not None:
                self._storage.local.mkdir(parents=True, exist_ok=True)
                file = (self._storage.local / NAME).open("a+b", buffering=0)
            else:
                file = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115
                self._collect(file)
            self._read(file, command)
            if file.seek(0, os.SEEK_END) == 0:
                header = {"format": FORMAT, "version": VERSION, "command": command}
                self._file = file
                self._write(json.dumps(header).encode() + b"\n")
        except OSError as error:
            raise StorageLostError(f"{self._storage.url}: {error.strerror or error}") from error
        return file

    def _collect(self, file: BinaryIO) -> None:
        """Copy the journal of an object store and its parts into a local file."""
        file.write(self._storage.read(NAME) or b"")
        self._parts = sorted(name for name in self._storage.names(PARTS) if name.endswith(".jsonl"))
        for name in self._parts:
            file.write(self._storage.read(name) or b"")
        self._number = 1 + max(
            (int(Path(name).stem) for name in self._parts if Path(name).stem.isdigit()), default=-1
        )

    def _read(self, file: BinaryIO, command: str) -> None:
        """Index the lines of this model, and cut off a torn end."""
        file.seek(0)
        whole = 0
        reader = io.BufferedReader(file, 1 << 20)  # type: ignore[type-var]
        while line := reader.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):
                break
            values = _parsed(line)
            if whole == 0:
                self._check_header(values, command)
            elif values.get("model") == self._model and isinstance(values.get("name"), str):
                self._offsets[values["name"], str(values.get("settings"))] = whole
            whole += len(line)
        reader.detach()
        if file.seek(0, os.SEEK_END) != whole:
            file.truncate(whole)

    def _check_header(self, values: Mapping[str, Any], command: str) -> None:
        where = f"{self._storage.url}/{NAME}"
        if values.get("format") != FORMAT:
            raise InputError(f"{where}: not the journal of a batch (another program's file?)")
        if values.get("version") != VERSION:
            raise InputError(f"{where}: version {str(values.get('version'))[:20]}, this program reads {VERSION}")
        if values.get("command") != command:
            raise InputError(f"{self._storage.url}: holds a batch of {values.get('command')}, give another folder")

    def __len__(self) -> int:
        """How many tracks have a record for this model."""
        return len(self._offsets)

    def find(self, task: Task) -> dict[str, Any] | None:
        """The last record of a task with this model and these settings; None if there is none."""
        offset = self._offsets.get((task.name, task.settings_digest))
        return None if offset is None else self._at(offset)

    def records(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, dict[str, Any]]]:
        """The records of these tasks, in their order, read one by one."""
        for task in tasks:
            if (record := self.find(task)) is not None:
                yield task, record

    def append(self, record: Mapping[str, Any]) -> None:
        """Write a record of `name`, `settings`, `status` and what belongs to it. Raises StorageLostError."""
        values = {**record, "model": self._model}
        offset = self._write(json.dumps(values, allow_nan=False).encode() + b"\n")
        self._offsets[values["name"], values["settings"]] = offset
        if time.monotonic() - self._flushed > FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """See to it that all lines outlast the machine. Raises StorageLostError."""
        self._flushed = time.monotonic()
        if self._storage.local is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise StorageLostError(f"{self._storage.url}: {error.strerror or error}") from error
            return
        if self._pending:
            name = f"{PARTS}/{self._number:08d}.jsonl"
            put_bytes(self._storage, name, b"".join(self._pending))
            self._parts.append(name)
            self._pending, self._number = [], self._number + 1

    def close(self) -> None:
        """Flush; in an object store, join the parts to one object and remove them. Raises StorageLostError."""
        try:
            self.flush()
            if self._parts:
                self._file.seek(0)
                with tempfile.NamedTemporaryFile(prefix="moodfader-", delete=False) as whole:
                    while block := self._file.read(1 << 20):
                        whole.write(block)
                try:
                    self._storage.put(Path(whole.name), NAME)
                finally:
                    Path(whole.name).unlink(missing_ok=True)
                for name in self._parts:
                    self._storage.delete(name)
        finally:
            self._file.close()

    def _at(self, offset: int) -> dict[str, Any]:
        descriptor, length = self._file.fileno(), 4096
        while True:
            block = os.pread(descriptor, length, offset)
            end = block.find(b"\n")
            if end >= 0 or len(block) < length:
                return _parsed(block[:end] if end >= 0 else block)
            length *= 8

    def _write(self, line: bytes) -> int:
        """Write a whole line, or nothing of it; where it begins."""
        begin = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(28, "No space left on device")
        except OSError as error:
            self._file.truncate(begin)
            raise StorageLostError(f"{self._storage.url}/{NAME}: {error.strerror or error}") from error
        if self._storage.local is None:
            self._pending.append(line)
        return begin


def _parsed(line: bytes) -> dict[str, Any]:
    """The object of a line; an empty one for what is no object."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
