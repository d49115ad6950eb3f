"""OSCQuery over HTTP/1.1 and its WebSocket.

Over the WebSocket a client sends `{"COMMAND": "LISTEN", "DATA": address}` and `IGNORE`, and OSC packets as binary
frames. It is sent OSC packets with the value of each address that it listens to, at once and at each change, and
`{"COMMAND": "PATH_CHANGED", "DATA": address}` when what a container says of its contents is another.
"""

import asyncio
import itertools
import json
import time
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from ...models.common.errors import InputError
from ..osc.dispatcher import ERROR, SUBSCRIBE, UNSUBSCRIBE, Dispatcher
from ..osc.oscquery import PRESET_LOAD, handle_request
from ..osc.packets import MalformedPacketError, encode_message, read_packet
from ..osc.server import bundle_messages
from ..osc.subscriptions import Subscriptions
from ..parameters.table import PARAMETERS, ROOT, Value
from ..session.presets import available_presets
from .guard import RateLimit
from .mirror import Mirror
from .websocket import serve_frames

MAX_CLIENTS: Final = 32
_FRAMES_PER_S: Final = (1000.0, 2000.0)
_REQUESTS_PER_S: Final = (100.0, 200.0)
_PRESETS_S: Final = 1.0
"""Time after which the folders of presets are looked at again."""
_TEXT_LENGTH: Final = 400
_ADDRESSES: Final = frozenset(parameter.address for parameter in PARAMETERS)


def oscquery_app(mirror: Mirror, host_info: dict[str, Any]) -> Starlette:
    """The ASGI application of OSCQuery.

    Parameters
    ----------
    mirror : Mirror
        Whose values are shown and set.
    host_info : dict
        The answer to `?HOST_INFO`.
    """
    clients = OscQueryClients(mirror)
    rate = RateLimit(*_REQUESTS_PER_S)

    async def node(request: Request) -> Response:
        if not rate.allows():
            return Response(status_code=429)
        await mirror.sync()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        status, body = handle_request(target, mirror.state(), host_info, presets=clients.presets())
        return Response(status_code=status) if body is None else JSONResponse(body, status_code=status)

    return Starlette(
        routes=[WebSocketRoute("/{path:path}", clients.serve), Route("/{path:path}", node, methods=["GET"])]
    )


class OscQueryClient:
    """One WebSocket: what it listens to, its dispatcher of OSC messages, and what waits to be sent."""

    def __init__(self, number: int, socket: WebSocket, mirror: Mirror) -> None:
        self.number = number
        self.socket = socket
        self.listens: set[str] = set()
        self.rate = RateLimit(*_FRAMES_PER_S)
        self.source = ("websocket", number)
        self.dispatcher = Dispatcher(_ClientSession(mirror, number), Subscriptions())  # type: ignore[arg-type]
        self.values: dict[str, Value] = {}
        self.packets: list[bytes] = []
        self.commands: dict[str, str] = {}
        self.wake = asyncio.Event()

    def send_values(self, values: dict[str, Value]) -> None:
        """Send the newest values of addresses."""
        self.values |= values
        self.wake.set()

    def send_error(self, text: str) -> None:
        """Send an OSC error."""
        if len(self.packets) < MAX_CLIENTS:
            self.packets.append(encode_message(ERROR, text[:_TEXT_LENGTH]))
            self.wake.set()

    def obey(self, frame: bytes) -> None:
        """Obey an OSC packet, and answer what it asks."""
        try:
            packet = read_packet(frame)
        except MalformedPacketError as error:
            self.send_error(str(error))
            return
        for message in packet.messages:
            if message.address.removesuffix("/norm") in (SUBSCRIBE, UNSUBSCRIBE):
                self.send_error(f"{message.address}: over a WebSocket changes are asked for by LISTEN")
            else:
                self.dispatcher.enqueue(message, self.source)
        for address, reason in packet.refused:
            self.dispatcher.report_error(self.source, address, reason)
        while not self.dispatcher.idle:
            answers = self.dispatcher.apply_pending(time.monotonic())
            self.packets += bundle_messages([encode_message(address, *values) for _, address, values in answers])
        self.wake.set()

    async def write(self) -> None:
        """Send what waits until the connection ends."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            commands, self.commands = self.commands, {}
            packets, self.packets = self.packets, []
            values, self.values = self.values, {}
            for data, command in commands.items():
                await self.socket.send_text(json.dumps({"COMMAND": command, "DATA": data}))
            for packet in packets:
                await self.socket.send_bytes(packet)
            for address, value in values.items():
                shown = value[:_TEXT_LENGTH] if isinstance(value, str) else value
                await self.socket.send_bytes(encode_message(address, shown))


class _ClientSession:
    """The mirror as the session of one client's dispatcher: what it sets carries its number."""

    def __init__(self, mirror: Mirror, number: int) -> None:
        self._mirror, self._number = mirror, number

    def set(self, address: str, value: Value, *, source: str = "") -> None:
        self._mirror.set(address, value, source=source, client=-self._number)

    def get(self, address: str) -> Value:
        return self._mirror.get(address)


