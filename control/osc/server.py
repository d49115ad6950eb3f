"""The OSC server: one UDP socket and one thread.

Each round receives the datagrams that have come, parses them (packets.py), sets the newest value of each address and
does all that acts, answers queries (dispatcher.py), and sends changes to the subscribers whose turn it is
(subscriptions.py): at once to one that has been sent nothing for an interval, else when that is over. All queues are
bounded. It listens on this machine only unless told otherwise.
"""

import contextlib
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...engine.processes.lasting_loop import run_rounds
from ..parameters.table import Value
from ..session.values.change_signal import ChangeSignal
from .dispatcher import Answer, Dispatcher
from .packets import MAX_DATAGRAM, MalformedPacketError, encode_bundle, encode_message, read_packet
from .sockets import bind_udp
from .subscriptions import Sender, Subscriptions

if TYPE_CHECKING:
    from ..session.session import Session

DEFAULT_PORT: Final = 9000
_BACKLOG: Final = 128
"""Datagrams that wait to be parsed; in a flood the oldest are dropped, so that the newest acts soon."""
_RECEIVE_S: Final = 0.01
"""Longest time to empty the socket: old datagrams in it stand in the way of new ones."""
_PARSE_S: Final = 0.002
"""Longest time to parse before the socket is emptied again."""
_APPLY_S: Final = 0.01
"""In a flood: time between two rounds in which values are set and queries answered."""
_YIELD_S: Final = 0.001
"""In a flood: pause of each round, for other threads (this one has a high priority)."""
_IDLE_S: Final = 0.25
"""Longest wait for a datagram."""
_PACKET_BYTES: Final = 1200
"""Size of a bundle that networks carry without fragments."""
_MAX_TEXT: Final = 400
"""Characters of a text in an answer."""


class OscServer:
    """Serves a session over OSC from its own thread until `close`.

    Parameters
    ----------
    session : Session
        What is set and read.
    host, port : str, int
        Where to listen; port 0 takes any free one.
    bound : socket, optional
        A socket of `bind_udp` to use instead: a program can have its port before it has its session.
    reply_port : int, optional
        The port on which every client listens. Otherwise it is the one that the client has named, or sends from.
    note : callable, optional
        Told in one line of faults of the program that a message has brought to light.

    Attributes
    ----------
    host, port : str, int
        The numeric address on which it listens.

    Raises
    ------
    InputError
        If the address cannot be had.
    """

    def __init__(
        self,
        session: "Session",
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        bound: socket.socket | None = None,
        reply_port: int | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._socket = bind_udp(host, port) if bound is None else bound
        self.host, self.port = self._socket.getsockname()[:2]
        self._subscriptions = Subscriptions(reply_port=reply_port)
        own_address = (self.host, self.port)
        self._dispatcher = Dispatcher(session, self._subscriptions, own_address=own_address, note=note)
        self._received: deque[tuple[bytes, Sender]] = deque(maxlen=_BACKLOG)
        self._changed = ChangeSignal(session)
        self._closing = threading.Event()
        self._applied = -math.inf  # time at which values were last set
        told = {"who": "OSC", "tell": note or (lambda text: None)}
        self._thread = threading.Thread(
            target=run_rounds, args=(self._round, self._closing), kwargs=told, name="osc", daemon=True
        )
        self._thread.start()

    def clients(self) -> tuple[str, ...]:
        """The subscribed clients as host:port."""
        return self._subscriptions.names()

    def close(self) -> None:
        """Stop serving and release the port."""
        self._closing.set()
        with contextlib.suppress(OSError):  # an empty datagram to itself ends the wait
            self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._changed.close()
        self._socket.close()

    def _round(self) -> None:
        """Receive, parse, apply and send once."""
        if len(self._received) == _BACKLOG:
            time.sleep(_YIELD_S)
        ready, _, _ = select.select([self._socket, self._changed.socket], [], [], self._wait_s())
        if self._changed.socket in ready:
            self._changed.clear()
            self._subscriptions.note_change()
        if self._socket in ready:
            self._receive(time.monotonic() + _RECEIVE_S)
        self._parse(time.monotonic() + _PARSE_S)
        now = time.monotonic()
        if self._received and now - self._applied < _APPLY_S:  # newer values are among those that are not parsed yet
            return
        self._applied = now
        if not self._dispatcher.idle:
            self._send_answers(self._dispatcher.apply_pending(now))
        for reply, subscription in self._subscriptions.due(now):
            subscription.version, changes = self._session.changes_since(subscription.version)
            self._send_answers([(reply, *item) for item in _as_arguments(subscription.pending(changes))])

    def _wait_s(self) -> float:
        """How long to wait for a datagram: not at all while there is work, else until a packet is due."""
        if self._received or not self._dispatcher.idle:
            return 0.0
        due = self._subscriptions.next_due()
        return _IDLE_S if due is None else max(0.0, min(_IDLE_S, due - time.monotonic()))

    def _receive(self, until: float) -> None:
        """Empty the socket; of a flood the newest datagrams stay."""
        while time.monotonic() < until:
            try:
                self._received.append(self._socket.recvfrom(MAX_DATAGRAM + 1))
            except BlockingIOError:
                return
            except OSError:  # an earlier answer could not be delivered
                continue

    def _parse(self, until: float) -> None:
        """Hand received messages to the dispatcher until that time."""
        while self._received:
            datagram, sender = self._received.popleft()
            if datagram and sender[:2] != (self.host, self.port):  # (its own answers, sent back by a forged address)
                self._enqueue(datagram, sender)
            if time.monotonic() > until:
                return

    def _enqueue(self, datagram: bytes, sender: Sender) -> None:
        try:
            packet = read_packet(datagram)
        except MalformedPacketError as error:
            self._dispatcher.report_error(sender, "", str(error))
            return
        for message in packet.messages:
            self._dispatcher.enqueue(message, sender)
        for address, reason in packet.refused:
            self._dispatcher.report_error(sender, address, reason)

    def _send_answers(self, answers: list[Answer]) -> None:
        """Send the answers, those to one client together."""
        by_client: dict[Sender, list[bytes]] = {}
        for reply, address, values in answers:
            shortened = (value[:_MAX_TEXT] if isinstance(value, str) else value for value in values)
            by_client.setdefault(reply, []).append(_encode(address, *shortened))
        for reply, messages in by_client.items():
            for packet in bundle_messages(messages):
                with contextlib.suppress(OSError):  # the client has gone, or its network is full
                    self._socket.sendto(packet, reply)


_encode = lru_cache(maxsize=256, typed=True)(encode_message)  # many clients are sent the same


def _as_arguments(values: dict[str, Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    return ((address, (value,)) for address, value in values.items())


def bundle_messages(messages: list[bytes]) -> Iterator[bytes]:
    """Group encoded messages into few datagrams: a single one stays as it is, several become bundles."""
    batch: list[bytes] = []
    for message in messages:
        if batch and sum(len(one) + 4 for one in batch) + len(message) > _PACKET_BYTES:
            yield encode_bundle(batch) if len(batch) > 1 else batch[0]
            batch = []
        batch.append(message)
    if batch:
        yield encode_bundle(batch) if len(batch) > 1 else batch[0]
