"""Addresses to listen on: host names resolved, UDP ports bound, and in words what stands in the way."""

import errno
import ipaddress
import socket
from typing import Final

from ...models.common.errors import InputError

_RECEIVE_BUFFER: Final = 1 << 20
"""Bytes, as far as the system allows."""
_LISTEN_BACKLOG: Final = 64


def resolve_host(host: str, *, what: str = "--bind") -> str:
    """The numeric address of a host name; a numeric one stays as it is.

    IPv4 goes before IPv6 where a name has both (`localhost`), because that is where clients send to.

    Raises
    ------
    InputError
        If there is no such name. `what` is how the message begins.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a host name"
        raise InputError(f"{what} {host}: no such address ({reason})") from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


def bind_udp(host: str, port: int) -> socket.socket:
    """A UDP socket on that address that does not block. Port 0 takes any free one.

    Raises
    ------
    InputError
        If the address cannot be had, with the cause.
    """
    bound = _bound(socket.SOCK_DGRAM, host, port, what="OSC on")
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    return bound


def bind_tcp(host: str, port: int, *, what: str) -> socket.socket:
    """A listening TCP socket on that address. Port 0 takes any free one.

    Raises
    ------
    InputError
        If the address cannot be had, with the cause. `what` is how the message begins.
    """
    return _bound(socket.SOCK_STREAM, host, port, what=what)


def _bound(kind: socket.SocketKind, host: str, port: int, *, what: str) -> socket.socket:
    """A socket of that kind bound to an address; one of TCP listens. Raises InputError, which begins with `what`."""
    name = f"{what} {host}:{port}"
    if not 0 <= port <= 65535:
        raise InputError(f"{name}: a port is a number from 0 to 65535")
    numeric = resolve_host(host, what=what)
    bound = None
    try:
        bound = socket.socket(socket.AF_INET6 if ":" in numeric else socket.AF_INET, kind)
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((numeric, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(_LISTEN_BACKLOG)
    except OSError as error:
        if bound is not None:
            bound.close()
        raise InputError(f"{name}: {bind_error_text(error)}") from error
    return bound


def bind_error_text(error: OSError) -> str:
    """Why a port cannot be bound, and what to do about it."""
    reason = error.strerror or str(error)
    match error.errno:
        case errno.EADDRINUSE:
            return f"{reason} (does another Moodfader, or another program, use the port? Port 0 takes any free one)"
        case errno.EADDRNOTAVAIL:
            return f"{reason} (no network interface of this machine has it; 0.0.0.0 listens on all of them)"
        case errno.EACCES:
            return f"{reason} (ports below 1024 need privileges)"
    return reason


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that numeric address."""
    return ipaddress.ip_address(host).is_loopback


def url_host(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
