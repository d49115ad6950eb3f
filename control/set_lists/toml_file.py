"""Set lists of our own: TOML files of version 1.

format = "moodfader set list"
version = 1

[[track]]
file = "opening.flac"                # relative to this file
title = "Opening"
preset = "dolce"                     # loaded when the track begins
cues = { 1 = 12.5, 2 = 61 }          # in seconds

[[track.snapshot]]                   # put into its slot when the track begins
slot = 1
name = "Chorus"
faders = { dissonance = 6, modality = -3 }
targets = { tender = 0.1 }
wet = 0.8
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...engine.snapshots.snapshot import Snapshot
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.parsing import parse_toml, read_text
from ..parameters.snapshot_rows import SLOTS
from ..parameters.target_rows import TARGET_RANGE
from ..session.presets import find_preset
from ..show.cue_points import checked_cues
from ..show.slots import LONGEST_NAME, StoredSnapshot
from ..show.track_settings import TrackSettings
from .tracks import MAX_TRACKS, SetListTrack, track_file

FORMAT: Final = "moodfader set list"
VERSION: Final = 1
_MAX_BYTES: Final = 4 << 20
_LONGEST_TITLE: Final = 200
_FIELDS: Final = {"file", "title", "preset", "cues", "snapshot"}
_SNAPSHOT_FIELDS: Final = {"slot", "name", "faders", "targets", "wet"}


def read_toml(path: Path) -> list[SetListTrack]:
    """Read a set list.

    Raises
    ------
    InputError
        In one line that names the file and the track, for what is no set list of this version, values out of range,
        presets that there are not, and files that are not there.
    """
    try:
        values = parse_toml(read_text(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        raise InputError(f"{path}: no such set list") from None
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: not a TOML file ({error})") from error
    if values.get("format") != FORMAT:
        raise InputError(f'{path}: no set list (it begins with format = "{FORMAT}")')
    if values.get("version") != VERSION or isinstance(values["version"], bool):
        raise InputError(f"{path}: version {_short(values.get('version'))} of set lists, {VERSION} is understood")
    rows = values.get("track")
    if set(values) - {"format", "version", "track"} or not isinstance(rows, list) or not rows:
        raise InputError(f"{path}: a set list has format, version and a [[track]] for each track, nothing else")
    if len(rows) > MAX_TRACKS:
        raise InputError(f"{path}: more than {MAX_TRACKS} tracks")
    tracks = []
    for number, row in enumerate(rows):
        try:
            tracks.append(_track(path, number, row))
        except InputError as error:
            text = str(error)
            raise InputError(text if text.startswith(str(path)) else f"{path}: track {number + 1}: {text}") from error
    return tracks


def _track(path: Path, number: int, row: Any) -> SetListTrack:  # noqa: ANN401
    _check_fields(row, _FIELDS, "a [[track]]")
    name = _text(row, "file", 4096)
    if not name:
        raise InputError("it has no file")
    preset = _text(row, "preset", 64)
    if preset:
        find_preset(preset)
    snapshots = row.get("snapshot", [])
    if not isinstance(snapshots, list) or len(snapshots) > SLOTS:
        raise InputError(f"[[track.snapshot]] is a list of at most {SLOTS}")
    stored = [_snapshot(one, number) for one in snapshots]
    if len({slot for slot, _ in stored}) < len(stored):
        raise InputError("two snapshots are in one slot")
    settings = TrackSettings(preset, checked_cues(row.get("cues", {})), dict(stored))
    return SetListTrack(track_file(path, name, f"track {number + 1}"), _text(row, "title", _LONGEST_TITLE), settings)


def _snapshot(row: Any, track: int) -> tuple[int, StoredSnapshot]:  # noqa: ANN401
    _check_fields(row, _SNAPSHOT_FIELDS, "a [[track.snapshot]]")
    slot = row.get("slot")
    if isinstance(slot, bool) or not isinstance(slot, int) or not 1 <= slot <= SLOTS:
        raise InputError(f"slot {_short(slot)} of a snapshot is none from 1 to {SLOTS}")
    faders = _numbers(row.get("faders", {}), MIDLEVEL, "fader")
    targets = _numbers(row.get("targets", {}), EMOTIONS, "target")
    low, high = TARGET_RANGE
    for name, value in targets.items():
        if not low <= value <= high:
            raise InputError(f"target {name} = {value:g} of snapshot {slot}: shifts go from {low:g} to {high:g}")
    (wet,) = _numbers({"wet": row.get("wet", 1.0)}, ("wet",), "wet").values()
    snapshot = Snapshot(tuple(faders.get(name, 0.0) for name in MIDLEVEL), targets, wet)
    solved_for = track if not targets else -1  # (of no track: its targets are solved when it is recalled)
    return slot, StoredSnapshot(snapshot, _text(row, "name", LONGEST_NAME) or str(slot), solved_for)


def _check_fields(row: Any, known: set[str], what: str) -> None:  # noqa: ANN401
    if not isinstance(row, dict):
        raise InputError(f"{what} is a table")
    if unknown := sorted(set(row) - known):
        raise InputError(f"{what} has no field {unknown[0][:40]!r}: there are {', '.join(sorted(known))}")


def _text(row: Mapping[str, Any], name: str, longest: int) -> str:
    value = row.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InputError(f"{name} is a text of at most {longest} printable characters")
    return value


def _numbers(row: Any, names: tuple[str, ...], what: str) -> dict[str, float]:  # noqa: ANN401
    if not isinstance(row, dict):
        raise InputError(f"{what}s are a table of numbers")
    for name, value in row.items():
        if name not in names:
            raise InputError(f"there is no {what} {name[:40]!r}: there are {', '.join(names)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{what} {name} = {_short(value)} is no number")
    return {name: float(value) for name, value in row.items()}


def _short(value: object) -> str:
    return repr(value)[:40]
