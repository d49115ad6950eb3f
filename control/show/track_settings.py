"""What belongs to a track in a show: the preset with which it begins, cue points and snapshots of a set list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ...models.common.errors import InputError
from ..parameters.parameter import ROOT, Value
from .kept_by_sound import read_by_sound, save_by_sound
from .slots import SnapshotSlots, StoredSnapshot

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


class TrackStarts:
    """Loads what belongs to a track when it begins: its snapshots of the set list into `slots`, and its preset."""

    def __init__(self, slots: SnapshotSlots) -> None:
        self._slots = slots
        self._settings: tuple[TrackSettings, ...] = ()
        self._resumed: int | None = None
        self._expects_preset = False  # the track that plays has begun, and nobody has steered since
        self._asked: int | None = None  # the track that has been asked for and has not begun yet
        self._steered = False  # since it was asked for

    def use(self, settings: Sequence[TrackSettings]) -> None:
        """Take what a set list says about its tracks."""
        self._settings = tuple(settings)

    def resume(self, snapshots: Mapping[int, StoredSnapshot], track: int, playing: int) -> None:
        """Continue a saved show on that track, whose preset and snapshots are not loaded again.

        `playing` is the track that plays until then.
        """
        self._expects_preset, self._resumed = False, None if track == playing else track
        for slot, stored in snapshots.items():
            self._slots.restore(slot, stored)

    def ask(self, track: int, playing: int) -> None:
        """Note that a track was asked for, which begins in a moment: its snapshots are put into their slots now.

        So they are there for what is asked together with the track; how it is steered from now on is meant for it.
        """
        self._asked, self._steered = None if track == playing else track, False
        if self._asked is not None and track != self._resumed:
            self._fill_slots(track)

    def begin(self, track: int, *, with_preset: bool) -> None:
        """Begin a track: its snapshots are put into their slots, and (`with_preset`) its preset is due."""
        resumed, self._resumed = self._resumed == track, None
        asked, self._asked = self._asked == track, None
        self._expects_preset = with_preset and not resumed and not (asked and self._steered)
        if not resumed and not asked:
            self._fill_slots(track)

    def note_steered(self) -> None:
        """Note that something was steered: the preset of this track, or one asked for, is not loaded then."""
        self._expects_preset, self._steered = False, True

    def due_preset(self, name: str, *, is_known: bool) -> str:
        """The preset if it is due, once; else empty. `is_known`: of the sound of the track, so no other will be."""
        due = name if self._expects_preset else ""
        if due or is_known:
            self._expects_preset = False
        return due

    def _fill_slots(self, track: int) -> None:
        """Put the snapshots that the set list has of a track into their slots."""
        if track < len(self._settings):
            for slot, stored in self._settings[track].snapshots.items():
                self._slots.restore(slot, stored)


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
