"""OSC 1.0 and 1.1 on the wire: parses and encodes datagrams, messages and bundles.

Every size, count and type tag is checked against the bytes that are there before it is used:

* A datagram whose *framing* is wrong (its size, a bundle element, the nesting) is refused whole.
* A message that cannot be parsed, in a datagram that is framed well, is reported, and the others are parsed.
* Time tags are ignored and messages act at once: a controller whose clock is wrong by a year must neither stop the
  server nor fill its memory.

python-osc is not used. Its version 1.10.2 loops for ever on a bundle element of negative size, reads a truncated
float as 0.0, leaves out arguments of unknown types silently, and drops a whole bundle for one bad message. A guard in
front of it would have to parse everything first. The tests use it (and liblo) as the independent other end.

Sources: The Open Sound Control 1.0 Specification (Wright, 2002); Features and Future of Open Sound Control version
1.1 (Freed and Schmeder, NIME 2009).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .arguments import IMPULSE, Argument, OtherArgument

MAX_DATAGRAM: Final = 8192
"""Bytes of a datagram; all parameters in one bundle take less than 3,000."""
MAX_DEPTH: Final = 4
"""Levels of bundles within bundles."""
MAX_MESSAGES: Final = 128
"""Messages in one datagram."""
MAX_ARGUMENTS: Final = 16
_MAX_ADDRESS: Final = 256
_BUNDLE: Final = b"#bundle\0"
_NUMBERS: Final = {tag: struct.Struct(f">{code}") for tag, code in (("i", "i"), ("h", "q"), ("f", "f"), ("d", "d"))}
_CONSTANTS: Final = {"T": True, "F": False, "N": None}
_OTHER_SIZES: Final = {"I": 0, "r": 4, "m": 4, "t": 8}
_UNDERSTOOD: Final = "i, f, s, h, d, S, c, T, F, N, I, r, m, t, b and [arrays] are"


class MalformedPacketError(ValueError):
    """A datagram or message that cannot be parsed; the text says why."""


@dataclass(frozen=True)
class Message:
    """An OSC message.

    Attributes
    ----------
    address : str
        An address or address pattern, printable ASCII that begins with a slash.
    arguments : tuple of Argument
        In the order of the type tags; arrays are flattened (`[f]` is the same as `f`).
    untyped : bytes
        The argument bytes of a message without type tags, as old clients send it (see `untyped_value`).
    """

    address: str
    arguments: tuple[Argument, ...] = ()
    untyped: bytes = b""


@dataclass(frozen=True)
class Packet:
    """The content of a datagram.

    Attributes
    ----------
    messages : list of Message
        Those that could be parsed, in order.
    refused : list of (str, str)
        Address (or number, if the address cannot be read) and error text of the others.
    """

    messages: list[Message]
    refused: list[tuple[str, str]]


def read_packet(datagram: bytes) -> Packet:
    """Parse a datagram.

    Raises
    ------
    MalformedPacketError
        If its framing is wrong, so that nothing in it can be trusted.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise MalformedPacketError(f"datagram of {len(datagram)} bytes: at most {MAX_DATAGRAM} are read")
    parts = list(_parts(datagram, 0))
    if len(parts) > MAX_MESSAGES:
        raise MalformedPacketError(f"more than {MAX_MESSAGES} messages in one datagram")
    packet = Packet([], [])
    for number, part in enumerate(parts, 1):
        address = ""
        try:
            address, at = _address(part)
            packet.messages.append(_message(address, part, at))
        except MalformedPacketError as error:
            name = address or (f"message {number} of {len(parts)}" if len(parts) > 1 else "")
            packet.refused.append((name, f"{name}: {error}" if name else str(error)))
    return packet


def parse_datagram(datagram: bytes) -> list[Message]:
    """All messages of a datagram, in order. Raises MalformedPacketError if one of them cannot be parsed."""
    packet = read_packet(datagram)
    if packet.refused:
        raise MalformedPacketError(packet.refused[0][1])
    return packet.messages


def encode_message(address: str, *arguments: Argument) -> bytes:
    """The datagram of one message.

    Floats become `f` (`d` beyond its range), whole numbers and booleans `i` (`h` beyond its range), None `N`.

    Raises
    ------
    struct.error
        For a whole number of more than 64 bits, and for an `OtherArgument` that is not an impulse.
    """
    tags, data = ",", b""
    for argument in arguments:
        tag, payload = _encoded_argument(argument)
        tags += tag
        data += payload
    return _padded(address) + _padded(tags) + data


def encode_bundle(messages: list[bytes]) -> bytes:
    """The datagram of a bundle of encoded messages, with the time tag "immediately"."""
    elements = b"".join(struct.pack(">i", len(message)) + message for message in messages)
    return _BUNDLE + struct.pack(">Q", 1) + elements


