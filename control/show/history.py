"""Undo and redo of steering: the changes of one gesture (a fader that is dragged) are one step."""

from dataclasses import dataclass
from typing import Final

from ...engine.snapshots.snapshot import Snapshot
from ...models.common.errors import InputError

GESTURE_S: Final = 0.5
"""Changes of one kind from one source belong to one gesture as long as so little time lies between them."""
MAX_STEPS: Final = 200


@dataclass(frozen=True)
class _Gesture:
    kind: str
    source: str
    time_s: float | None


class SteeringHistory:
    """Snapshots as they were before each step, and after those that were taken back."""

    def __init__(self) -> None:
        self._before: list[Snapshot] = []
        self._after: list[Snapshot] = []
        self._gesture: _Gesture | None = None

    @property
    def undo_steps(self) -> int:
        """How many steps can be taken back."""
        return len(self._before)

    @property
    def redo_steps(self) -> int:
        """How many can be done again."""
        return len(self._after)

    def note(self, before: Snapshot, *, kind: str, source: str, time_s: float | None, whole: bool = False) -> None:
        """Note that something is about to change.

        Parameters
        ----------
        before
            How it is now.
        kind, source
            What is done, and by whom.
        time_s
            When, in seconds; None if that is not known (everything of one kind is then one gesture).
        whole
            Whether it is a step of its own (a preset, a recall).
        """
        last, now = self._gesture, _Gesture(kind, source, time_s)
        self._gesture = None if whole else now
        if last is not None and not whole and (last.kind, last.source) == (kind, source) and _close(last, now):
            return
        self._before = [*self._before, before][-MAX_STEPS:]
        self._after = []

    def undo(self, present: Snapshot) -> Snapshot:
        """How it was before the last step. Raises InputError if there was none."""
        if not self._before:
            raise InputError("there is nothing to take back")
        self._gesture = None
        self._after.append(present)
        return self._before.pop()

    def redo(self, present: Snapshot) -> Snapshot:
        """How it was before the last step was taken back. Raises InputError if none was."""
        if not self._after:
            raise InputError("there is nothing to do again")
        self._gesture = None
        self._before.append(present)
        return self._after.pop()


def _close(last: _Gesture, now: _Gesture) -> bool:
    if last.time_s is None or now.time_s is None:
        return True
    return 0 <= now.time_s - last.time_s <= GESTURE_S
