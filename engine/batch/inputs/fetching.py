"""The bytes of a source as a local file: the file itself, or a copy of what a URL names while it is worked on."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ....models.common.errors import InputError
from ..common.errors import StorageLostError, lost_storage, one_line
from ..common.storage import file_system, is_url
from ..common.tasks import Source


@contextlib.contextmanager
def fetched(source: Source) -> Iterator[Path]:
    """Give a local file with the content of a source.

    Raises
    ------
    InputError
        For a file that is not there or cannot be read.
    StorageLostError
        Where the folder that it was found in, or its server, is not there any more.
    """
    if not is_url(source.url):
        path = Path(source.url)
        if not path.exists() and source.root and not os.path.isdir(source.root):  # noqa: PTH112
            raise StorageLostError(f"{source.root}: the folder is not there any more")
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: it is a folder, a pipe or a device, a sound file is needed")
        yield path
        return
    suffix = os.path.splitext(source.path)[1]  # noqa: PTH122
    handle, name = tempfile.mkstemp(prefix="moodfader-", suffix=suffix)
    os.close(handle)
    try:
        _download(source, name)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _download(source: Source, name: str) -> None:
    system, path = file_system(source.url)
    try:
        system.get_file(path, name)
    except FileNotFoundError:
        raise InputError(f"{source.url}: no such file") from None
    except PermissionError as error:
        raise InputError(f"{source.url}: cannot be read ({one_line(error)})") from error
    except Exception as error:  # (each protocol has errors of its own)
        if lost_storage(error):
            raise StorageLostError(f"{source.url}: {one_line(error)}") from error
        raise InputError(f"{source.url}: cannot be read ({one_line(error)})") from error
