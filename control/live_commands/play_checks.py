"""Checks of the options and files of `play`, made before a device, a port or a file to write is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...models.common.constants import QUALITIES
from ...models.common.errors import InputError
from ..set_lists.set_list import read_set_list
from ..show.track_settings import TrackSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..parameters.parameter import Value
    from ..saved_session.saved_show import SavedShow
    from ..set_lists.tracks import SetListTrack


def check_options(
    backend: str,
    block: int,
    ceiling: float,
    rate: int | None,
    channels: int | None,
    render_ahead: int | None,
    model: Path | None,
    quality: str,
    record: Path | None,
) -> None:
    """What can be told without opening anything. Raises InputError."""
    if model is not None and not model.is_file():
        raise InputError(f"{model}: no such model file")
    if render_ahead is not None and not 0 <= render_ahead <= 192_000:
        raise InputError(f"--render-ahead {render_ahead}: goes from 0 to 192000 samples")
    known = ("auto", "jack", "portaudio", "pyo", "null")
    if backend not in known:
        raise InputError(f"no back end is called {backend!r}: there are {', '.join(known)}")
    if not 32 <= block <= 8192:
        raise InputError(f"--block {block}: goes from 32 to 8192 samples")
    if not -20 <= ceiling <= 0:
        raise InputError(f"--ceiling {ceiling:g}: goes from -20 to 0 dBTP")
    if rate is not None and not 8_000 <= rate <= 192_000:
        raise InputError(f"--rate {rate}: goes from 8000 to 192000 Hz (in kHz?)")
    if channels is not None and not 1 <= channels <= 8:
        raise InputError(f"--channels {channels}: goes from 1 to 8")
    if quality not in QUALITIES:
        raise InputError(f"--quality {quality}: there are {', '.join(QUALITIES)}")
    if quality == "draft" and record is not None:
        raise InputError("--record: is rendered with the full analysis; leave --quality draft out")


@dataclass(frozen=True)
class ShowToPlay:
    """The tracks of a show, and how it begins.

    Attributes
    ----------
    given
        Sound files, playlists and set lists as they were given.
    tracks
        The tracks that these contain.
    resumed
        The saved show that goes on with --resume; None: a new one.
    plays
        Whether the first track plays at once.
    """

    given: list[Path]
    tracks: "tuple[SetListTrack, ...]"
    resumed: "SavedShow | None"
    plays: bool

    @property
    def paths(self) -> list[Path]:
        """The sound files."""
        return [track.file for track in self.tracks]

    @property
    def titles(self) -> list[str]:
        """What the surfaces call the tracks."""
        return [track.shown for track in self.tracks]

    @property
    def needs_no_session(self) -> bool:
        """Whether it can sound before there is a session: a new show without presets, cues or snapshots of tracks."""
        return self.plays and self.resumed is None and all(one.settings == TrackSettings() for one in self.tracks)


def show_to_play(files: Sequence[Path] | None, *, resume: bool, paused: bool) -> ShowToPlay:
    """Read the set list, and look at each of its sound files. Raises InputError."""
    from ...engine.audio.decode import probe

    saved = _show_to_resume(files) if resume else None
    given = list(files or (saved.given if saved is not None else ()))
    plays = not paused and (saved is None or saved.playing)
    show = ShowToPlay(given, read_set_list(given), saved, plays)
    if not show.tracks:
        raise InputError("which files? (sound files, playlists .m3u8 or set lists .toml; --resume: the last show)")
    if saved is not None and [path.absolute() for path in show.paths] != list(saved.tracks):
        raise InputError("--resume: the set list has other tracks than the show had (play it without --resume)")
    for file in show.paths:
        probe(file)
    return show


def checked_controls(gains_db: "Mapping[str, float]", *, plays: bool) -> "dict[str, Value]":
    """What is set at the beginning, by address, in order: the faders, and whether it plays. Raises InputError."""
    from ..parameters.table import ROOT, find_parameter

    given: dict[str, Value] = {f"{ROOT}/midlevel/{name}": value for name, value in gains_db.items()}
    if plays:
        given[f"{ROOT}/transport/play"] = True
    return {address: find_parameter(address).validate(value) for address, value in given.items()}


def _show_to_resume(files: Sequence[Path] | None) -> "SavedShow":
    """The show with which --resume goes on. Raises InputError if there is none, or one with other files is wanted."""
    from ..saved_session.keeper import show_file
    from ..saved_session.saved_show import read_show

    show = read_show(show_file())
    if show is None:
        raise InputError("--resume: no show has been kept yet")
    if files and [path.absolute() for path in files] != list(show.given):
        names = " ".join(path.name for path in show.given[:3]) + (" ..." if len(show.given) > 3 else "")
        raise InputError(f"--resume: the last show was another one ({names}); --resume alone goes on with it")
    if gone := next((path for path in (*show.given, *show.tracks) if not path.is_file()), None):
        raise InputError(f"--resume: {gone}: is not there any more")
    return show
