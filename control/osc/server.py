"""The OSC server: one socket, one thread, nothing that grows.

Each round takes what lies in the socket, reads it through `osc_guard`, sets the newest value of each address, answers
who asked, and tells the clients whose turn it is. No thread a message, no queue without an end, no waiting for a time
tag. It is bound to this machine unless told otherwise.
"""

import contextlib
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...models.common.errors import InputError
from ..session.parameters import Value
from .dispatcher import Answer, Dispatcher
from .packets import MAX_DATAGRAM, MalformedPacketError, encode_bundle, encode_message, parse_datagram
from .subscriptions import Sender, Subscriptions

if TYPE_CHECKING:
    from ..session.session import Session

DEFAULT_PORT: Final = 9000
_DRAIN_S: Final = 0.01  # to take what lies in the socket: all of it, for what is stale there is in the way of the new
_SLICE_S: Final = 0.002  # to read what was taken, before the socket's turn comes again
_BACKLOG: Final = 128  # datagrams that wait to be read; in a flood the older ones go, so that the newest acts soon
_BREATH_S: Final = 0.001  # a round, in a flood: this thread is urgent, and others want the processor, too
_ACT_S: Final = 0.01  # in a flood: reading goes on for so long before what was read is done
_IDLE_S: Final = 0.25
_PACKET: Final = 1200  # bytes of a bundle: one that networks carry in one piece


class OscServer:
    """Serves a session from its own thread until `close`."""

    def __init__(self, session: "Session", *, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
        """Port 0 takes any free one. Raises InputError when the address cannot be had."""
        self._session = session
        self._socket = bind_udp(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._clients = Subscriptions()
        self._dispatcher = Dispatcher(session, self._clients)
        self._arrived: deque[tuple[bytes, Sender]] = deque(maxlen=_BACKLOG)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="osc", daemon=True)
        self._thread.start()

    def clients(self) -> tuple[str, ...]:
        """Who is subscribed, as host:port."""
        return self._clients.names()

    def close(self) -> None:
        """Stop serving and give the port back."""
        self._closing = True
        with contextlib.suppress(OSError):  # an empty datagram to itself ends the wait
            self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        acted = -math.inf
        while not self._closing:
            now = time.monotonic()
            due = self._clients.next_due()
            pause = _IDLE_S if due is None else max(0.0, min(_IDLE_S, due - now))
            busy = self._arrived or not self._dispatcher.idle
            if len(self._arrived) == _BACKLOG:
                time.sleep(_BREATH_S)
            ready, _, _ = select.select([self._socket], [], [], 0.0 if busy else pause)
            if ready:
                self._receive(time.monotonic() + _DRAIN_S)
            self._read(time.monotonic() + _SLICE_S)
            now = time.monotonic()
            if self._arrived and now - acted < _ACT_S:  # (newer values are among what is not read yet)
                continue
            acted = now
            if not self._dispatcher.idle:
                self._answer(self._dispatcher.apply_pending(now))
            for sender, lease in self._clients.due(now):
                lease.version, changes = self._session.changes_since(lease.version)
                self._tell(sender, [_encoded(address, value) for address, value in lease.news(changes).items()])

    def _receive(self, until: float) -> None:
        """Take what lies in the socket; of a flood the newest stay."""
        while time.monotonic() < until:
            try:
                self._arrived.append(self._socket.recvfrom(MAX_DATAGRAM + 1))
            except BlockingIOError:
                return
            except OSError:  # the network's word on an answer that did not arrive
                continue

    def _read(self, until: float) -> None:
        """Hand what has arrived to the dispatcher, for so long at most."""
        while self._arrived:
            datagram, sender = self._arrived.popleft()
            if datagram:
                self._take(datagram, sender)
            if time.monotonic() > until:
                return

    def _take(self, datagram: bytes, sender: Sender) -> None:
        try:
            messages = parse_datagram(datagram)
        except MalformedPacketError as error:
            self._dispatcher.report_error(sender, "", str(error))
            return
        for message in messages:
            self._dispatcher.enqueue(message, sender)

    def _answer(self, answers: list[Answer]) -> None:
        """Send the answers, those of one client together."""
        by_sender: dict[Sender, list[bytes]] = {}
        for sender, address, values in answers:
            by_sender.setdefault(sender, []).append(_encoded(address, *_sendable(values)))
        for sender, messages in by_sender.items():
            self._tell(sender, messages)

    def _tell(self, sender: Sender, messages: list[bytes]) -> None:
        for packet in bundle_messages(messages):
            with contextlib.suppress(OSError):  # it is gone, or its network is full: the lease will end
                self._socket.sendto(packet, sender)


_encoded = lru_cache(maxsize=256, typed=True)(encode_message)  # many clients are told the same


def bundle_messages(messages: list[bytes]) -> Iterator[bytes]:
    """Encoded messages as few datagrams: one goes as it is, several as bundles."""
    batch: list[bytes] = []
    for message in messages:
        if batch and sum(len(one) + 4 for one in batch) + len(message) > _PACKET:
            yield encode_bundle(batch) if len(batch) > 1 else batch[0]
            batch = []
        batch.append(message)
    if batch:
        yield encode_bundle(batch) if len(batch) > 1 else batch[0]


def bind_udp(host: str, port: int) -> socket.socket:
    """A UDP socket on that address that does not block. Raises InputError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise InputError(f"OSC on {host}:{port}: no such address ({error})") from error
    try:
        made.bind(address)
    except OSError as error:
        made.close()
        reason = error.strerror or error
        raise InputError(f"OSC on {host}:{port}: {reason} (does another Moodfader use the port?)") from error
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # as far as the system allows
    return made


def _sendable(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Texts are cut to what a datagram carries."""
    return tuple(value[:400] if isinstance(value, str) else value for value in values)
