"""OSCQuery: controllers read over HTTP which addresses there are, and find the server on the network.

The address tree of the OSCQuery proposal (github.com/Vidvox/OSCQueryProposal) as JSON, made from the table of
parameters; `?HOST_INFO` says where the OSC server is. Only GET is answered, and no file is read.
"""

import http.server
import ipaddress
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ...models.common.errors import InputError
from ..session.parameters import PARAMETERS, Parameter, Value
from .service_announcer import EVERYWHERE, NAME, ServiceAnnouncer
from .sockets import bind_error_text, resolve_host

if TYPE_CHECKING:
    from ..session.session import Session

_MAX_CONNECTIONS: Final = 8
_TIMEOUT_S: Final = 2.0
_TAGS: Final = {"float": "f", "int": "i", "string": "s", "trigger": "I"}
_ATTRIBUTES: Final = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT")


def parameter_node(parameter: Parameter, value: Value) -> dict[str, Any]:
    """The OSCQuery node of one parameter. A value that is not known yet is null."""
    tag = _TAGS.get(parameter.kind) or ("T" if value else "F")
    readable = parameter.kind != "trigger"
    node: dict[str, Any] = {
        "FULL_PATH": parameter.address,
        "DESCRIPTION": parameter.description,
        "TYPE": tag,
        "ACCESS": (1 if readable else 0) | (2 if parameter.writable else 0),
    }
    if readable:
        node["VALUE"] = [value]
    span = {name: bound for name, bound in (("MIN", parameter.low), ("MAX", parameter.high)) if bound is not None}
    if span:
        node["RANGE"] = [span]
    if parameter.unit:
        node["UNIT"] = [parameter.unit]
    return node


def address_tree(state: dict[str, Value]) -> dict[str, Any]:
    """The OSCQuery tree of all parameters, from the root container on."""
    root: dict[str, Any] = {"FULL_PATH": "/", "ACCESS": 0, "CONTENTS": {}}
    for parameter in PARAMETERS:
        node = root
        *folders, name = parameter.address.strip("/").split("/")
        for depth, folder in enumerate(folders, 1):
            path = "/" + "/".join(folders[:depth])
            node = node["CONTENTS"].setdefault(folder, {"FULL_PATH": path, "ACCESS": 0, "CONTENTS": {}})
        node["CONTENTS"][name] = parameter_node(parameter, state.get(parameter.address))
    return root


def handle_request(
    target: str, state: dict[str, Value], host_info: dict[str, Any]
) -> tuple[HTTPStatus, dict[str, Any] | None]:
    """Status and JSON body (None: empty) of a GET request for that target."""
    path, _, attribute = target.partition("?")
    if attribute == "HOST_INFO":
        return HTTPStatus.OK, host_info
    node: dict[str, Any] | None = address_tree(state)
    for name in unquote(path).strip("/").split("/"):
        if name and node is not None:
            node = node.get("CONTENTS", {}).get(name)
    if node is None:
        return HTTPStatus.NOT_FOUND, None
    if not attribute:
        return HTTPStatus.OK, node
    if attribute not in _ATTRIBUTES:
        return HTTPStatus.BAD_REQUEST, None
    return (HTTPStatus.OK, {attribute: node[attribute]}) if attribute in node else (HTTPStatus.NO_CONTENT, None)


class OscQueryServer:
    """Serves the address tree from threads of its own until `close`.

    Parameters
    ----------
    session : Session
        Whose values are shown.
    osc_port : int
        The port of the OSC server.
    host, port : str, int
        Where to listen; port 0 takes any free one, because controllers find it.
    announce : bool
        Whether the servers are announced on the network.

    Raises
    ------
    InputError
        If the address cannot be had.
    """

    def __init__(
        self, session: "Session", *, osc_port: int, host: str = "127.0.0.1", port: int = 0, announce: bool = True
    ) -> None:
        host = resolve_host(host, what="OSCQuery on")
        info = host_info(host, osc_port)

        class Handler(_Handler):
            @staticmethod
            def respond(target: str) -> tuple[HTTPStatus, dict[str, Any] | None]:
                return handle_request(target, session.state(), info)

        try:
            self._http = _Server((host, port), Handler)
        except OSError as error:
            raise InputError(f"OSCQuery on {host}:{port}: {bind_error_text(error)}") from error
        except OverflowError as error:
            raise InputError(f"OSCQuery on {host}:{port}: a port is a number from 0 to 65535") from error
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, name="oscquery", daemon=True)
        self._thread.start()
        self._announcement = ServiceAnnouncer(host, self.port, osc_port) if announce else None

    def close(self) -> None:
        """Stop serving, and withdraw the announcement."""
        if self._announcement is not None:
            self._announcement.close()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def names_this_machine(header: str) -> bool:
    """Whether a `Host` header may be answered: a numeric address, localhost, this machine's name, or none at all.

    A page of a stranger whose own domain points at 127.0.0.1 (DNS rebinding) sends that domain here.
    """
    name = header.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    own = socket.gethostname().lower()
    if name in ("", "localhost", own, own.partition(".")[0], f"{own.partition('.')[0]}.local"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_info(host: str, osc_port: int) -> dict[str, Any]:
    """The answer to `?HOST_INFO`."""
    extensions = dict.fromkeys(("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT"), True)
    extensions |= dict.fromkeys(("LISTEN", "PATH_CHANGED", "CLIPMODE", "CRITICAL", "HTML", "TAGS"), False)
    info = {"NAME": NAME, "OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP", "EXTENSIONS": extensions}
    return info if host in EVERYWHERE else info | {"OSC_IP": host}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Without the search for its own name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """A connection that broke is not the program's fault and prints nothing."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = _TIMEOUT_S
    server_version, sys_version = NAME, ""

    respond: Callable[[str], tuple[HTTPStatus, dict[str, Any] | None]]

    def do_GET(self) -> None:
        if names_this_machine(self.headers.get("Host", "")):
            status, values = self.respond(self.path)
        else:
            status, values = HTTPStatus.FORBIDDEN, None
        body = b"" if values is None else json.dumps(values, allow_nan=False).encode()
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401
        """Nothing is printed."""
