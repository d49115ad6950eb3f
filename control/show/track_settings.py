"""What belongs to a track in a show: the preset with which it begins, cue points and snapshots of a set list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..parameters.parameter import ROOT, Value
from .kept_by_sound import read_by_sound, save_by_sound
from .slots import StoredSnapshot

FILE: Final = "track_presets.json"
PRESET: Final = f"{ROOT}/track/preset"
_LONGEST: Final = 64


@dataclass(frozen=True)
class TrackSettings:
    """What a set list says about one track.

    Attributes
    ----------
    preset : str
        The preset that is loaded when the track begins; empty: none.
    cues : mapping
        Cue points in s by number, 1 to 9.
    snapshots : mapping
        Snapshots that are put into their slots when the track begins, by slot.
    """

    preset: str = ""
    cues: Mapping[int, float] = field(default_factory=dict)
    snapshots: Mapping[int, StoredSnapshot] = field(default_factory=dict)


class TrackPresets:
    """The preset of each track: as set in this show, of the set list, or as kept by its sound, in this order."""

    def __init__(self, path: Path | None = None) -> None:
        """Read what is kept in the file; None: nothing is kept. Raises InputError for a file that is no such."""
        self._path = path
        self._by_digest = {} if path is None else read_by_sound(path, "presets", _checked)
        self._by_track: dict[int, str] = {}
        self._given: dict[int, str] = {}

    def give(self, settings: Sequence[TrackSettings]) -> None:
        """Take the presets of a set list, by number of the track."""
        self._given = {track: one.preset for track, one in enumerate(settings) if one.preset}

    def of(self, track: int, digest: str | None) -> str:
        """The preset of a track; empty: none."""
        if track in self._by_track:
            return self._by_track[track]
        return self._given.get(track) or (self._by_digest.get(digest, "") if digest else "")

    def set(self, name: str, *, track: int, digest: str | None) -> None:
        """Set the preset of a track; empty: none. Raises InputError where it cannot be kept."""
        self._by_track[track] = name
        if digest is not None:
            self._keep(digest, name)

    def identify(self, track: int, digest: str) -> None:
        """Take note of the digest of a track; what was set for it is kept by that from now on. Raises InputError."""
        if track in self._by_track and self._by_digest.get(digest, "") != self._by_track[track]:
            self._keep(digest, self._by_track[track])

    def values(self, track: int, digest: str | None) -> dict[str, Value]:
        """What the address shows while a track plays."""
        return {PRESET: self.of(track, digest)}

    def _keep(self, digest: str, name: str) -> None:
        self._by_digest.pop(digest, None)
        if name:
            self._by_digest[digest] = name
        if self._path is not None:
            save_by_sound(self._path, "presets", self._by_digest)


def _checked(name: Any) -> str:  # noqa: ANN401
    if not isinstance(name, str) or len(name) > _LONGEST or not name.isprintable():
        raise InputError(f"{str(name)[:20]!r} is no name of a preset")
    return name
