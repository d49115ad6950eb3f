"""Saves a running show, at most once a second and in a thread of its own, and reports one that crashed."""

import contextlib
import fcntl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...engine.processes.lasting_loop import run_rounds
from ...models.common.atomic_write import make_folder
from ...models.common.errors import InputError
from ...models.common.formatting import format_duration
from ...models.common.paths import state_dir
from ..parameters.table import ROOT
from .saved_show import KEPT, PLAY, TRACK, SavedShow, read_show, write_show

if TYPE_CHECKING:
    from ..session.session import Session

FILE: Final = "show.json"
_LOCK: Final = "show.lock"
_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 5.0
_SOUND: Final = f"{ROOT}/state/sound"
_POSITION: Final = f"{ROOT}/transport/position"


def show_file() -> Path:
    """Where the last show is kept, whether it is there or not."""
    return state_dir() / FILE


class ShowKeeper:
    """Saves a session to disk until `close`.

    Only one show of a user is kept at a time: a second `play` beside it leaves the file alone.

    Parameters
    ----------
    session : Session
        What is kept.
    tracks, given : sequence of Path
        The files of the set list, and what it was made of.
    note : callable
        Told in one line where it cannot be kept.
    """

    def __init__(
        self, session: "Session", tracks: Sequence[Path], given: Sequence[Path], *, note: Callable[[str], None]
    ) -> None:
        self._session, self._note = session, note
        self._base = SavedShow(tuple(map(Path.absolute, tracks)), tuple(map(Path.absolute, given)))
        self._written: SavedShow | None = None
        self._failed = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: _Lock | None = None
        try:
            self._lock = _take_lock()
        except InputError as error:
            note(f"this show is not kept for --resume: {error}")
            return
        if self._lock is None:
            note("this show is not kept for --resume: another one is")
            return
        told = {"who": "this show is not kept for --resume", "tell": note}
        arguments = self._keep, self._closing
        self._thread = threading.Thread(target=run_rounds, args=arguments, kwargs=told, name="keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Save the show for the last time, marked as ended."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            if self._thread.is_alive():  # (a disk that does not answer)
                return
            self._write(replace(self._present(), ended=True))
        if self._lock is not None:
            self._lock.close()

    def _keep(self) -> None:
        """One round of the thread."""
        if not self._closing.wait(_EVERY_S) and (show := self._present()) != self._written:
            self._write(show)

    def _present(self) -> SavedShow:
        """The present state of the show."""
        values = self._session.state()
        track, position = values[TRACK], values[_POSITION]
        if values[_SOUND] == "ended":  # (`play` begins the last track again)
            position = 0.0
        return replace(
            self._base,
            track=int(track) if isinstance(track, int | float) else 0,
            position_s=float(position) if isinstance(position, int | float) else 0.0,
            playing=bool(values[PLAY]),
            values={address: values[address] for address in KEPT},
            snapshots=self._session.stored_snapshots,
        )

    def _write(self, show: SavedShow) -> None:
        try:
            make_folder(state_dir())  # (who clears it up in the middle of a show must not lose the rest of it)
            write_show(show_file(), show)
            self._written, self._failed = show, False
        except InputError as error:
            if not self._failed:
                self._note(f"this show is not kept for --resume: {error}")
            self._failed = True


def crashed_show() -> str:
    """A line about the last show if it was not ended by anybody; empty otherwise, or while it still plays."""
    try:
        show = read_show(show_file())
        lock = _take_lock() if show is not None and not show.ended else None
    except InputError:
        return ""
    if show is None or lock is None:
        return ""
    lock.close()
    where = f"track {show.track + 1} of {len(show.tracks)}, {format_duration(show.position_s)}"
    return f"the last show was cut off ({where}): moodfader play --resume goes on there"


def restore_show(session: "Session", show: SavedShow) -> None:
    """Set a session that has its player as a show was kept; what cannot be set any more is left out.

    Raises nothing: a preset or track that has gone must not keep the rest from coming back.
    """
    session.restore_snapshots(show.snapshots, show.track)
    place = {TRACK: show.track, f"{ROOT}/transport/seek": show.position_s}
    for address, value in {**place, **show.values}.items():
        if value is not None and (value != session.get(address) or address not in KEPT):
            with contextlib.suppress(InputError):
                session.set(address, value, source="resume")


class _Lock:
    """A locked file; the lock ends with the program, however that ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()


def _take_lock() -> _Lock | None:
    """The lock of the kept show; None where another program has it. Raises InputError: no such folder can be made."""
    make_folder(state_dir())
    try:
        return _Lock(state_dir() / _LOCK)
    except BlockingIOError:
        return None
    except OSError as error:
        raise InputError(f"{state_dir()}: cannot be written to ({error.strerror or error})") from error