def _encoded_argument(argument: Argument) -> tuple[str, bytes]:
    if isinstance(argument, OtherArgument):
        if argument != IMPULSE:
            raise struct.error(f"{argument.description} cannot be sent")
        return argument.tag, b""
    if argument is None:
        return "N", b""
    if isinstance(argument, str):
        return "s", _padded(argument.replace("\0", ""))
    if isinstance(argument, float):
        try:
            return "f", struct.pack(">f", argument)
        except OverflowError:
            return "d", struct.pack(">d", argument)
    tag = "i" if -(2**31) <= argument < 2**31 else "h"
    return tag, _NUMBERS[tag].pack(argument)


def _padded(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return data + bytes(4 - len(data) % 4)


def _parts(data: bytes, depth: int) -> Iterator[bytes]:
    """The encoded messages in a datagram or bundle element."""
    if not data or len(data) % 4:
        raise MalformedPacketError(f"{len(data)} bytes: OSC comes in multiples of four")
    if not data.startswith(_BUNDLE):
        yield data
        return
    if depth == MAX_DEPTH:
        raise MalformedPacketError(f"bundles more than {MAX_DEPTH} deep")
    if len(data) < 16:
        raise MalformedPacketError("a bundle without its time tag")
    at = 16  # behind the time tag
    while at < len(data):
        (size,) = _NUMBERS["i"].unpack_from(data, at)
        at += 4
        if size <= 0 or size > len(data) - at:
            raise MalformedPacketError(f"a bundle element of {size} bytes where {len(data) - at} are left")
        yield from _parts(data[at : at + size], depth + 1)
        at += size


def _address(data: bytes) -> tuple[str, int]:
    address, at = _string(data, 0)
    if not address.startswith("/") or len(address) > _MAX_ADDRESS or not address.isascii():
        raise MalformedPacketError("a message starts with an address: a slash and at most 255 ASCII characters")
    if not address.isprintable():
        raise MalformedPacketError("an address of characters that cannot be printed")
    return address, at


def _message(address: str, data: bytes, at: int) -> Message:
    if at == len(data):
        return Message(address)
    if data[at : at + 1] != b",":
        return Message(address, untyped=data[at:])
    tags, at = _string(data, at)
    arguments: list[Argument] = []
    depth = 0
    for tag in tags[1:]:
        if tag in "[]":
            depth += 1 if tag == "[" else -1
            if depth < 0:
                break
            continue
        if len(arguments) == MAX_ARGUMENTS:
            raise MalformedPacketError(f"more than {MAX_ARGUMENTS} arguments")
        argument, at = _argument(tag, data, at)
        arguments.append(argument)
    if depth:
        raise MalformedPacketError(f"the type tags {tags} have brackets that are not closed or not opened")
    if at != len(data):
        raise MalformedPacketError(f"the arguments take {at} bytes of a message of {len(data)}")
    return Message(address, tuple(arguments))


def _argument(tag: str, data: bytes, at: int) -> tuple[Argument, int]:
    """The argument with that type tag at that byte, and the byte behind it."""
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], at
    if tag in "sS":
        return _string(data, at)
    if tag in _NUMBERS:
        end = at + _NUMBERS[tag].size
        return _NUMBERS[tag].unpack(_bytes(data, at, end))[0], end
    if tag == "c":
        (code,) = _NUMBERS["i"].unpack(_bytes(data, at, at + 4))
        if not 0 < code < 128:
            raise MalformedPacketError("a character that is not ASCII")
        return chr(code), at + 4
    if tag == "b":
        (size,) = _NUMBERS["i"].unpack(_bytes(data, at, at + 4))
        end = at + 4 + size + -size % 4
        if size < 0 or end > len(data):
            raise MalformedPacketError(f"a blob of {size} bytes where {len(data) - at - 4} are left")
        return OtherArgument(tag), end
    if tag in _OTHER_SIZES:
        end = at + _OTHER_SIZES[tag]
        _bytes(data, at, end)
        return OtherArgument(tag), end
    raise MalformedPacketError(f"arguments of type {tag!r} are not understood: {_UNDERSTOOD}")


def _bytes(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise MalformedPacketError(f"the arguments take {end} bytes of a message of {len(data)}")
    return data[start:end]


def _string(data: bytes, at: int) -> tuple[str, int]:
    """The string at that byte, which ends in one to four zero bytes, and the byte behind them."""
    end = data.find(b"\0", at)
    after = end + 4 - (end - at) % 4
    if end < 0 or after > len(data) or any(data[end:after]):
        raise MalformedPacketError("a string without its end")
    try:
        return data[at:end].decode(), after
    except UnicodeDecodeError as error:
        raise MalformedPacketError("a string that is not UTF-8") from error
