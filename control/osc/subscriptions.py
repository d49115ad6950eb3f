"""Who listens: every client has its own lease of ten seconds, its own rate, and its own place in the news."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..session.parameters import Value

LEASE_S: Final = 10.0
"""A client that does not repeat `/moodfader/subscribe` within this time is forgotten."""
MAX_CLIENTS: Final = 64
"""The one that renewed longest ago makes room."""
RATES_HZ: Final = (0.1, 60.0)
DEFAULT_RATE_HZ: Final = 20.0

Sender = tuple[str | int, ...]
"""A socket's address: host and port first."""


@dataclass
class Subscription:
    """What is known of one client."""

    interval_s: float
    ends: float
    due: float
    version: int
    known: dict[str, Value] = field(default_factory=dict)
    """The value of each address that the client was told or told us: it is not told again (no fader fights)."""

    def news(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Those of the values that the client does not know yet; from now on it does."""
        news: dict[str, Value] = {
            address: value
            for address, value in values.items()
            if value is not None and self.known.get(address) != value
        }
        self.known |= news
        return news


class Subscriptions:
    """Leases by sender, in the order of their renewal. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._leases: dict[Sender, Subscription] = {}

    def renew(self, sender: Sender, now: float, *, rate_hz: float, version: int) -> Subscription:
        """A lease from `now` on; a client that asks again is told the whole state again."""
        lease = Subscription(1 / rate_hz, now + LEASE_S, now + 1 / rate_hz, version)
        self._leases.pop(sender, None)
        self._leases[sender] = lease
        if len(self._leases) > MAX_CLIENTS:
            del self._leases[next(iter(self._leases))]
        return lease

    def leave(self, sender: Sender) -> None:
        """Forget a client, if it is one."""
        self._leases.pop(sender, None)

    def note_sent(self, sender: Sender, address: str, value: Value) -> None:
        """A client set this value, so it knows it."""
        if sender in self._leases:
            self._leases[sender].known[address] = value

    def due(self, now: float) -> list[tuple[Sender, Subscription]]:
        """Whose turn it is; leases that have ended are gone."""
        self._leases = {sender: lease for sender, lease in self._leases.items() if lease.ends > now}
        ready = [(sender, lease) for sender, lease in self._leases.items() if lease.due <= now]
        for _, lease in ready:
            on_time = lease.due + lease.interval_s
            lease.due = on_time if on_time > now else now + lease.interval_s  # a late turn is not made up for
        return ready

    def next_due(self) -> float | None:
        """When somebody's next turn is."""
        return min((lease.due for lease in self._leases.values()), default=None)

    def names(self) -> tuple[str, ...]:
        """The clients as host:port."""
        return tuple(f"{sender[0]}:{sender[1]}" for sender in list(self._leases))
