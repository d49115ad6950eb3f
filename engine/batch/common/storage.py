"""Where a batch reads and writes: folders of this machine, or anything that fsspec has a URL for.

What is written is complete or not there: a local file is moved into place, an object is put in one request (an upload
of several parts counts when its last part has arrived), and on other remote file systems it is put beside and moved.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from ....models.common.atomic_write import make_readable
from ....models.common.errors import InputError
from ....models.common.extras import require
from .errors import StorageLostError, one_line

PARTIAL: Final = ".partial"
"""Folder in a local destination that holds files while they are written."""
_WHOLE_PUT: Final = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}
"""Protocols whose objects appear when they are complete."""


class Storage(Protocol):
    """A folder to write into. Errors of all methods: StorageLostError."""

    url: str
    local: Path | None

    def put(self, file: Path, name: str) -> None:
        """Move or upload a local file to `name`."""

    def read(self, name: str) -> bytes | None:
        """Content of a file, None where there is none."""

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""

    def names(self, folder: str = "") -> set[str]:
        """Names of all files in a folder, in the folders below it, too; relative to the storage."""


def is_url(text: str) -> bool:
    """Whether it is a URL of fsspec (`s3://bucket/key`, `zip://*.wav::file.zip`), not a path of this machine."""
    return "://" in text and not text.startswith(("file://", "local://"))


def local_path(text: str) -> Path:
    """The path that is named, also by a file:// URL."""
    for protocol in ("file://", "local://"):
        text = text.removeprefix(protocol)
    return Path(text)


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it. Raises InputError for a URL that fsspec cannot use."""
    require("fsspec")
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise InputError(f"{url}: {one_line(error)}") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{url}: not a URL that can be used ({one_line(error)})") from error
    except OSError as error:  # (some clients connect at once)
        raise InputError(f"{url}: nothing can be reached there ({one_line(error)})") from error
    return system, str(path)


def open_storage(url: str) -> Storage:
    """The storage at a path or a URL. Raises InputError for a URL that cannot be used."""
    return RemoteStorage(url) if is_url(url) else LocalStorage(local_path(url))


@contextlib.contextmanager
def _lost(what: str) -> Iterator[None]:
    try:
        yield
    except StorageLostError:
        raise
    except Exception as error:
        raise StorageLostError(f"{what}: {one_line(error)}") from error


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.local: Path | None = root
        self.url = str(root)
        self._root = root

    def put(self, file: Path, name: str) -> None:
        """Move a file into place; it is removed where it was."""
        target = self._root / name
        with _lost(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            if file.stat().st_dev == target.parent.stat().st_dev:
                file.replace(target)
                return
            handle, beside = tempfile.mkstemp(dir=partial_folder(self._root))
            os.close(handle)
            shutil.copyfile(file, beside)
            os.chmod(beside, file.stat().st_mode)  # noqa: PTH101
            Path(beside).replace(target)
            file.unlink()

    def read(self, name: str) -> bytes | None:
        """Content of a file, None where there is none."""
        with _lost(str(self._root / name)):
            path = self._root / name
            return path.read_bytes() if path.is_file() else None

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        with _lost(str(self._root / name)):
            (self._root / name).unlink(missing_ok=True)

    def names(self, folder: str = "") -> set[str]:
        """Names of all files below a folder."""
        found: set[str] = set()
        for where, _, files in os.walk(self._root / folder):
            relative = os.path.relpath(where, self._root)
            prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
            found.update(prefix + name for name in files)
        return found


class RemoteStorage:
    """A folder, bucket or prefix behind an fsspec URL."""

    def __init__(self, url: str) -> None:
        self.local: Path | None = None
        self.url = url
        self._system, path = file_system(url)
        self._root = path.rstrip("/")
        protocols = self._system.protocol
        self._whole = bool(_WHOLE_PUT & ({protocols} if isinstance(protocols, str) else set(protocols)))

    def put(self, file: Path, name: str) -> None:
        """Upload a file, see that all of it has arrived, and remove it here."""
        target = f"{self._root}/{name}"
        with _lost(f"{self.url}: {name}"):
            beside = target if self._whole else f"{target}.partial"
            if not self._whole:
                self._system.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            self._system.put_file(str(file), beside)
            self._system.invalidate_cache(target.rsplit("/", 1)[0])
            size, arrived = file.stat().st_size, self._system.info(beside)["size"]
            if size != arrived:
                raise OSError(f"{arrived} of {size} bytes have arrived")
            if not self._whole:
                self._system.mv(beside, target)
            file.unlink()

    def read(self, name: str) -> bytes | None:
        """Content of an object, None where there is none."""
        with _lost(f"{self.url}: {name}"):
            try:
                return bytes(self._system.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError:
                return None

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        with _lost(f"{self.url}: {name}"), contextlib.suppress(FileNotFoundError):
            self._system.rm_file(f"{self._root}/{name}")

    def names(self, folder: str = "") -> set[str]:
        """Names of all objects under a prefix."""
        with _lost(self.url):
            self._system.invalidate_cache()
            try:
                found = self._system.find(f"{self._root}/{folder}".rstrip("/"))
            except FileNotFoundError:
                return set()
        begin = len(self._system._strip_protocol(self._root)) + 1
        return {path[begin:] for path in found}


def put_made(storage: Storage, name: str, make: Callable[[Path], None]) -> None:
    """Write a file into a destination by a function that takes the path to write. Raises StorageLostError."""
    path: Path | None = None
    try:
        folder = None if storage.local is None else partial_folder(storage.local)
        handle, text = tempfile.mkstemp(prefix="moodfader-", dir=folder)
        os.close(handle)
        path = Path(text)
        make(path)
        make_readable(path)
        storage.put(path, name)
    except OSError as error:
        raise StorageLostError(f"{storage.url}/{name}: {error.strerror or error}") from error
    finally:
        if path is not None:
            path.unlink(missing_ok=True)


def put_bytes(storage: Storage, name: str, content: bytes) -> None:
    """Write a small file. Raises StorageLostError."""

    def write(path: Path) -> None:
        path.write_bytes(content)

    put_made(storage, name, write)


def partial_folder(root: Path) -> Path:
    """The folder for unfinished files in a local destination, made where it is not there."""
    folder = root / PARTIAL
    folder.mkdir(parents=True, exist_ok=True)
    return folder
