"""OSC 1.0 and 1.1 on the wire: reads and writes datagrams, messages and bundles.

The only parser of the program. A datagram is measured while it is read, so that no count, size or type tag of a
stranger is taken on trust:

* A datagram whose *framing* is wrong (size, bundle element, nesting) is refused whole.
* A message that cannot be read inside of a sound datagram is named, and the others are read.
* A time tag is not looked at: what it marks acts at once (a controller's clock that is wrong by a year must neither
  stop the server nor fill its memory).

python-osc is not used here. Its version 1.10.2 loops for ever on a bundle element of negative size, reads a truncated
float as 0.0, leaves out arguments of unknown types without a word, and drops a bundle because of one message in it;
a guard in front of it has to parse everything first, and what has been parsed need not be parsed again. The tests use
it (and liblo) as the independent other end.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..session.parameters import Value

MAX_DATAGRAM: Final = 8192
"""Bytes of a datagram; the whole table set at once takes less than 3,000."""
MAX_DEPTH: Final = 4
"""Bundles within bundles."""
MOST_MESSAGES: Final = 128
"""In one datagram."""
MOST_ARGUMENTS: Final = 16
_LONGEST_ADDRESS: Final = 256
_BUNDLE: Final = b"#bundle\0"
_NUMBERS: Final = {tag: struct.Struct(f">{code}") for tag, code in (("i", "i"), ("h", "q"), ("f", "f"), ("d", "d"))}
_CONSTANTS: Final = {"T": True, "F": False, "N": None}
_OTHER_SIZES: Final = {"I": 0, "r": 4, "m": 4, "t": 8}
_OTHER_NAMES: Final = {"I": "an impulse", "r": "a colour", "m": "MIDI bytes", "t": "a time tag", "b": "a blob"}
_UNDERSTOOD: Final = "i, f, s, h, d, S, c, T, F, N, I, r, m, t, b and [arrays] are"


class MalformedPacketError(ValueError):
    """A datagram or message that is not read; the message says why."""


@dataclass(frozen=True)
class OtherArgument:
    """An argument that is no value of ours: an impulse, colour, blob, time tag, MIDI bytes. Only its type is kept."""

    tag: str

    @property
    def description(self) -> str:
        """What it is, in words."""
        return f"{_OTHER_NAMES[self.tag]} (type {self.tag})"


IMPULSE: Final = OtherArgument("I")
"""OSC's `I`: it happens. The type of triggers in OSCQuery."""
Argument = Value | OtherArgument


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes
    ----------
    address : str
        An address or address pattern, printable ASCII that begins with a slash.
    arguments : tuple of Argument
        In the order of the type tags; arrays are taken apart (`[f]` is the same as `f`).
    untyped : bytes
        The argument bytes of a message without type tags, as old clients send it; `untyped_value` reads them.
    """

    address: str
    arguments: tuple[Argument, ...] = ()
    untyped: bytes = b""


@dataclass(frozen=True)
class Packet:
    """What a datagram brings: its messages in order, and for each that cannot be read its address and the reason."""

    messages: list[Message]
    refused: list[tuple[str, str]]


def read_packet(datagram: bytes) -> Packet:
    """Read a datagram.

    Raises
    ------
    RefusedError
        If its framing is wrong: nothing of it can be trusted then.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise MalformedPacketError(f"datagram of {len(datagram)} bytes: at most {MAX_DATAGRAM} are read")
    parts = list(_parts(datagram, 0))
    if len(parts) > MOST_MESSAGES:
        raise MalformedPacketError(f"more than {MOST_MESSAGES} messages in one datagram")
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
    """All messages of a datagram, in order. Raises RefusedError if any part of it cannot be read."""
    packet = read_packet(datagram)
    if packet.refused:
        raise MalformedPacketError(packet.refused[0][1])
    return packet.messages


def untyped_value(data: bytes, *, text: bool) -> Value:
    """The one argument of a message without type tags.

    Parameters
    ----------
    data : bytes
        The argument bytes.
    text : bool
        Whether the address takes a text. Else four bytes are a whole number if that is small (as a float it would be
        below 1e-39), and a float if not.

    Raises
    ------
    RefusedError
        If they are not one argument of that kind.
    """
    if text:
        value, end = _string(data, 0)
        if end == len(data):
            return value
    elif len(data) == 4:
        (whole,) = _NUMBERS["i"].unpack(data)
        return int(whole) if abs(whole) < 1 << 20 else float(_NUMBERS["f"].unpack(data)[0])
    raise MalformedPacketError(f"{len(data)} bytes without type tags: only one value can be read so")


def encode_message(address: str, *arguments: Argument) -> bytes:
    """The datagram of one message: floats as f (d beyond its range), whole numbers and booleans as i or h, None as N.

    Raises struct.error for a whole number of more than 64 bits, and for an argument that is no value but an impulse.
    """
    tags, data = ",", b""
    for argument in arguments:
        tag, payload = _encoded_argument(argument)
        tags += tag
        data += payload
    return _padded(address) + _padded(tags) + data


def encode_bundle(messages: list[bytes]) -> bytes:
    """One datagram, to act at once, of several encoded messages."""
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
    """The messages in a datagram or element, bundles taken apart."""
    if not data or len(data) % 4:
        raise MalformedPacketError(f"{len(data)} bytes: OSC comes in multiples of four")
    if not data.startswith(_BUNDLE):
        yield data
        return
    if depth == MAX_DEPTH:
        raise MalformedPacketError(f"bundles more than {MAX_DEPTH} deep")
    if len(data) < 16:
        raise MalformedPacketError("a bundle without its time tag")
    at = 16  # the time tag is not looked at
    while at < len(data):
        (size,) = _NUMBERS["i"].unpack_from(data, at)
        at += 4
        if size <= 0 or size > len(data) - at:
            raise MalformedPacketError(f"a bundle element of {size} bytes where {len(data) - at} are left")
        yield from _parts(data[at : at + size], depth + 1)
        at += size


def _address(data: bytes) -> tuple[str, int]:
    address, at = _string(data, 0)
    if not address.startswith("/") or len(address) > _LONGEST_ADDRESS or not address.isascii():
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
        if len(arguments) == MOST_ARGUMENTS:
            raise MalformedPacketError(f"more than {MOST_ARGUMENTS} arguments")
        argument, at = _argument(tag, data, at)
        arguments.append(argument)
    if depth:
        raise MalformedPacketError(f"the type tags {tags} have brackets that are not closed or not opened")
    if at != len(data):
        raise MalformedPacketError(f"the arguments take {at} bytes of a message of {len(data)}")
    return Message(address, tuple(arguments))


def _argument(tag: str, data: bytes, at: int) -> tuple[Argument, int]:
    """The argument of that type at that byte, and where it ends."""
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
    """A string that ends in one to four zero bytes, and where it ends."""
    end = data.find(b"\0", at)
    after = end + 4 - (end - at) % 4
    if end < 0 or after > len(data) or any(data[end:after]):
        raise MalformedPacketError("a string without its end")
    try:
        return data[at:end].decode(), after
    except UnicodeDecodeError as error:
        raise MalformedPacketError("a string that is not UTF-8") from error
