"""A performance on disk: JSON Lines, the first of which says what was played, then one change a line, as it happens.

    {"format": "moodfader-performance", "version": 1, "sample_rate": 44100, "channels": 2, "ceiling_dbtp": -1.0,
     "tracks": ["song.flac"], "faders": "decoupled"}
    {"at": 51200, "address": "/moodfader/midlevel/modality", "value": 6.0}
    {"at": 90112, "address": "/moodfader/track/ready", "value": 0, "digest": "...", "model": "..."}
    {"at": 910336, "end": true}

`at` counts output samples. Every line is flushed when it is written, so a file is complete up to any moment; a last
line that was cut off is left out, and without an end the performance goes on as it was left.

A file may come from anywhere: sizes, times, track numbers and the values of what changes the sound are checked here.
"""

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.parsing import parse_json
from ..dsp.faders import FADER_RANGE_DB, MASTER_RANGE_DB, WET_RANGE
from .events import ANALYSIS_READY, FADE_OUT, ROOT, SETTING_SOLVED, ControlEvent, read_setting

FORMAT: Final = "moodfader-performance"
VERSION: Final = 1
LONGEST_S: Final = 24 * 3600
"""Longest performance in seconds."""
_MAX_CHANGES: Final = 1_000_000
_MAX_TRACKS: Final = 1000
_MAX_SETTINGS: Final = 1000
_LONGEST_PATH: Final = 4096  # characters; systems allow no more
_LONGEST_LINE: Final = 1 << 20  # characters; the first one names all tracks
_SECONDS: Final = (0.0, 1e7)
_SWITCH: Final = (0.0, 1.0)
VALUE_RANGES: Final[dict[str, tuple[float, float]]] = {
    **{f"{ROOT}midlevel/{name}": FADER_RANGE_DB for name in MIDLEVEL},
    **{f"{ROOT}transport/{name}": _SECONDS for name in ("seek", "loop_start", "loop_end")},
    **{
        f"{ROOT}{name}": _SWITCH for name in ("transport/play", "transport/loop", "bypass", "delta", "match_loudness")
    },
    f"{ROOT}wet": WET_RANGE,
    f"{ROOT}master": MASTER_RANGE_DB,
    FADE_OUT: _SECONDS,
}
"""What a control of the sound may be set to."""
_TRACK_NUMBERS: Final = (ANALYSIS_READY, f"{ROOT}transport/track")


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
    coupled: bool = True
    """Whether the faders were coupled, as in all files of before 0.8, which do not say it."""


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

    def begin(
        self, *, sample_rate: int, channels: int, ceiling_dbtp: float, tracks: list[str], coupled: bool = False
    ) -> None:
        """The first line."""
        about = {"sample_rate": sample_rate, "channels": channels, "ceiling_dbtp": ceiling_dbtp, "tracks": tracks}
        about["faders"] = "coupled" if coupled else "decoupled"
        self.write({"format": FORMAT, "version": VERSION, **about})

    def write(self, line: Mapping[str, Any]) -> None:
        """One more line, on its way to the disk when this returns.

        Raises InputError where that fails (a full disk); the file then ends with the line before, and is closed.
        """
        text = _line_of(line)
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


