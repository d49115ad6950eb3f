"""Who is told of changes: each client has its own lease of ten seconds, rate, reply port and form of the values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..session.parameters import Value, find_parameter

LEASE_S: Final = 10.0
"""A client that does not repeat `/moodfader/subscribe` within this time is forgotten."""
MAX_CLIENTS: Final = 64
"""The one that renewed longest ago makes room."""
NORM: Final = "/norm"
"""After an address: the same value on 0..1, where there is a range from below to above."""
RATES_HZ: Final = (0.1, 60.0)
DEFAULT_RATE_HZ: Final = 20.0

Sender = tuple[str | int, ...]
"""A socket's address: host and port first."""


@dataclass
class Subscription:
    """What is known of one client.

    Attributes
    ----------
    interval_s, ends, due : float
        Seconds between two turns, and the times at which the lease ends and the next turn is.
    version : int
        Version of the parameter store that the client has been told.
    asked_from : Sender
        The address that the client sends from; it may listen on another.
    normalised : bool
        Whether it wants `<address>/norm` where there is one.
    """

    interval_s: float
    ends: float
    due: float
    version: int
    asked_from: Sender
    normalised: bool = False
    known: dict[str, Value] = field(default_factory=dict)
    """The value of each address that the client was told or told us: it is not told again (no fader fights)."""

    def news(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Those of the values that the client does not know yet, as it wants them; from now on it does."""
        news: dict[str, Value] = {
            address: value
            for address, value in values.items()
            if value is not None and self.known.get(address) != value
        }
        self.known |= news
        return dict(normalised(*item) for item in news.items()) if self.normalised else news


def normalised(address: str, value: Value) -> tuple[str, Value]:
    """The address with `/norm` and the value on 0..1 if the parameter has that form, else both as they are."""
    control = find_parameter(address)
    if not control.has_norm or not isinstance(value, int | float):
        return address, value
    return address + NORM, control.to_norm(value)


class Subscriptions:
    """Leases by sender, in the order of their renewal. Times are seconds of any steady clock."""

    def __init__(self, *, reply_port: int | None = None) -> None:
        """`reply_port`: where all clients listen, whatever port they send from; None: each where it sends from."""
        self._leases: dict[Sender, Subscription] = {}
        self._replies: dict[Sender, Sender] = {}  # by the address that a client sends from
        self._reply_port = reply_port

    def reply_address(self, sender: Sender) -> Sender:
        """Where a client that sends from there listens: the port it subscribed with, or the same one."""
        if self._reply_port is not None:
            return at_port(sender, self._reply_port)
        return self._replies.get(sender, sender)

    def renew(
        self,
        reply: Sender,
        now: float,
        *,
        rate_hz: float,
        version: int,
        asked_from: Sender | None = None,
        normalised: bool = False,
    ) -> Subscription:
        """A lease from `now` on for the client that listens at `reply`; one that asks again is told all again."""
        sender = asked_from or reply
        lease = Subscription(1 / rate_hz, now + LEASE_S, now + 1 / rate_hz, version, sender, normalised)
        for other in [at for at, held in self._leases.items() if at == reply or held.asked_from == sender]:
            del self._leases[other]
        self._leases[reply] = lease
        if len(self._leases) > MAX_CLIENTS:
            del self._leases[next(iter(self._leases))]
        self._index()
        return lease

    def leave(self, reply: Sender) -> None:
        """Forget the client that listens there, if there is one."""
        self._leases.pop(reply, None)
        self._index()

    def note_sent(self, sender: Sender, address: str, value: Value) -> None:
        """The client that sends from there set this value, so it knows it."""
        lease = self._leases.get(self.reply_address(sender))
        if lease is not None:
            lease.known[address] = value

    def due(self, now: float) -> list[tuple[Sender, Subscription]]:
        """Whose turn it is; leases that have ended are gone."""
        if any(lease.ends <= now for lease in self._leases.values()):
            self._leases = {reply: lease for reply, lease in self._leases.items() if lease.ends > now}
            self._index()
        ready = [(reply, lease) for reply, lease in self._leases.items() if lease.due <= now]
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

    def _index(self) -> None:
        self._replies = {lease.asked_from: reply for reply, lease in self._leases.items()}


def at_port(sender: Sender, port: int) -> Sender:
    """Another port of the same machine."""
    return (sender[0], port, *sender[2:])
