"""What a running show holds: values, player, analysed tracks, steering. Setting, messages and meters act on it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ...engine.performance.events import SEEK, SKIP
from ...engine.processes.messages import PlayerMeters, ProcessName, ProcessState
from ..parameters.table import PARAMETERS, ROOT, Value
from ..show.moment import Moment
from ..show.show_control import ShowControl
from .performance_recorder import PerformanceRecorder
from .values.analyzed_tracks import AnalyzedTracks
from .values.loop_edges import TRACK, TrackLoops
from .values.meters import PlayerInterface
from .values.parameter_store import ParameterStore

_SHOWN_ONLY: Final = (
    "preset/", "snapshot/", "morph/", "cue/", "target", "reached/", "reachable/", "state/", "undo", "redo",
    "track/preset",
)  # fmt: skip


class SessionState:
    """The state of one session. `lock` is held to change anything but `values`.

    Attributes
    ----------
    values : ParameterStore
        The values of all addresses; it may be read and watched from any thread.
    lock : RLock
        Guards all else.
    note : callable
        Takes messages for the user.
    is_stale : bool
        Whether the emotions that the surrogate expects are to be computed again.
    """

    def __init__(self, recording: PerformanceRecorder, note: Callable[[str], None]) -> None:
        self.values = ParameterStore({control.address: control.default for control in PARAMETERS})
        self.lock = threading.RLock()
        self.note = note
        self.recording = recording
        self.player: PlayerInterface | None = None
        self.tracks = AnalyzedTracks()
        self.show_control = ShowControl()
        self.processes: dict[ProcessName, ProcessState] = dict.fromkeys(("renderer", "output", "analyzer"), "running")
        self.loops = TrackLoops()
        self.meters: PlayerMeters | None = None
        self.is_stale = True

    def moment(self) -> Moment:
        """Now, as the player's meters say."""
        return Moment() if self.player is None else self._moment_of(self.player, self.player.meters())

    def asked_moment(self) -> Moment:
        """The moment after all pending moves (a track, a seek), which a user who asks for something now means."""
        if self.player is None:
            return Moment()
        meters = self.player.meters()
        moment = self._moment_of(self.player, meters)
        track, position_s = moment.track, moment.position_s
        for address, value in meters.awaited.items():
            if address == TRACK and isinstance(value, int):
                track, position_s = value, 0.0
            elif address in (SEEK, SKIP) and isinstance(value, int | float):
                position_s = max(value + (position_s if address == SKIP else 0.0), 0.0)
        if track == moment.track:
            return replace(moment, position_s=position_s)
        surrogate = self.tracks.surrogates.get(track)
        return Moment(moment.time_s, track, position_s, self.tracks.digest(track), surrogate, is_awaited=True)

    def _moment_of(self, player: PlayerInterface, meters: PlayerMeters) -> Moment:
        return Moment(
            player.samples_played / player.sample_rate,
            meters.track,
            meters.position_s,
            self.tracks.digest(meters.track),
            self.tracks.surrogates.get(meters.track),
        )

    def put(self, values: Mapping[str, Value], source: str) -> None:
        """Hold values, and send those of the sound to the player; a request of the targets is passed on.

        Parameters
        ----------
        values : mapping
            Checked values by address.
        source : str
            Who sets them, for the recording.
        """
        self.values.update({name: new for name, new in values.items() if name != SKIP})
        for name, new in values.items():
            if is_shown_only(name):
                continue
            self.recording.note_source(name, source)
            if self.player is not None:
                self.player.set(name, new)
        if (request := self.show_control.take_request()) is not None and self.player is not None:
            self.player.solve_targets(request)
        self.is_stale = True


def is_shown_only(address: str) -> bool:
    """Whether the player has nothing to do with an address."""
    return address.removeprefix(f"{ROOT}/").startswith(_SHOWN_ONLY)
