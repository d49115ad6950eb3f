"""The session: the state of a running show, which all surfaces (terminal, OSC, MIDI, web, scripts) set and read.

A value that is set is checked against the table of parameters, sent to the player, and recorded when the player
reports the sample at which it took effect.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ...engine.analysis.surrogate import TrackSummary
from ...engine.live.player import Player
from ...engine.live.player_options import PlayerOptions
from ...engine.processes.lasting_loop import run_rounds
from ...engine.processes.messages import PlayerMessage, PlayerMeters
from ...models.common.errors import InputError
from ...models.common.paths import config_dir
from ..parameters.table import PARAMETERS, ROOT, Value, find_parameter
from ..show.kept_settings import read_kept
from ..show.slots import StoredSnapshot
from ..show.track_settings import TrackSettings
from .performance_recorder import PerformanceRecorder
from .player_messages import take_message
from .refresh import refresh
from .setting import set_value
from .state import SessionState, is_shown_only
from .values.change_signal import Observer
from .values.meters import PlayerInterface

if TYPE_CHECKING:
    from ...engine.performance.automation_file import AutomationWriter
    from .early_player import EarlyPlayer

_METERS_S: Final = 0.05
_MOVING_S: Final = 0.02
"""Time between two readings of the meters; while faders are on their way they are set as often."""


class Session:
    """The values of all addresses, and the player that follows them."""

    def __init__(
        self, *, record: "AutomationWriter | None" = None, note: Callable[[str], None] | None = None
    ) -> None:
        """Create a session without a player (see `start_player`, `attach`); `note` takes messages for the user."""
        note = note or (lambda text: None)
        self._state = SessionState(PerformanceRecorder(record, note), note)
        self._closing = threading.Event()

    @classmethod
    def play(
        cls,
        files: Sequence[Path],
        options: PlayerOptions,
        *,
        record: "AutomationWriter | None" = None,
        note: Callable[[str], None] | None = None,
    ) -> "Session":
        """Create a session and start its player, paused. Raises InputError."""
        session = cls(record=record, note=note)
        session.start_player(files, options)
        return session

    def start_player(
        self,
        files: Sequence[Path],
        options: PlayerOptions,
        *,
        record: Path | None = None,
        settings: Sequence[TrackSettings] = (),
        started: "EarlyPlayer | None" = None,
    ) -> None:
        """Start a player for these files, paused; the values that were set before are sent to it.

        Parameters
        ----------
        files : sequence of Path
            The set list.
        options : PlayerOptions
            Output device and rendering.
        record : Path, optional
            Automation file to write; created once the player has started.
        settings : sequence of TrackSettings
            What a set list says about each of the files.
        started : EarlyPlayer, optional
            The player for these, where somebody has begun to start it.

        Raises
        ------
        InputError
            If a file cannot be played, the device not be opened, or the automation file not be created.
        """
        take = started.take if started is not None else lambda follow: Player(files, follow, options)
        player = take(self.handle_message)
        try:
            read_kept(self._state.show_control, config_dir(), self._state.note)
            self._state.show_control.use_set_list(settings)
            if record is not None:
                from ...engine.performance.automation_file import AutomationWriter

                self._state.recording = PerformanceRecorder(
                    AutomationWriter(record), self._state.note, coupled=bool(options.analysis.get("coupled", False))
                )
            sent = started.controls if started is not None else {}
            self.attach(player, tracks=[str(file) for file in files], ceiling_dbtp=options.ceiling_dbtp, sent=sent)
        except BaseException:
            player.close()
            raise
        told = {"who": "the show's state", "tell": self._state.note}
        threading.Thread(target=run_rounds, args=(self._follow, self._closing), kwargs=told, daemon=True).start()

    def attach(
        self,
        player: PlayerInterface,
        *,
        tracks: Sequence[str] = (),
        ceiling_dbtp: float = -1.0,
        sent: Mapping[str, Value] = MappingProxyType({}),
    ) -> None:
        """Use this player and send it the values that differ from the defaults and from `sent`; a recording begins.

        sent: what it has been told before, by address.
        """
        with self._state.lock:
            about = {"sample_rate": player.sample_rate, "channels": player.channels}
            self._state.recording.begin(tracks, **about, ceiling_dbtp=ceiling_dbtp)
            self._state.player = player
            recording = f"{ROOT}/state/recording"
            self._state.values.update({f"{ROOT}/transport/tracks": len(tracks), recording: self.is_recording})
            for control in PARAMETERS:
                value = self._state.values[control.address]
                known = sent.get(control.address, control.default)
                if control.writable and value != known and not is_shown_only(control.address):
                    player.set(control.address, value)
        self.refresh()

    def set(self, address: str, value: object, *, source: str = "") -> None:
        """Set a control.

        Parameters
        ----------
        address : str
            For instance ``/moodfader/midlevel/modality``.
        value : object
            The new value.
        source : str
            Who sets it, for the recording.

        Raises
        ------
        InputError
            If the address or the value is not valid, or the action fails for any other reason (one line that the
            surface can show); nothing is changed then.
        """
        try:
            set_value(self._state, address, value, source)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"{address}: cannot be done ({type(error).__name__}: {error})") from error

    def get(self, address: str) -> Value:
        """The value of an address. Raises InputError for an unknown one."""
        return self._state.values[find_parameter(address).address]

    def state(self) -> dict[str, Value]:
        """A copy of all values by address."""
        return self._state.values.all()

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The current version, and the values that changed after `version` (0: all)."""
        return self._state.values.changes_since(version)

    def watch(self, observer: Observer) -> Callable[[], None]:
        """Tell an observer of every change of values, from any thread; what is returned ends that."""
        return self._state.values.watch(observer)

    @property
    def meters(self) -> PlayerMeters | None:
        """The meters of the player as last read; None before."""
        return self._state.meters

    @property
    def is_recording(self) -> bool:
        """Whether the show is being recorded."""
        return self._state.recording.is_recording

    @property
    def analysis_progress(self) -> float | None:
        """Progress of the analysis of the track that plays, 0..1; None before it began."""
        return self._state.tracks.progress.get(self._state.meters.track if self._state.meters else 0)

    @property
    def track_summaries(self) -> Mapping[int, TrackSummary]:
        """Summaries of the analysed tracks, by number."""
        return dict(self._state.tracks.summaries)

    @property
    def stored_snapshots(self) -> Mapping[int, StoredSnapshot]:
        """What is in the slots of snapshots."""
        with self._state.lock:
            return self._state.show_control.slots.all()

    def restore_snapshots(self, snapshots: Mapping[int, StoredSnapshot], track: int) -> None:
        """Put snapshots into their slots, and let that track begin without its preset."""
        with self._state.lock:
            self._state.show_control.resume(snapshots, track, self._state.moment().track)
            self._state.values.update(self._state.show_control.status(self._state.moment()))

    @property
    def thumbnails(self) -> Mapping[int, np.ndarray]:
        """Thumbnail spectrograms of the analysed tracks, by number."""
        return dict(self._state.tracks.thumbnails)

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out over `fade_s` seconds, stop the player and end the recording."""
        with self._state.lock:
            if self._closing.is_set():
                return
            self._closing.set()
            player = self._state.player
        if player is not None:
            player.close(fade_s=fade_s)
        with self._state.lock:
            self._state.player = None
        self._state.recording.end(None if player is None else player.samples_played)

    def handle_message(self, message: PlayerMessage) -> None:
        """Handle a message of the player; errors become notes."""
        try:
            take_message(self._state, message)
        except InputError as error:
            self._state.note(str(error))
        except Exception as error:
            self._state.note(f"{type(message).__name__}: {type(error).__name__}: {error}")

    def refresh(self) -> None:
        """Read the player's meters and update the values that depend on them."""
        refresh(self._state)

    def _follow(self) -> None:
        """One round of a thread: read the meters."""
        if not self._closing.wait(_MOVING_S if self._state.show_control.is_moving else _METERS_S):
            self.refresh()
