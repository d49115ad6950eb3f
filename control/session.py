"""The one owner of state: whoever controls (terminal, OSC, MIDI, a script) sets values here and asks here.

The state is a frozen value that is replaced as a whole: readers never wait. What is set is checked by the table of
addresses.py, handed to the player, and, once the player says at which sample it took effect, recorded.
"""

import contextlib
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np

from ..engine.history import HistoryWriter
from ..engine.jobs import Meters
from ..engine.player import Player, PlayerOptions
from ..engine.surrogate import Heard, Surrogate
from ..models.errors import InputError
from ..models.vocabulary import EMOTIONS, MIDLEVEL
from .addresses import CONTROLS, ROOT, Value, by_address
from .presets import find_preset

_METERS_S: Final = 0.05


class Plays(Protocol):
    """What a session needs of a player."""

    sample_rate: int
    channels: int
    block_length: int

    @property
    def played(self) -> int: ...

    def set(self, address: str, value: Value) -> None: ...

    def meters(self) -> Meters: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class _State:
    version: int
    values: Mapping[str, Value]
    since: Mapping[str, int]
    """Version in which each value last changed."""


class Session:
    """Holds what every address holds now."""

    def __init__(self, *, record: HistoryWriter | None = None, note: Callable[[str], None] | None = None) -> None:
        """A session whose player is still to come (`attach`); `note` is told what a person should know."""
        values = {control.address: control.default for control in CONTROLS}
        self._state = _State(1, MappingProxyType(values), MappingProxyType(dict.fromkeys(values, 1)))
        self._lock = threading.RLock()
        self._record = record
        self._note = note or (lambda text: None)
        self._player: Plays | None = None
        self._surrogates: dict[int, Surrogate] = {}
        self._analysed: dict[int, float] = {}
        self._sources: dict[str, str] = {}
        self._heard: dict[int, Heard] = {}
        self._meters: Meters | None = None
        self._stale = True  # the surrogate's emotions
        self._closing = threading.Event()

    @classmethod
    def play(
        cls,
        files: Sequence[Path],
        options: PlayerOptions,
        *,
        record: HistoryWriter | None = None,
        note: Callable[[str], None] | None = None,
    ) -> "Session":
        """Start a player for these files (it is paused) and a session that owns it. Raises InputError."""
        session = cls(record=record, note=note)
        session.attach(
            Player(files, session.event, options),
            tracks=[str(file) for file in files],
            ceiling_dbtp=options.ceiling_dbtp,
        )
        threading.Thread(target=session._follow, daemon=True).start()
        return session

    def attach(self, player: Plays, *, tracks: Sequence[str] = (), ceiling_dbtp: float = -1.0) -> None:
        """Let this player play; a recording begins here."""
        with self._lock:
            if self._record is not None:
                self._record.begin(
                    sample_rate=player.sample_rate,
                    channels=player.channels,
                    ceiling_dbtp=ceiling_dbtp,
                    tracks=[str(Path(track).absolute()) for track in tracks],
                )
            self._player = player
        self.refresh()

    def set(self, address: str, value: object, *, source: str = "") -> None:
        """Set a control. `source` says who asks, for the recording. Raises InputError, and changes nothing then."""
        control = by_address(address)
        if not control.writable:
            raise InputError(f"{address}: can only be watched")
        checked = control.checked(value)
        if control.kind == "trigger":
            if not checked:
                return
            address, checked = f"{ROOT}/transport/play", False  # (pause is the only one)
        values = {address: checked}
        if address == f"{ROOT}/preset/load":
            gains_db = find_preset(str(checked)).gains_db
            values |= {f"{ROOT}/midlevel/{name}": float(gains_db.get(name, 0.0)) for name in MIDLEVEL}
        with self._lock:
            self._update(values)
            for name, new in values.items():
                self._sources[name] = source
                if self._player is not None and not name.startswith(f"{ROOT}/preset/"):
                    self._player.set(name, new)
            self._stale = True

    def get(self, address: str) -> Value:
        """What an address holds. Raises InputError for an unknown one."""
        return self._state.values[by_address(address).address]

    def state(self) -> dict[str, Value]:
        """All values by address."""
        return dict(self._state.values)

    def changes_since(self, version: int) -> tuple[int, dict[str, Value]]:
        """The version of now, and what has changed after that version (0: everything)."""
        state = self._state
        if version >= state.version:
            return state.version, {}
        return state.version, {name: state.values[name] for name, at in state.since.items() if at > version}

    @property
    def meters(self) -> Meters | None:
        """The player's meters as they were last read."""
        return self._meters

    @property
    def analysed(self) -> float | None:
        """How much of the present track's analysis is done, 0..1; None before it began."""
        return self._analysed.get(self._meters.track if self._meters else 0)

    @property
    def heard(self) -> Mapping[int, Heard]:
        """The analyses of the set list's tracks that are there, by number."""
        return dict(self._heard)

    def close(self) -> None:
        """Stop the player; a recording gets its end."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            player, record = self._player, self._record
        if player is not None:
            player.close()
        with self._lock:
            self._player = None
            if record is not None:
                if player is not None:
                    record.write({"at": player.played, "end": True})
                record.close()
                self._record = None

    def event(self, kind: str, *content: Any) -> None:  # noqa: ANN401
        """What a player tells (see player.Event)."""
        with self._lock:
            if kind == "applied":
                self._keep(content[0])
            elif kind == "heard":
                number, heard = content
                self._heard[number], self._analysed[number] = heard, 1.0
                self._surrogates[number] = Surrogate(heard)
                self._stale = True
            elif kind == "progress":
                self._analysed[content[0]] = content[1]
            elif kind == "measured":
                self._update({f"{ROOT}/measured/{name}": value for name, value in content[0].items()})
            elif kind in ("error", "card"):
                self._note(content[0])

    def refresh(self) -> None:
        """Read the player's meters and bring what follows from them up to date."""
        with self._lock:
            if self._player is None:
                return
            before, meters = self._meters, self._player.meters()
            self._meters = meters
            blocks = round(meters.ahead / self._player.block_length, 1)
            values: dict[str, Value] = {
                "transport/position": round(meters.position_s, 3),
                "transport/duration": round(meters.duration_s, 3),
                "meter/peak_db": round(20 * math.log10(max(meters.peak, 1e-6)), 1),
                "meter/load": round(meters.load, 3),
                "meter/dropouts": meters.dropouts,
                "meter/ring": blocks,
                "meter/latency_ms": round(meters.latency_s * 1000, 1),
            }
            if before is not None and meters.ended and not before.ended:
                values["transport/play"] = False
            if self._stale or before is None or before.track != meters.track:
                values |= self._emotions(meters.track)
            self._update({f"{ROOT}/{name}": value for name, value in values.items()})

    def _emotions(self, track: int) -> dict[str, Value]:
        self._stale = False
        surrogate = self._surrogates.get(track)
        if surrogate is None:
            return {f"{folder}/{name}": None for folder in ("emotion", "before") for name in EMOTIONS}
        faders_db = np.array([self._state.values[f"{ROOT}/midlevel/{name}"] for name in MIDLEVEL], dtype=np.float32)
        if self._state.values[f"{ROOT}/bypass"]:
            faders_db *= 0
        now = surrogate.emotions(faders_db)
        before: dict[str, Value] = {f"before/{name}": value for name, value in surrogate.before.items()}
        return before | {f"emotion/{name}": value for name, value in now.items()}

    def _keep(self, applied: list[tuple[int, str, Value]]) -> None:
        if self._record is None:
            return
        for at, address, value in applied:
            line: dict[str, Any] = {"at": at, "address": address, "value": value}
            if source := self._sources.get(address):
                line["source"] = source
            if address == f"{ROOT}/track/ready" and isinstance(value, int) and value in self._heard:
                line |= {"digest": self._heard[value].digest, "model": self._heard[value].model_digest}
            try:
                self._record.write(line)
            except InputError as error:
                self._note(str(error))
                self._record = None
                return

    def _update(self, values: Mapping[str, Value]) -> None:
        """Replace the state by one with these values in it, if that makes a difference."""
        with self._lock:
            old = self._state
            new = {name: value for name, value in values.items() if old.values.get(name) != value}
            if new:
                version = old.version + 1
                self._state = _State(
                    version,
                    MappingProxyType({**old.values, **new}),
                    MappingProxyType({**old.since, **dict.fromkeys(new, version)}),
                )

    def _follow(self) -> None:
        while not self._closing.wait(_METERS_S):
            with contextlib.suppress(InputError):
                self.refresh()
