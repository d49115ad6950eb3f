"""Changes that wait to be set: of each address the newest value counts, but nothing that acts is left out.

A flood of messages becomes a few values. What acts each time (the next track, a snapshot that is stored, a step back)
stays where it came: what was set before it is set before it, and what was set after it after it.
"""

from typing import Final, Generic, TypeVar

from .parameter import Parameter

MAX_ACTS: Final = 64
"""So many acts wait at a time; of more, those of one address are one, as values are."""
Change = TypeVar("Change")


class WaitingChanges(Generic[Change]):
    """Changes in the order in which they shall be set.

    Examples
    --------
    >>> from moodfader.control.parameters.table import find_parameter
    >>> wet, store = find_parameter("/moodfader/wet"), find_parameter("/moodfader/snapshot/store")
    >>> waiting = WaitingChanges()
    >>> for parameter, value in ((wet, 0.1), (wet, 0.2), (store, 1), (wet, 0.3), (store, 2), (wet, 0.4), (wet, 0.5)):
    ...     waiting.put(parameter, value)
    >>> waiting.take()
    [0.2, 1, 0.3, 2, 0.5]
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], Change] = {}
        self._acts = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, parameter: Parameter, change: Change) -> None:
        """Add a change behind the others."""
        key = parameter.address, self._acts
        self._waiting.pop(key, None)  # (moves it to the end: play, then pause, must stay in order)
        self._waiting[key] = change
        if parameter.acts and self._acts < MAX_ACTS:
            self._acts += 1

    def take(self) -> list[Change]:
        """All of them; none waits then."""
        changes, self._waiting, self._acts = list(self._waiting.values()), {}, 0
        return changes

    def drop_oldest(self) -> None:
        """Forget the one that came first."""
        del self._waiting[next(iter(self._waiting))]
