"""Sound files of a batch: folders with all below them, globs, single files, at paths and at fsspec URLs."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ....models.common.errors import InputError
from ..common.errors import StorageLostError, lost_storage, one_line
from ..common.storage import PARTIAL, file_system, is_url, local_path
from ..common.tasks import Source

_LOSSLESS: Final = (".wav", ".wave", ".w64", ".rf64", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd")
_LOSSY: Final = (".mp3", ".mp2", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".mka", ".webm", ".ac3")
SOUND_SUFFIXES: Final = frozenset((*_LOSSLESS, *_LOSSY, ".ape", ".wv", ".tta"))
"""Names that count as sound in a folder; a glob and a manifest take any."""
_MAGIC: Final = frozenset("*?[")


def find_sources(text: str, *, but: str | None = None) -> list[Source]:
    """Find the sound files that an argument names, sorted by path.

    Parameters
    ----------
    text
        A folder, a glob or a file, at a path or an fsspec URL.
    but
        A folder that is left out, wherever it is met: the destination.

    Raises
    ------
    InputError
        If nothing is there, or no sound file.
    """
    found = list(_remote(text, but) if is_url(text) else _local(str(local_path(text)), but))
    if not found:
        silent = ", or nothing answers" if is_url(text) else ""
        raise InputError(
            f"{text}: no sound file is there{silent} (names that count: {' '.join(sorted(SOUND_SUFFIXES)[:9])} ...)"
        )
    return sorted(found, key=lambda source: source.path)


def describe_source(url: str, root: str, path: str) -> Source:
    """A source that a manifest names; its stamp is looked up where that costs no request."""
    return Source(url, root, path, (0, "") if is_url(url) else _stamp(url))


def _local(text: str, but: str | None) -> Iterator[Source]:
    if os.path.isdir(text):  # noqa: PTH112
        yield from _walk(text, None if but is None or is_url(but) else os.path.realpath(but))
        return
    if _MAGIC & set(text) and not os.path.lexists(text):
        root = _fixed_part(text)
        paths = (path for path in glob.iglob(text, recursive=True) if os.path.isfile(path))  # noqa: PTH113, PTH207
        for path in paths:
            yield Source(path, root, os.path.relpath(path, root).replace(os.sep, "/"), _stamp(path))
        return
    if not os.path.lexists(text):
        raise InputError(f"{text}: no such file or folder")
    yield Source(text, os.path.dirname(text) or ".", os.path.basename(text), _stamp(text))  # noqa: PTH119, PTH120


def _walk(root: str, but: str | None) -> Iterator[Source]:
    """Sound files in a folder and below; symbolic links are followed, but each folder is entered once."""
    entered: set[tuple[int, int]] = set()

    def failed(error: OSError) -> None:
        if error.filename == root:
            raise InputError(f"{root}: cannot be read ({error.strerror})") from error

    for folder, folders, files in os.walk(root, followlinks=True, onerror=failed):
        about = os.stat(folder)  # noqa: PTH116
        if (about.st_dev, about.st_ino) in entered or (but is not None and os.path.realpath(folder) == but):
            folders.clear()
            continue
        entered.add((about.st_dev, about.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SOUND_SUFFIXES:  # noqa: PTH122
                path = os.path.join(folder, name)  # noqa: PTH118
                yield Source(path, root, os.path.relpath(path, root).replace(os.sep, "/"), _stamp(path))


def _fixed_part(pattern: str) -> str:
    """The folder before the first part of a pattern that has a wild card."""
    fixed = []
    for part in Path(pattern).parts:
        if _MAGIC & set(part):
            break
        fixed.append(part)
    return str(Path(*fixed)) if fixed else "."


def _stamp(path: str) -> tuple[int, str]:
    try:
        about = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return 0, ""
    return about.st_size, str(about.st_mtime_ns)


def _remote(url: str, but: str | None) -> Iterator[Source]:
    """Files behind a URL; in a chain (`zip://*.wav::s3://...`) those of its first link."""
    system, path = file_system(url)
    first, _, rest = url.partition("::")
    protocol = first.partition("://")[0]

    def named(member: str) -> str:
        whole = member if "://" in member else f"{protocol}://{member.lstrip('/') if rest else member}"
        return f"{whole}::{rest}" if rest else whole

    try:
        if _MAGIC & set(first.partition("://")[2]):
            root = _fixed_part(path)
            found, any_name = system.glob(path, detail=True), True
        elif (about := _file_info(system, path)) is not None:
            root, found, any_name = path.rpartition("/")[0], {path: about}, True
        else:
            root, found, any_name = path.rstrip("/"), system.find(path, detail=True), False
    except FileNotFoundError:
        raise InputError(f"{url}: nothing is there") from None
    except Exception as error:
        if lost_storage(error):
            raise StorageLostError(f"{url}: {one_line(error)}") from error
        raise InputError(f"{url}: cannot be read ({one_line(error)})") from error
    inside = f"{but.rstrip('/')}/" if but is not None and is_url(but) else None
    for member, about in found.items():
        name = member.rsplit("/", 1)[-1]
        if inside is not None and named(member).startswith(inside):
            continue
        if about.get("type") == "directory" or name.startswith(".") or f"/{PARTIAL}/" in member:
            continue
        if any_name or os.path.splitext(name)[1].lower() in SOUND_SUFFIXES:  # noqa: PTH122
            relative = member[len(root) :].lstrip("/") if member.startswith(root) and root != "." else member
            yield Source(named(member), named(root) if root not in ("", ".") else url, relative, _remote_stamp(about))


def _file_info(system: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
    """What is known of a file; None for a folder or a prefix."""
    try:
        about: dict[str, Any] = system.info(path)
    except FileNotFoundError:
        return None
    return about if about.get("type") == "file" and not path.endswith("/") else None


def _remote_stamp(about: dict[str, Any]) -> tuple[int, str]:
    mark = next(
        (about[key] for key in ("ETag", "etag", "md5Hash", "CRC", "LastModified", "mtime") if about.get(key)), ""
    )
    return int(about.get("size") or 0), str(mark)
