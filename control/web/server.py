"""The program's side of the web process: starts it, sets what its clients want, and tells it what has changed."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...engine.processes.child_signals import ignore_signals
from ...engine.processes.ipc import ChildProcesses
from ...engine.processes.lasting_loop import run_rounds
from ...engine.processes.messages import Notice
from ...engine.processes.realtime import set_normal_priority
from ...engine.processes.restarts import RestartLimit
from ...models.common.errors import InputError
from ..osc.oscquery import host_info
from ..osc.service_announcer import EVERYWHERE, ServiceAnnouncer, own_address
from ..osc.sockets import bind_tcp, is_loopback, url_host
from ..session.values.change_signal import ChangeSignal
from .messages import Changes, SetBatch, WebJob

if TYPE_CHECKING:
    from ..session.session import Session

_IDLE_S: Final = 0.25
"""Longest wait for a batch or a change."""
_GAP_S: Final = 0.008
"""Shortest time between two messages of changes that nobody of the web process waits for."""
_PAUSE_S: Final = 0.2
_RETRY_S: Final = 2.0
_TOKEN_BYTES: Final = 12


class WebServer:
    """Serves the page, OSCQuery or both from a process of its own until `close`.

    Parameters
    ----------
    session : Session
        What is shown and set.
    host : str
        Where to listen.
    page_port : int, optional
        Port of the page; 0 takes any free one. None: no page.
    osc_port : int, optional
        Port of the OSC server that OSCQuery names. None: no OSCQuery.
    query_port : int
        Port of OSCQuery; 0 takes any free one, because controllers find it.
    announce : bool
        Whether OSCQuery is announced on the network.
    tracks : sequence of Path
        The set list.
    titles : sequence of str
        What is shown of each track; none: the names of the files.
    note : callable, optional
        Told in one line when the process ends by itself.
    start : bool
        Whether the process is started at once; otherwise by `start`.
    bound : socket, optional
        A socket of `bind_tcp` for the page, instead of `page_port`.

    Attributes
    ----------
    host : str
        The numeric address on which it listens.
    page_port, query_port : int
        The ports; 0 for what is not served.
    token : str
        What the path of the page begins with beyond loopback; empty on loopback.

    Raises
    ------
    InputError
        If an address cannot be had.
    """

    def __init__(
        self,
        session: "Session",
        *,
        host: str = "127.0.0.1",
        page_port: int | None = None,
        osc_port: int | None = None,
        query_port: int = 0,
        announce: bool = True,
        tracks: Sequence[Path] = (),
        titles: Sequence[str] = (),
        note: Callable[[str], None] | None = None,
        start: bool = True,
        bound: socket.socket | None = None,
    ) -> None:
        self._session = session
        self._note = note or (lambda text: None)
        self._tracks, self._titles = tuple(tracks), tuple(titles) or tuple(track.stem for track in tracks)
        page = bound
        if page is None and page_port is not None:
            page = bind_tcp(host, page_port, what="web page on")
        try:
            query = None if osc_port is None else bind_tcp(host, query_port, what="OSCQuery on")
        except InputError:
            if page is not None:
                page.close()
            raise
        self._sockets = {"page": page, "query": query}
        ports = {name: 0 if one is None else int(one.getsockname()[1]) for name, one in self._sockets.items()}
        self.page_port, self.query_port = ports["page"], ports["query"]
        self.host = next((str(one.getsockname()[0]) for one in (page, query) if one is not None), host)
        self.token = "" if page is None or is_loopback(self.host) else secrets.token_urlsafe(_TOKEN_BYTES)
        self._info = host_info(self.host, osc_port or 0, ws_port=self.query_port)
        self._closing = threading.Event()
        self._children = ChildProcesses()
        self._changed = ChangeSignal(session)
        self._version, self._told = 0, 0.0  # (what the web process knows, and since when)
        self._analyses: dict[int, str] = {}
        self._connection: Any = None
        self._restarts = RestartLimit()
        told = {"who": "web", "tell": self._note}
        self._thread = threading.Thread(
            target=run_rounds, args=(self._serve, self._closing), kwargs=told, name="web", daemon=True
        )
        self._announced_port = osc_port if announce else None
        self._announcement: ServiceAnnouncer | None = None
        if start:
            self.start()

    def start(self) -> None:
        """Start the process that serves, and announce it, where the constructor was told not to."""
        self._start()
        self._thread.start()
        if self._announced_port is not None:
            self._announcement = ServiceAnnouncer(self.host, self.query_port, self._announced_port)

    @property
    def url(self) -> str:
        """The address of the page, as it is typed into a browser of a machine that may reach it; empty: no page."""
        if not self.page_port:
            return ""
        host = own_address() if self.host in EVERYWHERE else self.host
        return f"http://{url_host(host)}:{self.page_port}/" + (f"{self.token}/" if self.token else "")

    def close(self) -> None:
        """Stop serving, and withdraw the announcement."""
        if self._announcement is not None:
            self._announcement.close()
        self._closing.set()
        self._changed.set()  # (ends the wait)
        if self._connection is not None:
            self._thread.join(2.0)
            self._connection.close()  # the process ends when its pipe does
        self._children.join(2.0)
        self._changed.close()
        for one in self._sockets.values():
            if one is not None:
                one.close()

    def _start(self) -> None:
        self._version, values = self._session.changes_since(0)
        self._analyses = {}
        page, query = self._sockets["page"], self._sockets["query"]
        job = WebJob(values, self._tracks, self._titles, page, self.token, query, self._info)
        self._process, self._connection = self._children.start(web_main, job)

    def _serve(self) -> bool:
        """One round of the thread: exchange values with the web process, or start it again. False: it is given up."""
        try:
            self._exchange()
        except (EOFError, OSError):
            if self._closing.is_set():
                return False
            if not self._restarts.allows():
                self._note("the web server has ended: stop and play again")
                return False
            self._note("the web server has ended, it is started again")
            self._connection.close()
            self._start_again()
        return True

    def _start_again(self) -> None:
        """Start the web process. One that cannot be started now is told of, and tried again."""
        told = False
        while not self._closing.wait(_RETRY_S if told else _PAUSE_S):
            try:
                self._start()
            except InputError as error:
                if not told and not self._closing.is_set():
                    self._note(f"web server: {error}; it is tried again every two seconds")
                told = True
            else:
                return

    def _exchange(self) -> None:
        """Wait for a batch or a change, set the batch, and send what has changed."""
        ready = wait([self._connection, self._changed.socket], _IDLE_S)
        if self._changed.socket in ready and self._connection not in ready:
            early = self._told + _GAP_S - time.monotonic()
            if early > 0:
                self._connection.poll(early)
        self._changed.clear()
        number, refused = 0, []
        if self._connection.poll():
            batch = self._connection.recv()
            if isinstance(batch, Notice):
                self._note(batch.text)
            if isinstance(batch, SetBatch):
                number = batch.number
                for request in batch.requests:
                    try:
                        self._session.set(request.address, request.value, source=request.source)
                    except InputError as error:
                        refused.append((request.client, request.address, str(error)))
        self._version, values = self._session.changes_since(self._version)
        analyses = self._new_analyses() if values else {}
        if number or values or analyses:
            self._connection.send(Changes(values, number, tuple(refused), analyses))
            self._told = time.monotonic()

    def _new_analyses(self) -> dict[int, str]:
        new = {
            track: str(summary.analysis)
            for track, summary in self._session.track_summaries.items()
            if self._analyses.get(track) != str(summary.analysis)
        }
        self._analyses |= new
        return new


def web_main(job: WebJob, connection: "Connection[Any, Any]") -> None:
    """Entry point of the web process."""
    ignore_signals()
    set_normal_priority()
    from .process import serve

    serve(job, connection)