def _line_of(values: Mapping[str, Any]) -> str:
    """One line; names that are no UTF-8 are escaped, as JSON allows, and are the same when they are read."""
    text = json.dumps(values, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(values)
    return text + "\n"


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
    """Read a recorded performance, a line at a time.

    Raises
    ------
    InputError
        For what is no performance, does not make sense, or is longer than a day or a million changes.
    """
    lines = _lines(path)
    head = next(lines, (0, {}))[1]
    if head.get("format") != FORMAT:
        raise InputError(f"{path}: not a recorded performance (play --record makes them)")
    if head.get("version") != VERSION:
        version = str(head.get("version"))[:40]
        raise InputError(f"{path}: performance format {version}, this program reads {VERSION}")
    rate, channels, ceiling, tracks = _played(path, head)
    changes: list[ControlEvent] = []
    digests, models, samples = {}, {}, None
    last = 0
    for number, line in lines:
        where = f"{path}, line {number}"
        at = line.get("at")
        if not isinstance(at, int) or isinstance(at, bool) or at < last:
            raise InputError(f"{where}: 'at' must be a sample count that never goes back, not {_shown(at)}")
        if at > LONGEST_S * rate:
            raise InputError(f"{where}: sample {at} is more than a day from the start")
        last = at
        if line.get("end"):
            samples = at
        elif isinstance(address := line.get("address"), str):
            value = line.get("value")
            _check_value(where, address, value, tracks=len(tracks))
            changes.append(ControlEvent(at, address, value))
            if len(changes) > _MAX_CHANGES:
                raise InputError(f"{where}: more than {_MAX_CHANGES} changes")
            if "digest" in line and isinstance(value, int):
                digests[value], models[value] = str(line["digest"])[:128], str(line.get("model", ""))[:128]
        else:
            raise InputError(f"{where}: neither a change nor the end")
    if len({change.value for change in changes if change.address == SETTING_SOLVED}) > _MAX_SETTINGS:
        raise InputError(f"{path}: more than {_MAX_SETTINGS} solved settings")
    if (faders := head.get("faders", "coupled")) not in ("coupled", "decoupled"):
        raise InputError(f"{path}: its faders are coupled or decoupled, not {_shown(faders)}")
    coupled = faders != "decoupled"
    return Automation(rate, channels, ceiling, tracks, tuple(changes), samples, digests, models, coupled)


def _played(path: Path, head: Mapping[str, Any]) -> tuple[int, int, float, tuple[Path, ...]]:
    """Sample rate, channels, ceiling and tracks of the first line. Raises InputError."""
    try:
        rate, channels, ceiling = int(head["sample_rate"]), int(head["channels"]), float(head["ceiling_dbtp"])
        names = head["tracks"]
        if not isinstance(names, list) or not all(isinstance(name, str) and "\0" not in name for name in names):
            raise TypeError("tracks are a list of paths")
        if any(len(name) > _LONGEST_PATH for name in names):
            raise ValueError(f"a path of more than {_LONGEST_PATH} characters")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: its first line does not say what was played ({str(error)[:80]})") from error
    sensible = 8_000 <= rate <= 192_000 and 1 <= channels <= 8 and -20 <= ceiling <= 0
    if not sensible or not 1 <= len(names) <= _MAX_TRACKS:
        raise InputError(f"{path}: its first line does not make sense (rate, channels, ceiling or tracks)")
    return rate, channels, ceiling, tuple(Path(name) for name in names)


def _check_value(where: str, address: str, value: object, *, tracks: int) -> None:
    """See that an address of the sound is set to what it can be. Raises InputError."""
    if not isinstance(value, int | float | str | None):
        raise InputError(f"{where}: {_shown(value)} is no value of a control")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: {value} is no value of a control")
    if address in _TRACK_NUMBERS and (
        not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < tracks
    ):
        raise InputError(f"{where}: there is no track {_shown(value)}, they are counted from 0 to {tracks - 1}")
    if address == SETTING_SOLVED:
        try:
            track = read_setting(value)[0]
        except ValueError as error:
            raise InputError(f"{where}: {_shown(value)} is no solved setting ({error})") from error
        if track >= tracks:
            raise InputError(f"{where}: there is no track {track}, they are counted from 0 to {tracks - 1}")
    if address in VALUE_RANGES:
        low, high = VALUE_RANGES[address]
        if not isinstance(value, int | float) or not low <= value <= high:
            raise InputError(f"{where}: {address} is {_shown(value)}, it goes from {low:g} to {high:g}")


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines with their numbers; a last one that was cut off is left out. Raises InputError."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            number = 0
            while text := file.readline(_LONGEST_LINE):
                number += 1
                try:
                    line = parse_json(text)
                except ValueError as error:
                    cut = not text.endswith("\n") and len(text) < _LONGEST_LINE
                    if number > 1 and cut:
                        return
                    raise InputError(f"{path}, line {number}: not JSON ({error})") from error
                if not isinstance(line, dict):
                    raise InputError(f"{path}, line {number}: not a JSON object")
                yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'not text'})") from error


def _shown(value: object) -> str:
    """A value from a file, as part of one line."""
    text = repr(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."
