"""The session: the state of a running show, which all surfaces (terminal, OSC, MIDI, web, scripts) set and read.

A value that is set is checked against the table of parameters, sent to the player, and recorded when the player
reports the sample at which it took effect.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from ...engine.analysis.surrogate import TrackSummary
from ...engine.live.player import Player
from ...engine.live.player_options import PlayerOptions
from ...engine.processes.messages import (
    AnalysisProgress,
    AppliedEvent,
    EventsApplied,
    MeasuredEffect,
    Notice,
    PlayerMessage,
    PlayerMeters,
    ProcessName,
    ProcessState,
    ProcessStatus,
    TargetsSolved,
    TrackAnalyzed,
    TrackThumbnail,
)
from ...models.common.errors import InputError
from ...models.common.paths import config_dir
from ..parameters.table import PARAMETERS, ROOT, Value, find_parameter
from ..show.analyzed_tracks import AnalyzedTracks
from ..show.kept_settings import read_kept
from ..show.moment import FADERS, Moment, snapshot_values
from ..show.show_control import Steering
from ..show.slots import StoredSnapshot
from ..show.track_settings import TrackSettings
from .change_signal import Listener
from .loop_edges import LOOP, LOOP_END, LOOP_START, TRACK, TrackLoops, move_edge
from .macros import expand_macro, save_faders
from .meters import NOTHING_MEASURED, PlayerInterface, expected_values, measured_values, meter_values
from .parameter_store import ParameterStore
from .performance_recorder import PerformanceRecorder
from .show_state import state_values

if TYPE_CHECKING:
    from ...engine.performance.automation_file import AutomationWriter
    from .early_player import EarlyPlayer

_METERS_S: Final = 0.05
_MOVING_S: Final = 0.02
"""Time between two readings of the meters; while faders are on their way they are set as often."""
_SHOWN_ONLY: Final = (
    "preset/", "snapshot/", "morph/", "cue/", "target", "reached/", "reachable/", "state/", "undo", "redo",
    "track/preset",
)  # fmt: skip
_BY_ITSELF, _MORPH, _SET_LIST = "targets", "morph", "set list"  # sources of changes that nobody sets
_NOT_HELD: Final = f"{ROOT}/transport/skip"
_SAVED: Final = f"{ROOT}/preset/save", f"{ROOT}/snapshot/preset"
_TIMES_SAVED: Final = f"{ROOT}/state/presets"


class Session:
    """The values of all addresses, and the player that follows them."""

    def __init__(
        self, *, record: "AutomationWriter | None" = None, note: Callable[[str], None] | None = None
    ) -> None:
        """Create a session without a player (see `start_player`, `attach`); `note` takes messages for the user."""
        self._values = ParameterStore({control.address: control.default for control in PARAMETERS})
        self._lock = threading.RLock()
        self._note = note or (lambda text: None)
        self._recording = PerformanceRecorder(record, self._note)
        self._player: PlayerInterface | None = None
        self._tracks = AnalyzedTracks()
        self._steering = Steering()
        self._processes: dict[ProcessName, ProcessState] = dict.fromkeys(
            ("renderer", "output", "analyzer"), "running"
        )
        self._loops = TrackLoops()
        self._meters: PlayerMeters | None = None
        self._stale = True  # the surrogate's emotions
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
            read_kept(self._steering, config_dir(), self._note)
            self._steering.use_set_list(settings)
            if record is not None:
                from ...engine.performance.automation_file import AutomationWriter

                self._recording = PerformanceRecorder(
                    AutomationWriter(record), self._note, coupled=bool(options.analysis.get("coupled", False))
                )
            sent = started.controls if started is not None else {}
            self.attach(player, tracks=[str(file) for file in files], ceiling_dbtp=options.ceiling_dbtp, sent=sent)
        except BaseException:
            player.close()
            raise
        threading.Thread(target=self._follow, daemon=True).start()

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
        with self._lock:
            about = {"sample_rate": player.sample_rate, "channels": player.channels}
            self._recording.begin(tracks, **about, ceiling_dbtp=ceiling_dbtp)
            self._player = player
            recording = f"{ROOT}/state/recording"
            self._values.update({f"{ROOT}/transport/tracks": len(tracks), recording: self.is_recording})
            for control in PARAMETERS:
                value = self._values[control.address]
                known = sent.get(control.address, control.default)
                if control.writable and value != known and not _is_shown_only(control.address):
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
            self._set(address, value, source)
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"{address}: cannot be done ({type(error).__name__}: {error})") from error

    def _set(self, address: str, value: object, source: str) -> None:
        control = find_parameter(address)
        if not control.writable:
            raise InputError(f"{address}: can only be watched")
        checked = control.validate(value)
        if control.kind == "trigger" and not checked:
            return
        with self._lock:
            values = self._values_to_set(address, checked)
            self._put(self._steering.follow(address, checked, values, self._values, self._moment(), source), source)
            if address in _SAVED:
                self._values.update({_TIMES_SAVED: int(self._values[_TIMES_SAVED] or 0) + 1})

    def _put(self, values: Mapping[str, Value], source: str) -> None:
        """Hold values, and send those of the sound to the player; a request of the targets is passed on."""
        self._values.update({name: new for name, new in values.items() if name != _NOT_HELD})
        for name, new in values.items():
            if _is_shown_only(name):
                continue
            self._recording.note_source(name, source)
            if self._player is not None:
                self._player.set(name, new)
        if (request := self._steering.take_request()) is not None and self._player is not None:
            self._player.solve_targets(request)
        self._stale = True

    def _moment(self) -> Moment:
        """Now, as the player's meters say."""
        player = self._player
        if player is None:
            return Moment()
        meters = player.meters()
        return Moment(
            player.samples_played / player.sample_rate,
            meters.track,
            meters.position_s,
            self._tracks.digest(meters.track),
            self._tracks.surrogates.get(meters.track),
        )

    def _begin_track(self, *, first: bool) -> None:
        """A track begins to play. At the very start a preset does not undo what was asked for already."""
        steered = self._steering.history.undo_steps > 0 or any(self._values[address] for address in FADERS)
        self._values.update(self._steering.begin_track(self._moment(), with_preset=not (first and steered)))
        self._load_track_preset()

    def _load_track_preset(self) -> None:
        if name := self._steering.track_preset(self._moment()):
            try:
                self._set(f"{ROOT}/preset/load", name, _SET_LIST)
            except InputError as error:
                self._note(f"the preset of this track: {error}")

    def _values_to_set(self, address: str, checked: Value) -> dict[str, Value]:
        """The addresses and values, in order, that setting an address expands to."""
        if address in (LOOP_START, LOOP_END) and isinstance(checked, float):
            return move_edge(address, checked, self._values)
        if address == f"{ROOT}/snapshot/preset":
            slot, name = self._steering.slots.addressed(str(checked))
            save_faders(name, snapshot_values(self._steering.slots.get(slot).snapshot))
            return {}
        values = expand_macro(address, checked, self._values)
        if isinstance(track := values.get(TRACK), int):
            loop = self._loops.change_track(track, self._values)
            return {**({LOOP: False} if self._values[LOOP] else {}), **values, **loop}
        return values

    def get(self, address: str) -> Value:
        """The value of an address. Raises InputError for an unknown one."""
        return self._values[find_parameter(address).address]

    def state(self) -> dict[str, Value]:
        """A copy of all values by address."""
        return self._values.all()

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The current version, and the values that changed after `version` (0: all)."""
        return self._values.changes_since(version)

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener of every change of values, from any thread; what is returned ends that."""
        return self._values.watch(listener)

    @property
    def meters(self) -> PlayerMeters | None:
        """The meters of the player as last read; None before."""
        return self._meters

    @property
    def is_recording(self) -> bool:
        """Whether the show is being recorded."""
        return self._recording.is_recording

    @property
    def analysis_progress(self) -> float | None:
        """Progress of the analysis of the track that plays, 0..1; None before it began."""
        return self._tracks.progress.get(self._meters.track if self._meters else 0)

    @property
    def track_summaries(self) -> Mapping[int, TrackSummary]:
        """Summaries of the analysed tracks, by number."""
        return dict(self._tracks.summaries)

    @property
    def stored_snapshots(self) -> Mapping[int, StoredSnapshot]:
        """What is in the slots of snapshots."""
        with self._lock:
            return self._steering.slots.all()

    def restore_snapshots(self, snapshots: Mapping[int, StoredSnapshot], track: int) -> None:
        """Put snapshots into their slots, and let that track begin without its preset."""
        with self._lock:
            self._steering.resume(snapshots, track, self._moment().track)
            self._values.update(self._steering.status(self._moment()))

    @property
    def thumbnails(self) -> Mapping[int, np.ndarray]:
        """Thumbnail spectrograms of the analysed tracks, by number."""
        return dict(self._tracks.thumbnails)

    def close(self, *, fade_s: float = 0.0) -> None:
        """Fade out over `fade_s` seconds, stop the player and end the recording."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            player = self._player
        if player is not None:
            player.close(fade_s=fade_s)
        with self._lock:
            self._player = None
        self._recording.end(None if player is None else player.samples_played)

    def handle_message(self, message: PlayerMessage) -> None:
        """Handle a message of the player; errors become notes."""
        try:
            self._dispatch(message)
        except InputError as error:
            self._note(str(error))
        except Exception as error:
            self._note(f"{type(message).__name__}: {type(error).__name__}: {error}")

    def _dispatch(self, message: PlayerMessage) -> None:
        match message:
            case EventsApplied(events):
                self._recording.write_events(events, self._tracks.summaries)
                self._follow_events(events)
            case Notice(text):
                self._note(text)
            case ProcessStatus(process, state, text):
                self._processes[process] = state
                self._values.update({f"{ROOT}/state/{process}": state})
                if process == "analyzer" and state != "running":
                    self._steering.targets.unmeasured(text)
                    self._values.update(self._steering.status(self._moment()))
                self._note(text)
            case MeasuredEffect():
                self._values.update(measured_values(message))
            case AnalysisProgress() | TrackThumbnail():
                self._tracks.take(message)
            case TrackAnalyzed(track, summary):
                self._tracks.take(message)
                self._steering.targets.analyzed(track, self._tracks.surrogates[track])
                with self._lock:
                    moment = self._moment()
                    values = self._steering.track_changed(self._values, moment) if moment.track == track else {}
                    self._put(values, _BY_ITSELF)
                    if moment.track == track:
                        self._load_track_preset()
                self._steering.cues.identify(track, summary.digest)
                self._steering.presets.identify(track, summary.digest)
            case TargetsSolved():
                with self._lock:
                    self._put(self._steering.solved(message, self._values, self._moment()), _BY_ITSELF)

    def _follow_events(self, events: Sequence[AppliedEvent]) -> None:
        """Take over that the player ended a loop by itself."""
        for event in events:
            if event.derived and event.address == LOOP:
                self._values.update({LOOP: bool(event.value)})

    def refresh(self) -> None:
        """Read the player's meters and update the values that depend on them."""
        with self._lock:
            if self._player is None:
                return
            before, meters = self._meters, self._player.meters()
            self._meters = meters
            values = meter_values(meters, before, block_length=self._player.block_length)
            changed = before is not None and before.track != meters.track
            if changed:
                values |= NOTHING_MEASURED
                if not self._loops.is_at(meters.track):  # the set list went on by itself
                    values |= self._change_loop(meters.track)
            if self._steering.is_moving or changed:
                self._put(self._steering.advance(self._values, self._moment(), changed=changed), _MORPH)
            if self._stale or before is None or changed:
                values |= expected_values(self._tracks.surrogates.get(meters.track), self._values)
                self._stale = False
            self._values.update(values)
            if before is None or changed:
                self._begin_track(first=before is None)
            shown = state_values(self._values, meters, self._processes, self._tracks, recording=self.is_recording)
            self._values.update(shown)

    def _change_loop(self, track: int) -> dict[str, Value]:
        values = self._loops.change_track(track, self._values)
        for name, value in values.items():
            if self._player is not None:
                self._player.set(name, value)
        return values

    def _follow(self) -> None:
        while not self._closing.wait(_MOVING_S if self._steering.is_moving else _METERS_S):
            with contextlib.suppress(InputError):
                self.refresh()


def _is_shown_only(address: str) -> bool:
    """Whether the player has nothing to do with it."""
    return address.removeprefix(f"{ROOT}/").startswith(_SHOWN_ONLY)
