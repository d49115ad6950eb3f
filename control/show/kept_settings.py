"""What the user keeps by the sound of tracks: cue points and presets, from the configuration folder."""

from collections.abc import Callable
from pathlib import Path

from ...models.common.errors import InputError
from .cue_points import FILE as CUES_FILE
from .cue_points import CuePoints
from .show_control import ShowControl
from .track_settings import FILE as PRESETS_FILE
from .track_settings import TrackPresets


def read_kept(show_control: ShowControl, folder: Path, note: Callable[[str], None]) -> None:
    """Give the control of a show what is kept; with a note nothing is kept where a file cannot be read.

    Parameters
    ----------
    show_control : ShowControl
        Whose cue points and presets of tracks are replaced.
    folder : Path
        The configuration folder.
    note : callable
        Told in one line.
    """
    try:
        show_control.cues = CuePoints(folder / CUES_FILE)
    except InputError as error:
        note(f"cue points are not kept: {error}")
    try:
        show_control.presets = TrackPresets(folder / PRESETS_FILE)
    except InputError as error:
        note(f"presets of tracks are not kept: {error}")
