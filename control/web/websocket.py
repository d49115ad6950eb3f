"""Common part of both WebSockets: a frame is handled when it is received, a second task sends what is pending."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

_FAULT: Final = 1011


async def serve_frames(
    socket: WebSocket, write: Coroutine[Any, Any, None], obey: Callable[[str | bytes], Awaitable[None]]
) -> None:
    """Serve an accepted WebSocket until it is closed.

    Parameters
    ----------
    socket : WebSocket
        The connection.
    write : coroutine
        Sends what waits, for ever; cancelled at the end.
    obey : callable
        Called with each frame, a text or bytes.
    """
    writer = asyncio.create_task(_write_or_close(socket, write))
    try:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            content = message.get("bytes")
            await obey(message["text"] if content is None else content)
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        writer.cancel()


async def _write_or_close(socket: WebSocket, write: Coroutine[Any, Any, None]) -> None:
    """Send what waits; where that fails the connection ends, so that the client makes another one."""
    try:
        await write
    except Exception:
        with contextlib.suppress(Exception):
            await socket.close(_FAULT)
