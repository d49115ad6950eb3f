"""A track of a set list: its file, its title, and what belongs to it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...models.common.errors import InputError
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
    path = set_list.parent / Path(name).expanduser()
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise InputError(f"{set_list}: {where}: there is no file {name[:200]!r}")
    return path
