"""Handles the addresses of snapshots, morphs, undo, cue points and targets: values by address in and out.

The session calls `ShowControl.follow` for everything that is set, and `advance` many times a second. Both return
values by address, among them the faders: the player and the recording get nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ...engine.processes.messages import SolveTargets, TargetsSolved
from ...engine.snapshots.snapshot import Snapshot
from ..parameters.parameter import ROOT, Value
from .cue_points import CuePoints
from .history import SteeringHistory
from .moment import FADERS, WET, Moment, number, present_snapshot, snapshot_values
from .running_morph import PROGRESS, RunningMorph
from .slots import SnapshotSlots, StoredSnapshot
from .targets import TargetState, solved_for_track
from .track_settings import TrackPresets, TrackSettings, TrackStarts

SETTLE_S: Final = 1.0
"""Within so long faders go from estimated to measured ones."""
_SEEK: Final = f"{ROOT}/transport/seek"
_STEERING: Final = frozenset({"snapshot/recall", "morph/to", "morph/position", "undo", "redo"})
"""Commands that move faders, targets or wet."""


class ShowControl:
    """Snapshots, the morph that runs, history, cue points and targets of one session. Not thread-safe."""

    def __init__(self, cues: CuePoints | None = None) -> None:
        self.slots, self.history, self.targets = SnapshotSlots(), SteeringHistory(), TargetState()
        self.cues = cues or CuePoints()
        self.presets = TrackPresets()
        self._starts = TrackStarts(self.slots)
        self._morph = RunningMorph()

    @property
    def is_moving(self) -> bool:
        """Whether a morph is running."""
        return self._morph.is_running

    def take_request(self) -> SolveTargets | None:
        """Take the pending request to the network; None where there is none."""
        request, self.targets.request = self.targets.request, None
        return request

    def follow(
        self,
        address: str,
        value: Value,
        values: dict[str, Value],
        now: Mapping[str, Value],
        moment: Moment,
        source: str,
    ) -> dict[str, Value]:
        """All that changes when an address is set.

        Parameters
        ----------
        address, value
            What is set; checked.
        values
            What it expands to by itself (a preset is seven faders).
        now
            The values before.
        moment, source
            When, and by whom.

        Returns
        -------
        dict
            Values by address.

        Raises
        ------
        InputError
            If it cannot be done; nothing has changed then.
        """
        name = address.removeprefix(f"{ROOT}/")
        if name.startswith("target/") or name == "target_off":
            values = self._ask(name, value, now, moment, source)
            self._starts.note_steered()
        elif command := self._commands().get(name):
            values = command(value, now, moment, source)
            if name in _STEERING:
                self._starts.note_steered()
        elif not self._note_move(name, values, now, moment, source):
            return dict(values)
        return {**values, **self.status(moment)}

    def advance(self, now: Mapping[str, Value], moment: Moment, *, changed: bool = False) -> dict[str, Value]:
        """Values of a running morph at this moment; `changed`: another track plays, so targets are solved for it."""
        values, arrives = self._morph.values(moment)
        if arrives:
            values |= self._arrive(moment)
        return {**values, **self.track_changed(now, moment)} if changed else values

    def _arrive(self, moment: Moment) -> dict[str, Value]:
        """End the morph, and adopt the targets of the snapshot that it led to."""
        arriving = self._morph.arriving
        self._morph.stop()
        values: dict[str, Value] = {}
        if arriving is not None:
            values |= self._adopt(arriving.snapshot, moment, solved=arriving.track == moment.track)
        return {**values, **self.status(moment)}

    def solved(self, message: TargetsSolved, now: Mapping[str, Value], moment: Moment) -> dict[str, Value]:
        """Values that change with an answer of the network: the faders glide to its solution."""
        faders = self.targets.solved(message)
        if faders is not None:
            present = present_snapshot(now)
            self._morph.begin(present, Snapshot(faders, present.targets, present.wet), SETTLE_S, moment)
        return self.status(moment)

    def use_set_list(self, settings: Sequence[TrackSettings]) -> None:
        """Take what a set list says about its tracks."""
        self._starts.use(settings)
        self.presets.give(settings)
        for track, one in enumerate(settings):
            self.cues.give(track, one.cues)

    def resume(self, snapshots: Mapping[int, StoredSnapshot], track: int, playing: int) -> None:
        """Continue a saved show on that track, whose preset and snapshots are not loaded again.

        `playing` is the track that plays until then.
        """
        self._starts.resume(snapshots, track, playing)

    def ask_track(self, track: int, moment: Moment) -> Mapping[str, Value]:
        """Note that a track was asked for, which begins in a moment; returns the values of the slots' addresses."""
        self._starts.ask(track, moment.track)
        return self.slots.values()

    def begin_track(self, moment: Moment, *, with_preset: bool) -> dict[str, Value]:
        """Begin a track: put its snapshots into their slots; `with_preset`: `track_preset` will give its preset."""
        self._starts.begin(moment.track, with_preset=with_preset)
        return self.status(moment)

    def track_preset(self, moment: Moment) -> str:
        """The preset to load now, once for each track that begins and only if nothing was steered since; or empty.

        By the sound of a track it is known only once the track has been analysed, before which no fader is heard.
        """
        name = self.presets.of(moment.track, moment.digest)
        return self._starts.due_preset(name, is_known=moment.digest is not None)

    def track_changed(self, now: Mapping[str, Value], moment: Moment) -> dict[str, Value]:
        """What changes when another track plays, or its analysis has come: targets are solved for it."""
        values: dict[str, Value] = {}
        if self.targets.asked and self._morph.arriving is None:
            self._morph.stop()
            values |= zip(FADERS, self.targets.solve(present_snapshot(now).faders_db, moment), strict=True)
        return {**values, **self.status(moment)}

    def status(self, moment: Moment) -> dict[str, Value]:
        """What the watched addresses show."""
        return {
            **self.slots.values(),
            **self.targets.values(moment.track),
            **self.cues.values(moment.track, moment.digest),
            **self.presets.values(moment.track, moment.digest),
            **({} if self._morph.arriving else {PROGRESS: None}),
            f"{ROOT}/state/undo": self.history.undo_steps,
            f"{ROOT}/state/redo": self.history.redo_steps,
        }

    def _commands(self) -> Mapping[str, Callable[[Value, Mapping[str, Value], Moment, str], dict[str, Value]]]:
        return {
            "snapshot/store": self._store,
            "snapshot/recall": self._recall,
            "snapshot/clear": self._clear,
            "snapshot/name": self._name,
            "morph/to": self._morph_to,
            "morph/position": self._crossfade,
            "morph/stop": self._stop,
            "cue/set": self._set_cue,
            "cue/go": self._go_to_cue,
            "cue/clear": self._clear_cue,
            "track/preset": self._set_preset,
            "undo": self._undo,
            "redo": self._redo,
        }

    def _store(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        # (of no track where that has not begun: solved for the one where it is recalled)
        solved_for = -1 if moment.is_awaited else moment.track
        self.slots.store(_slot(value), present_snapshot(now), solved_for)
        return {}

    def _recall(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        stored = self.slots.get(_slot(value))
        self.history.note(present_snapshot(now), kind="recall", source=source, time_s=moment.time_s, whole=True)
        self.slots.last = _slot(value)
        self._morph.stop()
        return self._adopt(stored.snapshot, moment, solved=stored.track == moment.track)

    def _clear(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self.slots.clear(_slot(value))
        return {}

    def _name(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self.slots.rename(str(value))
        return {}

    def _morph_to(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        stored = self.slots.get(_slot(value))
        seconds = now[f"{ROOT}/morph/seconds"]
        if moment.time_s is None or not seconds:
            return self._recall(value, now, moment, source)
        present = present_snapshot(now)
        self.history.note(present, kind="morph", source=source, time_s=moment.time_s, whole=True)
        self.slots.last = _slot(value)
        self.targets.let_go(f"on the way to snapshot {value}")
        end = solved_for_track(stored, self.slots, moment)
        self._morph.begin(present, end.snapshot, number(seconds), moment, arriving=end)
        return {PROGRESS: 0.0}

    def _crossfade(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        a, b = (self.slots.get(_slot(now[f"{ROOT}/morph/{end}"])) for end in "ab")
        ends = [solved_for_track(stored, self.slots, moment).snapshot for stored in (a, b)]
        self.history.note(present_snapshot(now), kind="crossfade", source=source, time_s=moment.time_s)
        self._morph.stop()
        mixed = ends[0].mixed(ends[1], number(value))
        return {f"{ROOT}/morph/position": value, **self._adopt(mixed, moment, solved=True)}

    def _stop(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self._morph.stop()
        return {}

    def _set_cue(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self.cues.set(_slot(value), moment.position_s, track=moment.track, digest=moment.digest)
        return {}

    def _go_to_cue(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        return {_SEEK: self.cues.position(_slot(value), track=moment.track, digest=moment.digest)}

    def _clear_cue(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self.cues.clear(_slot(value), track=moment.track, digest=moment.digest)
        return {}

    def _set_preset(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        self.presets.set(str(value), track=moment.track, digest=moment.digest)
        return {}

    def _undo(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        snapshot = self.history.undo(present_snapshot(now))
        self._morph.stop()
        return self._adopt(snapshot, moment, solved=True)

    def _redo(self, value: Value, now: Mapping[str, Value], moment: Moment, source: str) -> dict[str, Value]:
        snapshot = self.history.redo(present_snapshot(now))
        self._morph.stop()
        return self._adopt(snapshot, moment, solved=True)

    def _ask(
        self, name: str, value: Value, now: Mapping[str, Value], moment: Moment, source: str
    ) -> dict[str, Value]:
        present = present_snapshot(now)
        emotion = name.removeprefix("target/")
        if name != "target_off" and self.targets.asked.get(emotion) == value:
            return {}
        if name == "target_off" and not self.targets.asked:
            return {}
        self.history.note(present, kind="target", source=source, time_s=moment.time_s, whole=name == "target_off")
        self._morph.stop()
        if name == "target_off":
            faders = self.targets.off()
        else:
            shift = float(value) if isinstance(value, int | float) else None
            faders = self.targets.ask(emotion, shift, present.faders_db, moment)
        return dict(zip(FADERS, faders, strict=True))

    def _note_move(
        self, name: str, values: Mapping[str, Value], now: Mapping[str, Value], moment: Moment, source: str
    ) -> bool:
        """Note the state for undo before faders or wet are moved, and end morphs and targets; whether any move."""
        whole = name in ("zero", "preset/load")
        faders = any(values[address] != now[address] for address in FADERS if address in values)
        targets = name == "zero" and bool(self.targets.asked)
        wet = WET in values and values[WET] != now[WET]
        if faders or targets or wet:
            self._starts.note_steered()
            kind = name if whole else "wet" if wet else "faders"
            self.history.note(present_snapshot(now), kind=kind, source=source, time_s=moment.time_s, whole=whole)
        if faders or wet or whole:
            self._morph.stop()
        if faders or targets:
            words = {"zero": "all faders went to zero", "preset/load": "a preset was loaded"}
            self.targets.let_go(words.get(name, "a fader was moved by hand"))
        return faders or targets or wet or whole

    def _adopt(self, snapshot: Snapshot, moment: Moment, *, solved: bool) -> dict[str, Value]:
        """Take over a snapshot; its targets are solved for this track, unless its faders are."""
        self.targets.adopt(snapshot.targets, snapshot.faders_db, moment)
        values = snapshot_values(snapshot)
        if snapshot.targets and not solved:
            values |= zip(FADERS, self.targets.solve(snapshot.faders_db, moment), strict=True)
        return values


def _slot(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
