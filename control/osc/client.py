"""The small OSC client behind `moodfader send` and `moodfader monitor`."""

import contextlib
import socket
import time
from collections.abc import Iterator

from ...models.common.errors import InputError
from ..session.parameters import Value, match_parameters
from .dispatcher import ERROR, SUBSCRIBE, UNSUBSCRIBE
from .packets import MalformedPacketError, Message, encode_message, parse_datagram
from .server import bundle_messages

_ALIVE = "/moodfader/transport/duration"
_LARGEST = 65536


class OscClient:
    """Speaks to one server. Raises InputError for a host that there is none of."""

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.connect(address)
        except (OSError, OverflowError) as error:
            raise InputError(f"{self.name}: no such address ({error})") from error

    def send(self, *messages: Message) -> None:
        """Send messages at once. Raises InputError when it cannot."""
        for packet in bundle_messages([encode_message(message.address, *message.arguments) for message in messages]):
            try:
                self._socket.send(packet)
            except OSError as error:
                raise self._silent() from error

    def receive(self, patience_s: float) -> Iterator[Message]:
        """What comes within that time. Raises InputError when it is known that nobody listens there."""
        end = time.monotonic() + patience_s
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                datagram = self._socket.recv(_LARGEST)
            except TimeoutError:
                return
            except OSError as error:
                raise self._silent() from error
            try:
                yield from parse_datagram(datagram)
            except MalformedPacketError as error:
                raise InputError(f"{self.name}: answers what is no OSC ({error})") from error

    def query(self, address: str, *arguments: Value, patience_s: float = 1.0) -> list[Message]:
        """Send one message and give what the addresses it names hold then, none for a button.

        Raises InputError with the server's reason if it refuses, and when no answer comes.
        """
        controls = [
            control for control in match_parameters(address.removesuffix("/norm")) if control.kind != "trigger"
        ]
        wanted = {control.address for control in controls} or {_ALIVE}
        sent = [Message(address, arguments)] if arguments or not controls else []
        self.send(*sent, Message(address if controls else _ALIVE))
        answers: list[Message] = []
        for message in self.receive(patience_s):
            if message.address == ERROR:
                raise InputError(str(message.arguments[0] if message.arguments else "refused without a reason"))
            name = message.address.removesuffix("/norm")
            if name in wanted:
                wanted.discard(name)
                answers.append(message)
            if not wanted:
                return answers if controls else []
        if answers:
            return answers
        raise self._silent()

    def subscribe(self, *, rate_hz: float, seconds: float | None = None, renew_s: float = 5.0) -> Iterator[Message]:
        """Subscribe and give all that comes, for so long or for ever. Raises InputError when no answer comes."""
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while end is None or time.monotonic() < end:
                self.send(Message(SUBSCRIBE, (rate_hz,)))
                told = False
                for message in self.receive(renew_s if end is None else min(renew_s, end - time.monotonic())):
                    told = True
                    if message.address == ERROR:
                        raise InputError(str(message.arguments[0] if message.arguments else "refused"))
                    yield message
                if not told:
                    raise self._silent()
        finally:
            self._socket.settimeout(1)
            with contextlib.suppress(OSError):  # the server has gone before
                self._socket.send(encode_message(UNSUBSCRIBE))
            self.close()

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def _silent(self) -> InputError:
        return InputError(f"{self.name}: no answer (is `moodfader play` running, with this --osc-port?)")
