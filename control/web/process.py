"""The web process: one event loop, a server for the page and one for OSCQuery, and the pipe to the program."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, Final

import uvicorn

from ...engine.processes.realtime import freeze_gc
from .guard import App, Guard, LimitedProtocol, StrictWebSocket
from .messages import WebJob
from .mirror import Mirror
from .oscquery_app import oscquery_app
from .page_app import page_app

_MAX_FRAME: Final = 16_384
"""Bytes of a WebSocket message; longer ones end the connection."""
_MAX_HEADERS: Final = 8_192
_PING_S: Final = 10.0


def serve(job: WebJob, connection: "Connection[Any, Any]") -> None:
    """Serve until the other end of the pipe is closed."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    asyncio.run(_serve(job, connection))


async def _serve(job: WebJob, connection: "Connection[Any, Any]") -> None:
    mirror = Mirror(connection, dict(job.values))
    servers: list[tuple[_Server, socket.socket]] = []
    if job.page is not None:
        servers.append((_server(Guard(page_app(mirror, job.tracks, job.titles), token=job.token)), job.page))
    if job.query is not None:
        servers.append((_server(Guard(oscquery_app(mirror, job.host_info))), job.query))
    asyncio.get_running_loop().add_reader(connection.fileno(), mirror.receive)
    freeze_gc()
    tasks = [asyncio.create_task(server.serve(sockets=[listening])) for server, listening in servers]
    ended = asyncio.create_task(mirror.ended.wait())
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)  # (a server that ends is started again)
    for server, _ in servers:
        server.should_exit = server.force_exit = True
    await asyncio.wait(tasks, timeout=1.0)


class _Server(uvicorn.Server):
    """A server beside others: signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals as they are."""
        yield


def _server(app: App) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=LimitedProtocol,
            ws=StrictWebSocket,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ws_max_size=_MAX_FRAME,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PING_S,
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=_MAX_HEADERS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
    )
