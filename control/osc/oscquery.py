"""OSCQuery's address tree: controllers read over HTTP which addresses there are, and what they hold.

The tree of the OSCQuery proposal (github.com/Vidvox/OSCQueryProposal) as JSON, made from the table of parameters;
`?HOST_INFO` says where the OSC server is. Nothing here opens a socket: control/web serves it.

* A value that is not known is left out (`?VALUE` is answered by 204): the proposal has no number that means "none".
* Units are the proposal's names (`gain.db`, `time.second`, `time.ms`) where it has one.
"""

import ipaddress
import socket
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from ...models.common.formatting import display_name
from ..parameters.table import PARAMETERS, ROOT, Parameter, Value
from .service_announcer import EVERYWHERE, NAME

_TAGS: Final = {"float": "f", "int": "i", "string": "s", "trigger": "I"}
_UNITS: Final = {"dB": "gain.db", "dBTP": "gain.db-raw", "s": "time.second", "ms": "time.ms"}
PRESET_LOAD: Final = f"{ROOT}/preset/load"
"""The address whose values are names of presets."""
_ATTRIBUTES: Final = ("FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT")


def parameter_node(parameter: Parameter, value: Value, *, choices: Sequence[str] = ()) -> dict[str, Any]:
    """The OSCQuery node of one parameter; `choices` are the texts that it takes, if there are only some."""
    tag = _TAGS.get(parameter.kind) or ("T" if value else "F")
    readable = parameter.kind != "trigger"
    node: dict[str, Any] = {
        "FULL_PATH": parameter.address,
        "DESCRIPTION": parameter.description,
        "TYPE": tag,
        "ACCESS": (1 if readable else 0) | (2 if parameter.writable else 0),
    }
    if readable and value is not None:
        node["VALUE"] = [value]
    span = {name: bound for name, bound in (("MIN", parameter.low), ("MAX", parameter.high)) if bound is not None}
    if span or choices:
        node["RANGE"] = [span or {"VALS": list(choices)}]
    if parameter.unit:
        node["UNIT"] = [_UNITS.get(parameter.unit, parameter.unit)]
    return node


def address_tree(state: dict[str, Value], *, presets: Sequence[str] = ()) -> dict[str, Any]:
    """The OSCQuery tree of all parameters, from the root container on; `presets` are the names of all presets."""
    root: dict[str, Any] = {"FULL_PATH": "/", "ACCESS": 0, "DESCRIPTION": NAME, "CONTENTS": {}}
    for parameter in PARAMETERS:
        node = root
        *folders, name = parameter.address.strip("/").split("/")
        for depth, folder in enumerate(folders, 1):
            path = "/" + "/".join(folders[:depth])
            empty = {"FULL_PATH": path, "ACCESS": 0, "DESCRIPTION": display_name(folder), "CONTENTS": {}}
            node = node["CONTENTS"].setdefault(folder, empty)
        choices = presets if parameter.address == PRESET_LOAD else ()
        leaf = parameter_node(parameter, state.get(parameter.address), choices=choices)
        node["CONTENTS"][name] = {**node["CONTENTS"].get(name, {}), **leaf}
    return root


def handle_request(
    target: str, state: dict[str, Value], host_info: dict[str, Any], *, presets: Sequence[str] = ()
) -> tuple[HTTPStatus, dict[str, Any] | None]:
    """Status and JSON body (None: empty) of a GET request for that target."""
    path, _, attribute = target.partition("?")
    if attribute == "HOST_INFO":
        return HTTPStatus.OK, host_info
    node: dict[str, Any] | None = address_tree(state, presets=presets)
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


def host_info(host: str, osc_port: int, *, ws_port: int) -> dict[str, Any]:
    """The answer to `?HOST_INFO`; `ws_port` is where the WebSocket is (the same as that of HTTP)."""
    supported = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "LISTEN", "PATH_CHANGED")
    extensions = dict.fromkeys(supported, True) | dict.fromkeys(("CLIPMODE", "CRITICAL", "HTML", "TAGS"), False)
    info = {"NAME": NAME, "OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP", "WS_PORT": ws_port, "EXTENSIONS": extensions}
    return info if host in EVERYWHERE else info | {"OSC_IP": host, "WS_IP": host}
