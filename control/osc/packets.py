"""The door of the OSC server: a datagram is measured from end to end before python-osc's parser sees any of it.

python-osc takes what it is given on trust: an element of negative size makes it loop for ever, a truncated float
becomes 0.0, an unknown type is logged and left out. Here such datagrams are refused whole, with a reason. Bundles
are taken apart by this module; what has a time tag acts at once, whatever the tag says (a controller's clock that
is wrong by a year must neither stop the server nor fill its memory).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

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
_SIZES: Final = {"i": 4, "f": 4, "h": 8, "d": 8, "T": 0, "F": 0, "N": 0}


class MalformedPacketError(ValueError):
    """A datagram that is not read; the message says why."""


@dataclass(frozen=True)
class Message:
    """One message: an address or address pattern and its arguments."""

    address: str
    arguments: tuple[Value, ...] = ()


def parse_datagram(datagram: bytes) -> list[Message]:
    """All messages of one datagram, in order. Raises RefusedError if any part of it is malformed."""
    if len(datagram) > MAX_DATAGRAM:
        raise MalformedPacketError(f"datagram of {len(datagram)} bytes: at most {MAX_DATAGRAM} are read")
    messages: list[Message] = []
    for part in _parts(datagram, 0):
        if len(messages) == MOST_MESSAGES:
            raise MalformedPacketError(f"more than {MOST_MESSAGES} messages in one datagram")
        messages.append(_message(part))
    return messages


def encode_message(address: str, *arguments: Value) -> bytes:
    """The datagram of one message: floats as f, whole numbers and booleans as i, None as N."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(int(argument) if isinstance(argument, bool) else argument)
    return bytes(builder.build().dgram)


def encode_bundle(messages: list[bytes]) -> bytes:
    """One datagram, to act at once, of several encoded messages."""
    elements = b"".join(struct.pack(">i", len(message)) + message for message in messages)
    return _BUNDLE + struct.pack(">Q", 1) + elements


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
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if size <= 0 or size > len(data) - at:
            raise MalformedPacketError(f"a bundle element of {size} bytes where {len(data) - at} are left")
        yield from _parts(data[at : at + size], depth + 1)
        at += size


def _message(data: bytes) -> Message:
    address, at = _string(data, 0)
    if not address.startswith("/") or len(address) > _LONGEST_ADDRESS or not address.isascii():
        raise MalformedPacketError("a message starts with an address: a slash and at most 255 ASCII characters")
    if not address.isprintable():
        raise MalformedPacketError("an address of characters that cannot be printed")
    if at < len(data):
        _measure(data, at)
    try:
        return Message(address, tuple(OscMessage(data).params))
    except ParseError as error:  # not reached while _measure is right: the parser has the last word all the same
        raise MalformedPacketError(f"{address}: cannot be parsed") from error


def _measure(data: bytes, at: int) -> None:
    """See that the type tags are known ones and that their arguments fill the message exactly."""
    tags, at = _string(data, at)
    if not tags.startswith(","):
        raise MalformedPacketError("the type tags do not start with a comma")
    if len(tags) > MOST_ARGUMENTS + 1:
        raise MalformedPacketError(f"more than {MOST_ARGUMENTS} arguments")
    for tag in tags[1:]:
        if tag == "s":
            _, at = _string(data, at)
        elif tag in _SIZES:
            at += _SIZES[tag]
        else:
            raise MalformedPacketError(f"arguments of type {tag!r} are not understood: i, h, f, d, s, T, F, N are")
    if at != len(data):
        raise MalformedPacketError(f"the arguments take {at} bytes of a message of {len(data)}")


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
