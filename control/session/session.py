"""The one owner of state: whoever controls (terminal, OSC, MIDI, a script) sets values here and asks here.

What is set is checked by the table of addresses.py, handed to the player, and, once the player says at which sample
it took effect, recorded.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from ...engine.analysis.surrogate import Surrogate, TrackSummary
from ...engine.live.player import Player, PlayerOptions
from ...engine.processes.messages import PlayerMeters
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.errors import InputError
from .macros import expand_macro
from .meters import meter_values
from .parameter_store import ParameterStore
from .parameters import PARAMETERS, ROOT, Value, find_parameter
from .performance_recorder import PerformanceRecorder

if TYPE_CHECKING:
    from ...engine.performance.automation_file import AutomationWriter

_METERS_S: Final = 0.05


class Plays(Protocol):
    """What a session needs of a player."""

    sample_rate: int
    channels: int
    block_length: int

    @property
    def samples_played(self) -> int: ...

    def set(self, address: str, value: Value) -> None: ...

    def meters(self) -> PlayerMeters: ...

    def close(self) -> None: ...


class Session:
    """Holds what every address holds now."""

    def __init__(
        self, *, record: "AutomationWriter | None" = None, note: Callable[[str], None] | None = None
    ) -> None:
        """A session whose player is still to come (`attach`); `note` is told what a person should know."""
        self._values = ParameterStore({control.address: control.default for control in PARAMETERS})
        self._lock = threading.RLock()
        self._note = note or (lambda text: None)
        self._recording = PerformanceRecorder(record, self._note)
        self._player: Plays | None = None
        self._surrogates: dict[int, Surrogate] = {}
        self._analysed: dict[int, float] = {}
        self._heard: dict[int, TrackSummary] = {}
        self._pictures: dict[int, np.ndarray] = {}
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
        """Start a player for these files (it is paused) and a session that owns it. Raises InputError."""
        session = cls(record=record, note=note)
        player = Player(files, session.event, options)
        session.attach(player, tracks=[str(file) for file in files], ceiling_dbtp=options.ceiling_dbtp)
        threading.Thread(target=session._follow, daemon=True).start()
        return session

    def attach(self, player: Plays, *, tracks: Sequence[str] = (), ceiling_dbtp: float = -1.0) -> None:
        """Let this player play; a recording begins here."""
        with self._lock:
            about = {"sample_rate": player.sample_rate, "channels": player.channels}
            self._recording.begin(tracks, **about, ceiling_dbtp=ceiling_dbtp)
            self._player = player
            self._values.update({f"{ROOT}/transport/tracks": len(tracks)})
        self.refresh()

    def set(self, address: str, value: object, *, source: str = "") -> None:
        """Set a control. `source` says who asks, for the recording. Raises InputError, and changes nothing then."""
        control = find_parameter(address)
        if not control.writable:
            raise InputError(f"{address}: can only be watched")
        checked = control.validate(value)
        if control.kind == "trigger" and not checked:
            return
        with self._lock:
            values = expand_macro(address, checked, self._values)
            self._values.update(values)
            for name, new in values.items():
                self._recording.note_source(name, source)
                if self._player is not None and not name.startswith(f"{ROOT}/preset/"):
                    self._player.set(name, new)
            self._stale = True

    def get(self, address: str) -> Value:
        """What an address holds. Raises InputError for an unknown one."""
        return self._values[find_parameter(address).address]

    def state(self) -> dict[str, Value]:
        """All values by address."""
        return self._values.all()

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The version of now, and what has changed after that version (0: everything)."""
        return self._values.changes_since(version)

    @property
    def meters(self) -> PlayerMeters | None:
        """The player's meters as they were last read."""
        return self._meters

    @property
    def analysed(self) -> float | None:
        """How much of the present track's analysis is done, 0..1; None before it began."""
        return self._analysed.get(self._meters.track if self._meters else 0)

    @property
    def heard(self) -> Mapping[int, TrackSummary]:
        """The analyses of the set list's tracks that are there, by number."""
        return dict(self._heard)

    @property
    def pictures(self) -> Mapping[int, np.ndarray]:
        """The small spectrograms of the tracks that are there, by number (see engine's picture.py)."""
        return dict(self._pictures)

    def close(self) -> None:
        """Stop the player; a recording gets its end."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            player = self._player
        if player is not None:
            player.close()
        with self._lock:
            self._player = None
        self._recording.end(None if player is None else player.samples_played)

    def event(self, kind: str, *content: Any) -> None:  # noqa: ANN401
        """What a player tells (see player.Event)."""
        if kind == "applied":
            self._recording.write_events(content[0], self._heard)
        elif kind in ("error", "card", "note"):
            self._note(content[0])
        elif kind == "measured":
            self._values.update({f"{ROOT}/measured/{name}": value for name, value in content[0].items()})
        elif kind == "picture":
            self._pictures[content[0]] = content[1]
        elif kind == "progress":
            self._analysed[content[0]] = content[1]
        elif kind == "heard":
            number, heard = content
            try:
                surrogate = Surrogate(heard)
            except InputError as error:
                self._note(str(error))
                return
            with self._lock:
                self._heard[number], self._analysed[number], self._surrogates[number] = heard, 1.0, surrogate
                self._stale = True

    def refresh(self) -> None:
        """Read the player's meters and bring what follows from them up to date."""
        with self._lock:
            if self._player is None:
                return
            before, meters = self._meters, self._player.meters()
            self._meters = meters
            values = meter_values(meters, before, block_length=self._player.block_length)
            if self._stale or before is None or before.track != meters.track:
                values |= self._emotions(meters.track)
            self._values.update(values)

    def _emotions(self, track: int) -> dict[str, Value]:
        self._stale = False
        surrogate = self._surrogates.get(track)
        if surrogate is None:
            return {f"{ROOT}/{folder}/{name}": None for folder in ("emotion", "before") for name in EMOTIONS}
        faders_db = np.array([self._values[f"{ROOT}/midlevel/{name}"] for name in MIDLEVEL], dtype=np.float32)
        if self._values[f"{ROOT}/bypass"]:
            faders_db *= 0
        now = surrogate.emotions(faders_db)
        before: dict[str, Value] = {f"{ROOT}/before/{name}": value for name, value in surrogate.before.items()}
        return before | {f"{ROOT}/emotion/{name}": value for name, value in now.items()}

    def _follow(self) -> None:
        while not self._closing.wait(_METERS_S):
            with contextlib.suppress(InputError):
                self.refresh()
