"""Cue points of tracks: positions to go to, kept by the sound of the track, whatever its file is called."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...models.common.atomic_write import atomic_write, make_folder
from ...models.common.errors import InputError
from ...models.common.parsing import parse_json, read_text
from ..parameters.parameter import ROOT, Value
from ..parameters.snapshot_rows import SLOTS

FILE: Final = "cues.json"
_MOST_BYTES: Final = 8 << 20
_MOST_TRACKS: Final = 20_000
_LONGEST_S: Final = 1e7


class CuePoints:
    """Cue points 1 to 9 of every track: by its digest, and by its number until that is known."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is kept in the file; None: nothing is kept.

        Raises InputError for a file that cannot be read or holds something else.
        """
        self._path = path
        self._by_digest: dict[str, dict[int, float]] = _read(path) if path is not None and path.exists() else {}
        self._by_track: dict[int, dict[int, float]] = {}

    def of(self, track: int, digest: str | None) -> Mapping[int, float]:
        """The cue points of a track in seconds, by number."""
        known = self._by_digest.get(digest, {}) if digest else {}
        return {**known, **self._by_track.get(track, {})}

    def set(self, cue: int, position_s: float, *, track: int, digest: str | None) -> None:
        """Set one. Raises InputError where it cannot be kept (it is there until the end, all the same)."""
        self._own(track, digest)[cue] = round(position_s, 3)
        self._save(digest)

    def clear(self, cue: int, *, track: int, digest: str | None) -> None:
        """Remove one. Raises InputError if it is not set, or cannot be kept."""
        self.position(cue, track=track, digest=digest)
        self._own(track, digest).pop(cue, None)
        self._save(digest)

    def position(self, cue: int, *, track: int, digest: str | None) -> float:
        """Where it is, in seconds. Raises InputError if it is not set."""
        points = self.of(track, digest)
        if cue not in points:
            raise InputError(f"cue {cue} is not set on this track (cue/set sets it where the track is)")
        return points[cue]

    def identify(self, track: int, digest: str) -> None:
        """Take note of the digest of a track; its cue points are kept by that from now on. Raises InputError."""
        if points := self._by_track.pop(track, None):
            self._by_digest.setdefault(digest, {}).update(points)
            self._save(digest)

    def values(self, track: int, digest: str | None) -> dict[str, Value]:
        """What the addresses of the cue points show while a track plays."""
        points = self.of(track, digest)
        return {f"{ROOT}/cue/points/{cue}": points.get(cue) for cue in range(1, SLOTS + 1)}

    def _own(self, track: int, digest: str | None) -> dict[int, float]:
        if digest is None:
            return self._by_track.setdefault(track, {})
        return self._by_digest.setdefault(digest, {})

    def _save(self, digest: str | None) -> None:
        if self._path is None or digest is None:
            return
        kept = {known: points for known, points in self._by_digest.items() if points}
        make_folder(self._path.parent)
        newest = dict(list(kept.items())[-_MOST_TRACKS:])
        with atomic_write(self._path) as beside:
            beside.write_text(json.dumps({"cues": newest}, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, dict[int, float]]:
    try:
        content: Any = parse_json(read_text(path, limit=_MOST_BYTES))
    except (OSError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: cannot be read ({error})") from error
    tracks = content.get("cues") if isinstance(content, dict) else None
    if not isinstance(tracks, dict) or not all(isinstance(points, dict) for points in tracks.values()):
        raise InputError(f"{path}: these are no cue points")
    return {str(digest): _checked(path, points) for digest, points in tracks.items()}


def _checked(path: Path, points: Mapping[str, Any]) -> dict[int, float]:
    found = {}
    for cue, position in points.items():
        known = cue.isascii() and cue.isdecimal() and len(cue) == 1 and cue != "0"
        number = isinstance(position, int | float) and not isinstance(position, bool) and math.isfinite(position)
        if not known or not number or not 0 <= position <= _LONGEST_S:
            raise InputError(f"{path}: cue {str(cue)[:20]} at {str(position)[:20]} is none")
        found[int(cue)] = float(position)
    return found