class OscQueryClients:
    """All WebSockets of OSCQuery."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._numbers = itertools.count(1)
        self._clients: dict[int, OscQueryClient] = {}
        self._presets: tuple[str, ...] = tuple(available_presets())
        self._presets_at = time.monotonic()
        mirror.on_change.append(self._publish)
        mirror.on_refusal.append(self._refuse)

    def presets(self) -> tuple[str, ...]:
        """Names of all presets; clients are told when they are others than before."""
        if time.monotonic() - self._presets_at > _PRESETS_S:
            self._presets_at = time.monotonic()
            before, self._presets = self._presets, tuple(available_presets())
            if before != self._presets:
                self._tell_path_changed(PRESET_LOAD.rpartition("/")[0])
        return self._presets

    async def serve(self, socket: WebSocket) -> None:
        """Serve one WebSocket until it goes."""
        if len(self._clients) >= MAX_CLIENTS:
            await socket.close(1013)
            return
        await socket.accept()
        client = OscQueryClient(next(self._numbers), socket, self._mirror)
        self._clients[client.number] = client

        async def obey(frame: str | bytes) -> None:
            if not client.rate.allows():
                client.send_error("too many messages: some are left out")
            elif isinstance(frame, bytes):
                client.obey(frame)
            else:
                await self._command(client, frame)

        try:
            await serve_frames(socket, client.write(), obey)
        finally:
            del self._clients[client.number]

    async def _command(self, client: OscQueryClient, text: str) -> None:
        try:
            frame = json.loads(text)
            command, address = (frame.get("COMMAND"), frame.get("DATA")) if isinstance(frame, dict) else (None, None)
            if command not in ("LISTEN", "IGNORE"):
                raise InputError("a command is LISTEN or IGNORE")
            if address not in _ADDRESSES:
                raise InputError(f"{command} {str(address)[:80]}: no such address")
        except (ValueError, RecursionError, TypeError) as error:
            client.send_error(str(error))
            return
        if command == "IGNORE":
            client.listens.discard(address)
            return
        await self._mirror.sync()
        client.listens.add(address)
        if (value := self._mirror.get(address)) is not None:
            client.send_values({address: value})

    def _publish(self, values: dict[str, Value]) -> None:
        for client in self._clients.values():
            heard = {address: value for address, value in values.items() if address in client.listens}
            if heard:
                client.send_values(heard)
        if f"{ROOT}/transport/tracks" in values:
            self._tell_path_changed(f"{ROOT}/transport")
        if self._clients:
            self.presets()

    def _tell_path_changed(self, path: str) -> None:
        for client in self._clients.values():
            client.commands[path] = "PATH_CHANGED"
            client.wake.set()

    def _refuse(self, number: int, address: str, text: str) -> None:
        client = self._clients.get(-number)
        if client is not None:
            client.send_error(text)
            if (value := self._mirror.get(address)) is not None:
                client.send_values({address: value})
