"""Cue points of tracks: positions to go to, kept by the sound of the track, whatever its file is called."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..parameters.parameter import ROOT, Value
from ..parameters.snapshot_rows import SLOTS
from .kept_by_sound import read_by_sound, save_by_sound

FILE: Final = "cues.json"
_LONGEST_S: Final = 1e7


class CuePoints:
    """Cue points 1 to 9 of every track: by its digest, and by its number until that is known."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is kept in the file; None: nothing is kept.

        Raises InputError for a file that cannot be read or holds something else.
        """
        self._path = path
        self._by_digest = {} if path is None else read_by_sound(path, "cues", checked_cues)
        self._by_track: dict[int, dict[int, float]] = {}
        self._given: dict[int, dict[int, float]] = {}

    def give(self, track: int, points: Mapping[int, float]) -> None:
        """Cue points of a set list: they are there for this show, unless they are set anew."""
        self._given[track] = dict(points)

    def of(self, track: int, digest: str | None) -> Mapping[int, float]:
        """The cue points of a track in seconds, by number."""
        known = self._by_digest.get(digest, {}) if digest else {}
        return {**known, **self._given.get(track, {}), **self._by_track.get(track, {})}

    def set(self, cue: int, position_s: float, *, track: int, digest: str | None) -> None:
        """Set one. Raises InputError where it cannot be kept (it is there until the end, all the same)."""
        self._given.get(track, {}).pop(cue, None)
        self._own(track, digest)[cue] = round(position_s, 3)
        self._save(digest)

    def clear(self, cue: int, *, track: int, digest: str | None) -> None:
        """Remove one. Raises InputError if it is not set, or cannot be kept."""
        self.position(cue, track=track, digest=digest)
        self._given.get(track, {}).pop(cue, None)
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
        if self._path is not None and digest is not None:
            save_by_sound(self._path, "cues", {known: points for known, points in self._by_digest.items() if points})


def checked_cues(points: Any) -> dict[int, float]:  # noqa: ANN401
    """Cue points as a file has them: positions in s by number as text. Raises InputError for what is none."""
    if not isinstance(points, Mapping):
        raise InputError("these are no cue points")
    found = {}
    for cue, position in points.items():
        known = isinstance(cue, str) and cue.isascii() and cue.isdecimal() and len(cue) == 1 and cue != "0"
        number = isinstance(position, int | float) and not isinstance(position, bool) and math.isfinite(position)
        if not known or not number or not 0 <= position <= _LONGEST_S:
            raise InputError(f"cue {str(cue)[:20]} at {str(position)[:20]} is none")
        found[int(cue)] = float(position)
    return found
