"""Frames and requests for fuzzing the web server: good ones of every kind, and what is nearly right."""

import json

from helpers.osc_fuzz import mutated
from moodfader.control.parameters.table import PARAMETERS

FADER = "/moodfader/midlevel/modality"
ADDRESSES = [parameter.address for parameter in PARAMETERS]
FRAMES = [
    {"set": {FADER: 1.5}},
    {"set": {"/moodfader/wet": 0.5, "/moodfader/zero": True}},
    {"hold": [FADER]},
    {"free": [FADER]},
    {"ping": 3},
    {"COMMAND": "LISTEN", "DATA": FADER},
]
VALUES = (None, True, 0, -1, 1e308, -1e-308, 10**400, "", "x" * 300, [], [[]], {}, "../../etc/passwd", "\0", "é", "∞")
_PIECES = ("{", "}", "\\", "NaN", "[" * 500, "😀", "\\ud83d", '"')
_REQUEST = b"%s /%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n"
_METHODS = (b"GET", b"GET", b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT", b"get", b"")
_TARGETS = (
    *(b"", b"app.js", b"index.html", b"../../etc/passwd", b"..%2f..%2fetc/passwd", b"%2e%2e/%2e%2e/etc/passwd"),
    *(b"/etc/passwd", b"wave/0", b"wave/1", b"wave/" + b"9" * 20, b"wave/-1", b"map/0", b"map/1", b"%00", b"ws"),
    *(b"moodfader/midlevel?VALUE", b"moodfader?HOST_INFO", b"moodfader/preset/load?RANGE", b"?" * 50),
)
_UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
_HEADERS = (
    *(b"", b"", b"Origin: http://a.b\r\n", b"Host: a.b\r\n", _UPGRADE, b"X: " + b"y" * 9000 + b"\r\n"),
    *(_UPGRADE + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"Content-Length: -1\r\n"),
    b"Transfer-Encoding: chunked\r\n",
)


def a_value(chance, parameter, names):
    """A value that the parameter takes; for texts one of `names`."""
    if parameter.kind in ("bool", "trigger"):
        return chance.random() < 0.5
    low, high = parameter.low or 0.0, 30.0 if parameter.high is None else parameter.high
    if parameter.kind == "int":
        return chance.randint(int(low), int(high))
    return chance.uniform(low, high) if parameter.kind == "float" else chance.choice(names)


def frame(chance, names=()):
    """A frame of the page's protocol or OSCQuery's, good or nearly right, and whether it is sent as text.

    Parameters
    ----------
    chance : random.Random
        Decides.
    names : sequence of str
        Texts that are set beside those that are always tried.
    """
    made = json.loads(json.dumps(chance.choice(FRAMES)))
    kind = chance.randrange(7)
    if kind == 0:
        made = {"set": {chance.choice(ADDRESSES): chance.choice(VALUES) for _ in range(chance.randrange(4))}}
    elif kind == 1:
        made[chance.choice(("set", "hold", "x", ""))] = chance.choice(VALUES)
    elif kind in (2, 3):
        chosen = chance.sample(PARAMETERS, chance.randrange(1, 4))
        texts = [*names, "dolce", "3: Chorus", "../../etc/passwd"]
        made = {"set": {one.address: a_value(chance, one, texts) for one in chosen}}
    elif kind == 4:
        return chance.choice((chance.randbytes(chance.randrange(300)), mutated(chance))), False
    text = json.dumps(made)
    if kind == 5:
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(_PIECES) + text[at + chance.randrange(4) :]
    data = text.encode()
    if kind == 6 and chance.random() < 0.1:  # (bytes that are no UTF-8 end the connection)
        data = data[:-1] + chance.randbytes(1) + b"}"
    return data, True


def request(chance, *, token=b""):
    """A request that is good or nearly right; its path begins with `token/` if there is one."""
    target = chance.choice(_TARGETS)
    target = b"/".join((token, target)) if token else target
    made = bytearray(_REQUEST % (chance.choice(_METHODS), target, chance.choice(_HEADERS)))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(made))
        made[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
    return bytes(made)
