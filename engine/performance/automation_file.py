"""A performance on disk: JSON Lines, the first of which says what was played, then one change a line, as it happens.

    {"format": "moodfader-performance", "version": 1, "sample_rate": 44100, "channels": 2, "ceiling_dbtp": -1.0,
     "tracks": ["song.flac"], ...}
    {"at": 51200, "address": "/moodfader/midlevel/modality", "value": 6.0}
    {"at": 90112, "address": "/moodfader/track/ready", "value": 0, "digest": "...", "model": "..."}
    {"at": 910336, "end": true}

`at` counts output samples. Every line is flushed when it is written, so a file is complete up to any moment; a last
line that was cut off is left out, and without an end the performance goes on as it was left.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ...models.common.errors import InputError
from .events import ControlEvent

FORMAT: Final = "moodfader-performance"
VERSION: Final = 1


@dataclass(frozen=True)
class Automation:
    """What was played and when which control was moved; `samples` is its length, None if it has no end."""

    sample_rate: int
    channels: int
    ceiling_dbtp: float
    tracks: tuple[Path, ...]
    changes: tuple[ControlEvent, ...]
    samples: int | None
    digests: Mapping[int, str] = field(default_factory=dict)
    """Of the tracks that were steered, by number."""
    models: Mapping[int, str] = field(default_factory=dict)
    """Digests of the models that explained them."""


class AutomationWriter:
    """Writes line by line. Raises InputError where the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole = 0  # bytes of whole lines
        try:
            self._file = path.open("x", encoding="utf-8", newline="\n")
        except FileExistsError as error:
            raise InputError(f"{path}: exists already, a recorded performance is not overwritten") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from error

    def begin(self, *, sample_rate: int, channels: int, ceiling_dbtp: float, tracks: list[str]) -> None:
        """The first line."""
        about = {"sample_rate": sample_rate, "channels": channels, "ceiling_dbtp": ceiling_dbtp, "tracks": tracks}
        self.write({"format": FORMAT, "version": VERSION, **about})

    def write(self, line: Mapping[str, Any]) -> None:
        """One more line, on its way to the disk when this returns.

        Raises InputError where that fails (a full disk); the file then ends with the line before, and is closed.
        """
        text = json.dumps(line, ensure_ascii=False) + "\n"
        try:
            self._file.write(text)
            self._file.flush()
            self._whole += len(text.encode())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                os.truncate(self._path, self._whole)
            raise InputError(f"{self._path}: cannot be written ({error.strerror or error})") from error

    def close(self) -> None:
        """Nothing more comes; where nothing came at all, nothing is left behind."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self._whole == 0:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> "AutomationWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_recordable(path: Path) -> None:
    """See whether an automation file can be made at `path`, without making it.

    Raises
    ------
    InputError
        If there is one already, or its folder is not there or cannot be written to.
    """
    if path.exists() or path.is_symlink():
        raise InputError(f"{path}: exists already, a recorded performance is not overwritten")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written (no such folder as {path.parent})")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"{path}: cannot be written (no right to write to {path.parent})")


def read_automation(path: Path) -> Automation:
    """Read a recorded performance. Raises InputError for what is none, or does not make sense."""
    lines = _lines(path)
    if not lines or lines[0].get("format") != FORMAT:
        raise InputError(f"{path}: not a recorded performance (play --record makes them)")
    head = lines[0]
    if head.get("version") != VERSION:
        raise InputError(f"{path}: performance format {head.get('version')}, this program reads {VERSION}")
    changes, digests, models, samples = [], {}, {}, None
    last = 0
    for number, line in enumerate(lines[1:], start=2):
        at = line.get("at")
        if not isinstance(at, int) or isinstance(at, bool) or at < last:
            raise InputError(f"{path}, line {number}: 'at' must be a sample count that never goes back, not {at!r}")
        last = at
        if line.get("end"):
            samples = at
        elif isinstance(address := line.get("address"), str):
            value = line.get("value")
            if not isinstance(value, int | float | str | None):
                raise InputError(f"{path}, line {number}: {value!r} is no value of a control")
            changes.append(ControlEvent(at, address, value))
            if "digest" in line and isinstance(value, int):
                digests[value], models[value] = str(line["digest"]), str(line.get("model", ""))
        else:
            raise InputError(f"{path}, line {number}: neither a change nor the end")
    try:
        rate, channels, ceiling = int(head["sample_rate"]), int(head["channels"]), float(head["ceiling_dbtp"])
        tracks = tuple(Path(track) for track in head["tracks"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its first line does not say what was played ({error})") from error
    if not tracks or not 8_000 <= rate <= 192_000 or not 1 <= channels <= 8 or not -20 <= ceiling <= 0:
        raise InputError(f"{path}: its first line does not make sense (rate, channels, ceiling or tracks)")
    return Automation(rate, channels, ceiling, tracks, tuple(changes), samples, digests, models)


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not text'})") from error
    lines = []
    for number, text in enumerate(texts, start=1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            if number == len(texts) and number > 1:
                break  # cut off while it was being written
            raise InputError(f"{path}, line {number}: not JSON ({error.msg})") from error
        if not isinstance(line, dict):
            raise InputError(f"{path}, line {number}: not a JSON object")
        lines.append(line)
    return lines
