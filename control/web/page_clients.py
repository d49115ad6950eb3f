"""The browsers that show the page: what each sets and holds, and what each is told.

Frames are JSON objects. A page sends `{"set": {address: value}}`, `{"hold": [address]}` while a finger is on a
control, `{"free": [address]}` and `{"ping": n}`. It is sent `{"hello": ...}` once, `{"v": {address: value}}` of all
that changes, `{"presets": [name]}` when one has been saved, `{"held": {address: client or null}}`, `{"map": track}`
when a track's analysis is there, `{"pong": n}` and `{"error": text, "address": address}`.
"""

import asyncio
import itertools
import json
import math
from typing import Any, Final

from starlette.websockets import WebSocket

from ...models.common.errors import InputError
from ..parameters.table import PARAMETERS, ROOT, Value, find_parameter
from ..session.presets import available_presets
from .guard import RateLimit
from .mirror import Mirror
from .websocket import serve_frames

MAX_CLIENTS: Final = 48
MAX_HELD: Final = 16
"""Controls that one client holds at a time."""
_FRAMES_PER_S: Final = (400.0, 800.0)
_ERRORS_PER_S: Final = (10.0, 20.0)
_PRESETS: Final = f"{ROOT}/state/presets"
_MAX_SETS: Final = 64
"""Values in one frame."""


