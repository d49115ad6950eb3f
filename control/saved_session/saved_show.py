"""A saved show: its tracks, position, values of the controls and snapshots, as a JSON file.

{"format": "moodfader show", "version": 1, "ended": false, "tracks": [...], "position_s": 12.5, "values": {...},
"snapshots": {"1": {"name": ..., "track": 0, "faders_db": [...], "targets": {...}, "wet": 1.0}}}
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...engine.snapshots.snapshot import Snapshot
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.parsing import parse_json, read_text
from ..parameters.snapshot_rows import SLOTS
from ..parameters.table import ROOT, Value, find_parameter
from ..set_lists.tracks import MAX_TRACKS
from ..show.slots import LONGEST_NAME, StoredSnapshot

FORMAT: Final = "moodfader show"
VERSION: Final = 1
_MAX_BYTES: Final = 8 << 20
_LONGEST_S: Final = 1e7
TRACK: Final = f"{ROOT}/transport/track"
PLAY: Final = f"{ROOT}/transport/play"
KEPT: Final = tuple(
    f"{ROOT}/{name}"
    for name in (
        *(f"midlevel/{name}" for name in MIDLEVEL),
        *("wet", "master", "bypass", "delta", "match_loudness"),
        *("morph/seconds", "morph/a", "morph/b"),
        *("transport/loop_start", "transport/loop_end", "transport/loop"),
        *(f"target/{name}" for name in EMOTIONS),
    )
)
"""Controls whose values are kept, in the order in which they are set again; track and position apart."""


@dataclass(frozen=True)
class SavedShow:
    """A show at one moment.

    Attributes
    ----------
    tracks : tuple of Path
        The set list, as it was given to `play`: files, absolute.
    given : tuple of Path
        What it was made of: sound files, playlists and set lists, absolute.
    track, position_s : int, float
        Where it is.
    playing : bool
        Whether it plays.
    values : mapping
        Values of `KEPT` by address.
    snapshots : mapping
        What is in the slots.
    ended : bool
        Whether it was ended by somebody; otherwise the program was, or the machine.
    """

    tracks: tuple[Path, ...]
    given: tuple[Path, ...]
    track: int = 0
    position_s: float = 0.0
    playing: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)
    snapshots: Mapping[int, StoredSnapshot] = field(default_factory=dict)
    ended: bool = False


def write_show(path: Path, show: SavedShow) -> None:
    """Write a show; the file is replaced as a whole. Raises InputError."""
    snapshots = {
        str(slot): {
            "name": one.name,
            "track": one.track,
            "faders_db": list(one.snapshot.faders_db),
            "targets": dict(one.snapshot.targets),
            "wet": one.snapshot.wet,
        }
        for slot, one in show.snapshots.items()
    }
    content = {
        "format": FORMAT,
        "version": VERSION,
        "ended": show.ended,
        "tracks": [str(file) for file in show.tracks],
        "given": [str(file) for file in show.given],
        "track": show.track,
        "position_s": round(show.position_s, 3),
        "playing": show.playing,
        "values": dict(show.values),
        "snapshots": snapshots,
    }
    text = json.dumps(content, indent=1) + "\n"
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="surrogateescape")


def read_show(path: Path) -> SavedShow | None:
    """The show in a file; None if there is no such file.

    Raises
    ------
    InputError
        For a file that is no show of this version, or has values that are none.
    """
    try:
        content = parse_json(read_text(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        return None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
        raise InputError(f"{path}: this is no show of version {VERSION}")
    try:
        return _checked(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _checked(content: Mapping[str, Any]) -> SavedShow:
    lists = [content.get("tracks"), content.get("given")]
    for files in lists:
        if not isinstance(files, list) or not 0 < len(files) <= MAX_TRACKS:
            raise InputError("it has no list of tracks")
        if not all(isinstance(file, str) and file and "\0" not in file for file in files):
            raise InputError("a track is no file name")
    tracks, given = (tuple(map(Path, files)) for files in lists if isinstance(files, list))
    track = content.get("track")
    if isinstance(track, bool) or not isinstance(track, int) or not 0 <= track < len(tracks):
        raise InputError("its track is none of its tracks")
    position_s = _number(content.get("position_s"), "its position")
    if not 0 <= position_s <= _LONGEST_S:
        raise InputError(f"its position {position_s:g} is out of range")
    values, snapshots = content.get("values"), content.get("snapshots")
    if not isinstance(values, dict) or not isinstance(snapshots, dict):
        raise InputError("it has no values")
    checked = {address: find_parameter(address).validate(values[address]) for address in KEPT if address in values}
    stored = dict(_slot(slot, row) for slot, row in snapshots.items())
    playing, ended = bool(content.get("playing")), bool(content.get("ended"))
    return SavedShow(tracks, given, track, position_s, playing, checked, stored, ended)


def _slot(slot: str, row: Any) -> tuple[int, StoredSnapshot]:  # noqa: ANN401
    number = int(slot) if slot.isascii() and slot.isdecimal() and len(slot) == 1 else 0
    if not 1 <= number <= SLOTS or not isinstance(row, dict):
        raise InputError(f"slot {slot[:10]!r} is none")
    faders, targets, name = row.get("faders_db"), row.get("targets"), row.get("name")
    if not isinstance(faders, list) or not isinstance(targets, dict):
        raise InputError(f"slot {number} has no faders and targets")
    what = f"what slot {number} holds"
    faders_db = tuple(_number(value, what) for value in faders)
    shifts = {str(key): _number(value, what) for key, value in targets.items()}
    track, wet = (_number(row.get(key), what) for key in ("track", "wet"))
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InputError(f"slot {number} has no name")
    return number, StoredSnapshot(Snapshot(faders_db, shifts, wet), name, int(track))


def _number(value: object, what: str) -> float:
    """A finite number. Raises InputError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{what} is no number")
    return float(value)
