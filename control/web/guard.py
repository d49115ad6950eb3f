"""Access control of the web process: `Host` and `Origin` headers, token in the path, methods, rates and sizes."""

import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..osc.oscquery import names_this_machine

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

METHODS: Final = ("GET", "HEAD", "OPTIONS")
MAX_CONNECTIONS: Final = 128
"""Connections of one listener; more are closed at once."""
MAX_OF_ONE: Final = 64
"""Of those, connections from one address: one device that is at fault leaves room for the others."""
MAX_SILENT: Final = 16
"""Of those, connections that have not asked for anything yet."""
_SILENCE_S: Final = 3.0
"""Time within which a connection has to ask for something."""
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        b"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


class Guard:
    """Lets a request through to an application if it comes from where it may.

    * `Host` names this machine (a stranger's domain that points here does not).
    * `Origin`, where there is one, is that of the page itself: a page of a stranger cannot open a WebSocket here.
    * Only `GET`, `HEAD` and `OPTIONS`.
    * The path begins with the token, if there is one; it is taken off. Everything else is not found.

    Parameters
    ----------
    app : callable
        The ASGI application.
    token : str
        First part of the path; empty: none is needed.
    """

    def __init__(self, app: App, *, token: str = "") -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if not names_this_machine(headers.get(b"host", "")) or not _same_origin(headers):
            await _refuse(scope, send, 403)
            return
        if self._token:
            first, _, rest = str(scope["path"])[1:].partition("/")
            if not hmac.compare_digest(first.encode("utf-8", "replace"), self._token):
                await _refuse(scope, send, 404)
                return
            if not str(scope["path"])[1:].count("/"):
                await _refuse(scope, send, 307, (b"location", b"/" + self._token + b"/"))
                return
            scope = {**scope, "path": "/" + rest, "raw_path": b""}
        if scope["type"] == "http" and scope["method"] not in METHODS:
            await _refuse(scope, send, 405, (b"allow", ", ".join(METHODS).encode()))
            return
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await _refuse(scope, send, 204, (b"allow", ", ".join(METHODS).encode()))
            return

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _same_origin(headers: MutableMapping[bytes, str]) -> bool:
    """Whether `Origin` is missing (a program, or a plain request of a page) or names the host that is asked."""
    origin = headers.get(b"origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get(b"host", "").lower() != ""


async def _refuse(scope: Scope, send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """An empty answer; a WebSocket that is not accepted gets 403."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    length = () if status == 204 else ((b"content-length", b"0"),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": b""})


class LimitedProtocol(H11Protocol):
    """HTTP with limited numbers of connections, whose clients have to go on asking.

    Too many at once, of all or of one address, and those that ask for nothing whole within some seconds are closed:
    the first time and after each answer, also where a part of a request has come.
    """

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401
        """Take a connection, unless there are too many."""
        silent = sum(isinstance(one, LimitedProtocol) and one.cycle is None for one in self.connections)
        peer = _host(transport.get_extra_info("peername"))
        of_peer = sum(_host(getattr(one, "client", None)) == peer for one in self.connections)
        if len(self.connections) >= MAX_CONNECTIONS or silent >= MAX_SILENT or of_peer >= MAX_OF_ONE:
            super().connection_made(transport)
            transport.abort()
            return
        super().connection_made(transport)
        self.loop.call_later(_SILENCE_S, self._close_if_silent, None)

    def _close_if_silent(self, before: Any) -> None:  # noqa: ANN401
        """Close if no request has come since the one that was the last some seconds ago, and that is answered."""
        if self not in self.connections or self.transport.is_closing():  # (or it has become a WebSocket)
            return
        if self.cycle is before and (before is None or before.response_complete):
            self.transport.abort()
        else:
            self.loop.call_later(_SILENCE_S, self._close_if_silent, self.cycle)


def _host(address: Any) -> str:  # noqa: ANN401
    """The host of a socket address."""
    return str(address[0]) if address else ""


class StrictWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose handshake is answered if it cannot be read.

    The request for it comes whole. uvicorn keeps a connection open, for ever and without an answer, where the parser
    of WebSocket handshakes refuses what that of HTTP has let through, such as a control character in a header.
    """

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a handshake come first, all at once."""
        super().data_received(data)
        if not (self.handshake_initiated or self.transport.is_closing()):
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


class RateLimit:
    """A bucket that fills with `rate` tokens a second up to `burst`; each message takes one."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens = burst
        self._at = time.monotonic()

    def allows(self) -> bool:
        """Whether one more message may come now."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
