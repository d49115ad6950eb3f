"""Which clients are told of changes: where each listens, how often, what it knows already, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ..parameters.table import Value, find_parameter

LEASE_S: Final = 10.0
"""Seconds after which a subscription ends that is not renewed."""
MAX_CLIENTS: Final = 64
"""Subscriptions at a time; the one that was renewed longest ago makes room for a new one."""
NORM: Final = "/norm"
"""Suffix of an address: the same value on 0..1, for parameters with a lower and an upper bound."""
RATES_HZ: Final = (0.1, 60.0)
"""Lowest and highest rate of messages to a client."""
DEFAULT_RATE_HZ: Final = 40.0
"""For clients that name none: a change is sent within 25 ms, so that it is shown within 50."""

_LATE: Final = 0.25
"""Part of an interval by which a packet may be late before the next one is put off as much."""

Sender = tuple[str | int, ...]
"""A socket address: host and port first."""


@dataclass
class Subscription:
    """The subscription of one client.

    Attributes
    ----------
    interval_s : float
        Seconds between two packets to the client.
    ends, due : float
        Times at which the subscription ends and from which on the next packet may go, in seconds of a steady clock.
    version : int
        Version of the parameter store up to which changes were looked through.
    sender : Sender
        The address that the client sends from, which may differ from the one it listens on.
    normalised : bool
        Whether the client wants `<address>/norm` where there is one.
    waits : bool
        Whether there may be changes that the client was not sent.
    known : dict
        The value of each address that the client has been sent or has set itself. It is not sent again: a client's
        own movement must not come back late and fight the finger.
    """

    interval_s: float
    ends: float
    due: float
    version: int
    sender: Sender
    normalised: bool = False
    waits: bool = True
    known: dict[str, Value] = field(default_factory=dict)

    def pending(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Those of the values that the client does not know yet, in the form that it wants; marks them as known."""
        unsent: dict[str, Value] = {
            address: value
            for address, value in values.items()
            if self.known.get(address) != value
            and (value is not None or address in self.known or find_parameter(address).optional)
        }
        self.known |= unsent
        return dict(with_norm(*item) for item in unsent.items()) if self.normalised else unsent


def with_norm(address: str, value: Value) -> tuple[str, Value]:
    """Address and value in the normalised form (`<address>/norm`, 0..1) if the parameter has it, else unchanged."""
    parameter = find_parameter(address)
    if not parameter.has_norm or not isinstance(value, int | float):
        return address, value
    return address + NORM, parameter.to_norm(value)


class Subscriptions:
    """All subscriptions, by the address on which the client listens, in the order of renewal.

    Parameters
    ----------
    reply_port : int, optional
        The port on which every client listens. Otherwise it is the one that the client has named, or sends from.
    """

    def __init__(self, *, reply_port: int | None = None) -> None:
        self._by_reply: dict[Sender, Subscription] = {}
        self._reply_of: dict[Sender, Sender] = {}  # by the address that a client sends from
        self._reply_port = reply_port

    def reply_address(self, sender: Sender) -> Sender:
        """Where the client listens that sends from this address."""
        if self._reply_port is not None:
            return at_port(sender, self._reply_port)
        return self._reply_of.get(sender, sender)

    def renew(
        self,
        reply: Sender,
        now: float,
        *,
        rate_hz: float,
        version: int,
        sender: Sender | None = None,
        normalised: bool = False,
    ) -> Subscription:
        """Begin a subscription, or replace an earlier one of the same client.

        Parameters
        ----------
        reply : Sender
            Where the client listens.
        now : float
            Time in seconds of a steady clock.
        rate_hz : float
            Packets a second, within `RATES_HZ`.
        version : int
            Version of the parameter store from which changes are sent.
        sender : Sender, optional
            Where the client sends from, if that differs from `reply`.
        normalised : bool
            Whether values are sent as `<address>/norm` where there is one.
        """
        sender = sender or reply
        for other in [at for at, one in self._by_reply.items() if at == reply or one.sender == sender]:
            del self._by_reply[other]
        subscription = Subscription(1 / rate_hz, now + LEASE_S, now + 1 / rate_hz, version, sender, normalised)
        self._by_reply[reply] = subscription
        if len(self._by_reply) > MAX_CLIENTS:
            del self._by_reply[next(iter(self._by_reply))]
        self._index()
        return subscription

    def leave(self, reply: Sender) -> None:
        """End the subscription of the client that listens there, if there is one."""
        self._by_reply.pop(reply, None)
        self._index()

    def note_sent(self, sender: Sender, address: str, value: Value) -> None:
        """Note that the client that sends from there has set this value, so that it is not sent back to it."""
        subscription = self._by_reply.get(self.reply_address(sender))
        if subscription is not None:
            subscription.known[address] = value

    def note_change(self) -> None:
        """Values have changed: every client may have to be told."""
        for one in self._by_reply.values():
            one.waits = True

    def due(self, now: float) -> list[tuple[Sender, Subscription]]:
        """The subscriptions whose next packet is to go now, with the client's address; removes those that have ended.

        A packet goes as soon as something has changed, but not within an interval after the one before.
        """
        if any(one.ends <= now for one in self._by_reply.values()):
            self._by_reply = {reply: one for reply, one in self._by_reply.items() if one.ends > now}
            self._index()
        ready = [(reply, one) for reply, one in self._by_reply.items() if one.waits and one.due <= now]
        for _, subscription in ready:
            subscription.waits = False
            in_time = now - subscription.due < subscription.interval_s * _LATE  # (so that the rate holds)
            subscription.due = (subscription.due if in_time else now) + subscription.interval_s
        return ready

    def next_due(self) -> float | None:
        """When the next packet of any subscription is due; None where nothing waits to be sent."""
        return min((one.due for one in self._by_reply.values() if one.waits), default=None)

    def names(self) -> tuple[str, ...]:
        """The clients as host:port."""
        return tuple(f"{reply[0]}:{reply[1]}" for reply in list(self._by_reply))

    def _index(self) -> None:
        self._reply_of = {one.sender: reply for reply, one in self._by_reply.items()}


def at_port(sender: Sender, port: int) -> Sender:
    """The socket address with another port."""
    return (sender[0], port, *sender[2:])
