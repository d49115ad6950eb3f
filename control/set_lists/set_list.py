"""A set list: what is played, and in which order; from sound files, playlists and set lists of our own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ...models.common.errors import InputError
from .tracks import MAX_TRACKS, SetListTrack

PLAYLISTS: Final = (".m3u8", ".m3u")
OWN_FORMAT: Final = ".toml"


def read_set_list(paths: Sequence[Path]) -> tuple[SetListTrack, ...]:
    """The tracks of sound files, playlists and set lists, in their order.

    Parameters
    ----------
    paths : sequence of Path
        Files that end in .m3u8, .m3u or .toml are read as lists; all others are sound files.

    Raises
    ------
    InputError
        For a list that cannot be read, is empty, or names a file that is not there; and for too many tracks.
    """
    tracks: list[SetListTrack] = []
    for path in paths:
        suffix = path.suffix.lower()
        if suffix in PLAYLISTS:
            from .playlist import read_playlist

            tracks += read_playlist(path)
        elif suffix == OWN_FORMAT:
            from .toml_file import read_toml

            tracks += read_toml(path)
        else:
            tracks.append(SetListTrack(path))
    if len(tracks) > MAX_TRACKS:
        raise InputError(f"the set list has {len(tracks)} tracks, more than {MAX_TRACKS}")
    return tuple(tracks)
