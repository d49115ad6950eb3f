"""A track of a set list: its file, its title, and what belongs to it."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...models.common.errors import InputError
from ...models.common.paths import find_written_file
from ..show.track_settings import TrackSettings

MAX_TRACKS: Final = 2000


@dataclass(frozen=True)
class SetListTrack:
    """One track of a set list.

    Attributes
    ----------
    file : Path
        The sound file.
    title : str
        What is shown; empty: the file's name.
    settings : TrackSettings
        Preset, cue points and snapshots.
    """

    file: Path
    title: str = ""
    settings: TrackSettings = field(default_factory=TrackSettings)

    @property
    def shown(self) -> str:
        """Title, or the file's name without its suffix."""
        return self.title or self.file.stem


def track_file(set_list: Path, name: str, where: str) -> Path:
    """The sound file that a list names, relative to the list's folder.

    Raises
    ------
    InputError
        If there is none.
    """
    path = None
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # (names that the system refuses; no home folder)
        path = find_written_file(set_list.parent, str(Path(name).expanduser()))
    if path is None:
        raise InputError(f"{set_list}: {where}: there is no file {name[:200]!r}")
    return path
