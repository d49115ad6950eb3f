"""Small tables that are kept for tracks by the digest of their sound, as JSON files in the configuration folder.

    {"cues": {"<digest>": {"1": 31.5}}}

A track is found again by its samples, whatever its file is called and wherever it lies.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from ...models.common.atomic_write import atomic_write, make_folder
from ...models.common.errors import InputError
from ...models.common.parsing import parse_json, read_text

Row = TypeVar("Row")
_MAX_BYTES: Final = 8 << 20
_MAX_TRACKS: Final = 20_000


def read_by_sound(path: Path, what: str, check: Callable[[Any], Row]) -> dict[str, Row]:
    """Rows by digest; none if there is no such file.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        Name of the table in it.
    check : callable
        Converts the value of one track; raises InputError for what is none.

    Raises
    ------
    InputError
        For a file that cannot be read, is too large or holds something else.
    """
    try:
        content: Any = parse_json(read_text(path, limit=_MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: cannot be read ({error})") from error
    tracks = content.get(what) if isinstance(content, dict) else None
    if not isinstance(tracks, dict):
        raise InputError(f"{path}: there are no {what} in it")
    try:
        return {str(digest): check(row) for digest, row in tracks.items()}
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def save_by_sound(path: Path, what: str, rows: Mapping[str, object]) -> None:
    """Write rows by digest, of a great many the newest. Raises InputError."""
    make_folder(path.parent)
    newest = dict(list(rows.items())[-_MAX_TRACKS:])
    with atomic_write(path) as beside:
        beside.write_text(json.dumps({what: newest}, indent=1) + "\n", encoding="utf-8")
