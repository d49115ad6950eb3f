"""The page's files, the waveform and the gain map of each track over HTTP, and its WebSocket.

All files are read when the process starts: no path is ever made of what a client asks for.
"""

import hashlib
import importlib.resources
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from .mirror import Mirror
from .page_clients import PageClients
from .track_pictures import TrackPictures

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "mp4": "video/mp4",
    "webmanifest": "application/manifest+json",
}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Content and media type of each file of the page, by name."""
    folder = importlib.resources.files("moodfader.control.web") / "page"
    return {
        one.name: (one.read_bytes(), _TYPES[one.name.rpartition(".")[2]])
        for one in folder.iterdir()
        if one.name.rpartition(".")[2] in _TYPES
    }


def page_app(mirror: Mirror, tracks: tuple[Path, ...], titles: tuple[str, ...]) -> Starlette:
    """The ASGI application of the page.

    Parameters
    ----------
    mirror : Mirror
        What it shows and sets.
    tracks : tuple of Path
        The set list.
    titles : tuple of str
        What is shown of each track.
    """
    files = {
        name: (content, kind, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
        for name, (content, kind) in page_files().items()
    }
    clients = PageClients(mirror, list(titles))
    pictures = TrackPictures(tracks)
    mirror.on_analysis.append(pictures.note_analysis)

    async def file(request: Request) -> Response:
        name = request.path_params.get("name", "") or "index.html"
        if name not in files:
            return Response(status_code=404)
        content, kind, tag = files[name]
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    async def wave(request: Request) -> Response:
        return _binary(await pictures.waveform(request.path_params["track"]))

    async def gain_map(request: Request) -> Response:
        return _binary(await pictures.gain_map(request.path_params["track"]))

    return Starlette(
        routes=[
            Route("/", file),
            Route("/{name}", file),
            Route("/wave/{track:int}", wave),
            Route("/map/{track:int}", gain_map),
            WebSocketRoute("/ws", clients.serve),
        ]
    )


def _binary(content: bytes | None) -> Response:
    if content is None:
        return Response(status_code=404)
    return Response(content, media_type="application/octet-stream", headers={"cache-control": "no-store"})
