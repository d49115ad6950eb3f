"""Nine slots of snapshots with names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ...engine.snapshots.snapshot import Snapshot
from ...models.common.errors import InputError
from ..parameters.parameter import ROOT, Value
from ..parameters.snapshot_rows import SLOTS

LONGEST_NAME: Final = 40


@dataclass(frozen=True)
class StoredSnapshot:
    """A snapshot with its name, and the track whose faders were solved for its targets."""

    snapshot: Snapshot
    name: str
    track: int


class SnapshotSlots:
    """The slots, counted from 1, and which one was stored or recalled last (0: none)."""

    def __init__(self) -> None:
        self._stored: dict[int, StoredSnapshot] = {}
        self._solved: dict[tuple[str, int], tuple[StoredSnapshot, Snapshot]] = {}
        self.last = 0

    def store(self, slot: int, snapshot: Snapshot, track: int) -> None:
        """Put a snapshot into a slot; what was there is replaced, its name stays."""
        name = self._stored[slot].name if slot in self._stored else str(slot)
        self._stored[slot] = StoredSnapshot(snapshot, name, track)
        self.last = slot

    def get(self, slot: int) -> StoredSnapshot:
        """What is in a slot. Raises InputError if nothing is."""
        stored = self._stored.get(slot)
        if stored is None:
            filled = ", ".join(map(str, sorted(self._stored)))
            hint = f"there are snapshots in {filled}" if filled else "store one first (snapshot/store)"
            raise InputError(f"snapshot {slot}: the slot is empty, {hint}")
        return stored

    def clear(self, slot: int) -> None:
        """Empty a slot. Raises InputError if it is."""
        self.get(slot)
        del self._stored[slot]
        self.last = 0 if self.last == slot else self.last

    def restore(self, slot: int, stored: StoredSnapshot) -> None:
        """Put a snapshot with its name into a slot."""
        self._stored[slot] = stored

    def all(self) -> Mapping[int, StoredSnapshot]:
        """What is stored, by slot."""
        return dict(self._stored)

    def rename(self, text: str) -> None:
        """Name the last slot, or by "3: Chorus" another one. Raises InputError."""
        slot, name = self.addressed(text)
        if not name or len(name) > LONGEST_NAME:
            raise InputError(f"the name of a snapshot has 1 to {LONGEST_NAME} characters")
        self._stored[slot] = replace(self.get(slot), name=name)

    def addressed(self, text: str) -> tuple[int, str]:
        """The slot that a text means, and the rest of it: "3: Chorus" slot 3, without a number the last one.

        Raises
        ------
        InputError
            If there is no such slot.
        """
        number, colon, rest = text.partition(":")
        if colon and number.strip().isascii() and number.strip().isdecimal():
            slot, name = int(number[:9]), rest.strip()
            if not 1 <= slot <= SLOTS:
                raise InputError(f"snapshot {slot}: slots go from 1 to {SLOTS}")
        else:
            slot, name = self.last, text.strip()
            if not slot:
                raise InputError('no snapshot was stored or recalled yet: "3: Chorus" names slot 3')
        return slot, name

    def solved_for(self, stored: StoredSnapshot, track: int) -> Snapshot | None:
        """The snapshot as it was solved for another track, if `keep_solved` was given it."""
        original, solved = self._solved.get((stored.name, track), (None, None))
        return solved if original is stored else None

    def keep_solved(self, stored: StoredSnapshot, track: int, solved: Snapshot) -> None:
        """Keep how the targets of a snapshot are solved for another track: a crossfader asks many times a second."""
        self._solved[stored.name, track] = stored, solved

    def values(self) -> Mapping[str, Value]:
        """What the addresses of the slots show."""
        names = {slot: stored.name for slot, stored in self._stored.items()}
        shown: dict[str, Value] = {
            f"{ROOT}/snapshot/names/{slot}": names.get(slot, "") for slot in range(1, SLOTS + 1)
        }
        return {**shown, f"{ROOT}/snapshot/slot": self.last}