class PageClient:
    """One page: its number, and what waits to be sent to it (of each address the newest value)."""

    def __init__(self, number: int, socket: WebSocket) -> None:
        self.number = number
        self.socket = socket
        self.frames = RateLimit(*_FRAMES_PER_S)
        self.errors = RateLimit(*_ERRORS_PER_S)
        self._values: dict[str, Value] = {}
        self._encoded: str | None = None  # the frame of `_values`, if that is known
        self._others: dict[object, dict[str, Any]] = {}
        self._wake = asyncio.Event()

    def offer(self, values: dict[str, Value], encoded: str) -> None:
        """Send values; `encoded` is their frame, the same for all clients."""
        if self._values:
            self._values |= values
            self._encoded = None
        else:
            self._values, self._encoded = dict(values), encoded
        self._wake.set()

    def tell(self, key: object, frame: dict[str, Any]) -> None:
        """Send another frame; a newer one with the same key replaces it."""
        self._others[key] = frame
        self._wake.set()

    def tell_error(self, address: str, text: str) -> None:
        """Send an error, unless there were too many."""
        if self.errors.allows():
            self.tell(("error", address), {"error": text, "address": address})

    async def write(self) -> None:
        """Send what waits until the connection ends."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            others, self._others = self._others, {}
            values, encoded, self._values = self._values, self._encoded, {}
            for frame in others.values():
                await self.socket.send_text(encode(frame))
            if values:
                await self.socket.send_text(encoded or encode({"v": values}))


class PageClients:
    """All pages of a show.

    Parameters
    ----------
    mirror : Mirror
        The values that they show and set.
    tracks : list of str
        Names of the tracks of the set list.
    """

    def __init__(self, mirror: Mirror, tracks: list[str]) -> None:
        self._mirror = mirror
        self._tracks = tracks
        self._numbers = itertools.count(1)
        self._clients: dict[int, PageClient] = {}
        self._holders: dict[str, int] = {}
        self._analysed: set[int] = set()
        mirror.on_change.append(self._publish)
        mirror.on_refusal.append(self._refuse)
        mirror.on_analysis.append(self._tell_analysis)

    async def serve(self, socket: WebSocket) -> None:
        """Serve one page until it goes."""
        if len(self._clients) >= MAX_CLIENTS:
            await socket.close(1013)
            return
        await socket.accept()
        client = PageClient(next(self._numbers), socket)
        client.tell("hello", {"hello": self._hello(client)})
        self._clients[client.number] = client

        async def obey(frame: str | bytes) -> None:
            if not client.frames.allows():
                client.tell_error("", "too many messages: some are left out")
            elif isinstance(frame, bytes):
                client.tell_error("", "frames are texts in JSON")
            else:
                self._read(client, frame)

        try:
            await serve_frames(socket, client.write(), obey)
        finally:
            del self._clients[client.number]
            self._free(client, [address for address, number in self._holders.items() if number == client.number])

    def _hello(self, client: PageClient) -> dict[str, Any]:
        return {
            "id": client.number,
            "tracks": self._tracks,
            "presets": list(available_presets()),
            "maps": sorted(self._analysed),
            "held": dict(self._holders),
            "values": self._mirror.state(),
            "table": [
                {
                    "address": parameter.address,
                    "kind": parameter.kind,
                    "low": parameter.low,
                    "high": parameter.high,
                    "unit": parameter.unit,
                    "default": parameter.default,
                    "text": parameter.description,
                    "writable": parameter.writable,
                }
                for parameter in PARAMETERS
            ],
        }

    def _read(self, client: PageClient, text: str) -> None:
        """Obey one frame."""
        try:
            frame = json.loads(text)
            if not isinstance(frame, dict):
                raise InputError("a frame is a JSON object")
            for word, content in frame.items():
                if word == "set" and isinstance(content, dict) and len(content) <= _MAX_SETS:
                    for address, value in content.items():
                        self._set(client, address, value)
                elif word in ("hold", "free") and isinstance(content, list) and len(content) <= MAX_HELD:
                    addresses = [find_parameter(str(address)).address for address in content]
                    (self._hold if word == "hold" else self._free)(client, addresses)
                elif word == "ping" and isinstance(content, int | float):
                    client.tell("pong", {"pong": content})
                else:
                    raise InputError(f"frame {word[:40]!r}: not understood")
        except (ValueError, RecursionError) as error:
            client.tell_error("", str(error)[:200])

    def _set(self, client: PageClient, address: str, value: object) -> None:
        try:
            parameter = find_parameter(address)
            if not parameter.writable:
                raise InputError(f"{address}: can only be watched, not set")
            checked = parameter.validate(value)
        except InputError as error:
            self._refuse(client.number, address, str(error))
            return
        holder = self._holders.get(address, client.number)
        if holder != client.number:  # another client holds it: the last one to touch a fader does
            self._send_held(client, address)
            return
        if parameter.kind == "trigger" and not checked:
            return
        peer = client.socket.client
        source = f"web {peer.host}:{peer.port}" if peer else "web"
        self._mirror.set(address, checked, source=source, client=client.number)

    def _hold(self, client: PageClient, addresses: list[str]) -> None:
        held = sum(number == client.number for number in self._holders.values())
        taken = addresses[: max(MAX_HELD - held, 0)]
        self._holders |= dict.fromkeys(taken, client.number)
        self._tell_held(dict.fromkeys(taken, client.number))

    def _free(self, client: PageClient, addresses: list[str]) -> None:
        freed = [address for address in addresses if self._holders.get(address) == client.number]
        for address in freed:
            del self._holders[address]
        self._tell_held(dict.fromkeys(freed, None))

    def _tell_held(self, held: dict[str, int] | dict[str, None]) -> None:
        for address, number in held.items():
            for client in self._clients.values():
                client.tell(("held", address), {"held": {address: number}})

    def _publish(self, values: dict[str, Value]) -> None:
        if _PRESETS in values:
            for client in self._clients.values():
                client.tell("presets", {"presets": list(available_presets())})
        encoded = encode({"v": values})
        for client in self._clients.values():
            client.offer(values, encoded)

    def _refuse(self, number: int, address: str, text: str) -> None:
        """Tell a client why its value was not set, and what is held instead."""
        client = self._clients.get(number)
        if client is not None:
            client.tell_error(address[:200], text)
            self._send_held(client, address)

    def _send_held(self, client: PageClient, address: str) -> None:
        values = self._mirror.state()
        if address in values:
            client.tell(("v", address), {"v": {address: values[address]}})

    def _tell_analysis(self, track: int, path: str) -> None:
        self._analysed.add(track)
        for client in self._clients.values():
            client.tell(("map", track), {"map": track})


def encode(frame: dict[str, Any]) -> str:
    """A frame as JSON; numbers that are not finite are null."""
    try:
        return json.dumps(frame, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(frame), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
