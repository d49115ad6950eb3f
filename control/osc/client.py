"""The OSC client of `moodfader send` and `moodfader monitor`."""

import contextlib
import socket
import time
from collections.abc import Iterator

from ...models.common.errors import InputError
from ..parameters.table import Value, match_parameters
from .dispatcher import ERROR, SUBSCRIBE, UNSUBSCRIBE
from .packets import MAX_DATAGRAM, MalformedPacketError, Message, encode_message, parse_datagram
from .server import bundle_messages
from .sockets import resolve_host
from .subscriptions import NORM

_ALIVE = "/moodfader/transport/duration"
_LARGEST = 65536


class OscClient:
    """A client of one OSC server.

    Parameters
    ----------
    host, port : str, int
        Where the server listens.

    Raises
    ------
    InputError
        If there is no such host.
    """

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        numeric = resolve_host(host, what="OSC server")
        self._socket = socket.socket(socket.AF_INET6 if ":" in numeric else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.connect((numeric, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise InputError(f"OSC server {self.name}: cannot be reached ({error})") from error

    def send(self, *messages: Message) -> None:
        """Send messages, several as a bundle. Raises InputError if they cannot be sent."""
        for packet in bundle_messages([encode_message(message.address, *message.arguments) for message in messages]):
            if len(packet) > MAX_DATAGRAM:
                raise InputError(f"{messages[0].address[:80]}: a message of {len(packet)} bytes is too long")
            try:
                self._socket.send(packet)
            except OSError as error:
                raise self._no_answer() from error

    def receive(self, timeout_s: float) -> Iterator[Message]:
        """The messages that come within that time. Raises InputError if the system says that nobody listens there."""
        end = time.monotonic() + timeout_s
        while (remaining := end - time.monotonic()) > 0:
            self._socket.settimeout(remaining)
            try:
                datagram = self._socket.recv(_LARGEST)
            except TimeoutError:
                return
            except OSError as error:
                raise self._no_answer() from error
            try:
                yield from parse_datagram(datagram)
            except MalformedPacketError as error:
                raise InputError(f"{self.name}: the answer is not OSC ({error})") from error

    def query(self, address: str, *arguments: Value, timeout_s: float = 1.0) -> list[Message]:
        """Send one message and return what the addresses that it names hold afterwards.

        Parameters
        ----------
        address : str
            An address or pattern, with or without `/norm`.
        *arguments : Value
            The value to set; none asks only.
        timeout_s : float
            How long to wait for the answers.

        Returns
        -------
        list of Message
            One for each address; none for triggers.

        Raises
        ------
        InputError
            With the server's reason if it refuses, and if no answer comes.
        """
        parameters = [
            parameter for parameter in match_parameters(address.removesuffix("/norm")) if parameter.kind != "trigger"
        ]
        awaited = {parameter.address for parameter in parameters} or {_ALIVE}
        sent = [Message(address, arguments)] if arguments or not parameters else []
        self.send(*sent, Message(address if parameters else _ALIVE))
        answers: list[Message] = []
        for message in self.receive(timeout_s):
            if message.address == ERROR:
                raise InputError(str(message.arguments[0] if message.arguments else "refused without a reason"))
            name = message.address.removesuffix("/norm")
            if name in awaited:
                awaited.discard(name)
                answers.append(message)
            if not awaited:
                return answers if parameters else []
        if answers:
            return answers
        raise self._no_answer()

    def subscribe(
        self, *, rate_hz: float, seconds: float | None = None, renew_s: float = 5.0, normalised: bool = False
    ) -> Iterator[Message]:
        """Subscribe and yield the state, then every change.

        Parameters
        ----------
        rate_hz : float
            Packets a second.
        seconds : float, optional
            For how long; without end if not given.
        renew_s : float
            Time between two renewals of the subscription.
        normalised : bool
            Ask for `<address>/norm` (0..1) where there is one.

        Raises
        ------
        InputError
            If the server refuses, or does not answer.
        """
        subscribe = SUBSCRIBE + NORM if normalised else SUBSCRIBE
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while end is None or time.monotonic() < end:
                self.send(Message(subscribe, (rate_hz,)))
                answered = False
                for message in self.receive(renew_s if end is None else min(renew_s, end - time.monotonic())):
                    answered = True
                    if message.address == ERROR:
                        raise InputError(str(message.arguments[0] if message.arguments else "refused"))
                    yield message
                if not answered:
                    raise self._no_answer()
        finally:
            self._socket.settimeout(1)
            with contextlib.suppress(OSError):  # the server has gone before
                self._socket.send(encode_message(UNSUBSCRIBE))
            self.close()

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def _no_answer(self) -> InputError:
        return InputError(f"{self.name}: no answer (is `moodfader play` running, with this --osc-port?)")
