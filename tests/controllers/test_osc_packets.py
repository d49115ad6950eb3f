"""Nothing but whole and measured datagrams reaches python-osc's parser."""

import math
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.control.osc.packets import (
    MAX_DATAGRAM,
    MAX_DEPTH,
    MalformedPacketError,
    Message,
    encode_bundle,
    encode_message,
    parse_datagram,
)

IMMEDIATE = struct.pack(">Q", 1)


def bundle(*elements: bytes, time_tag: bytes = IMMEDIATE) -> bytes:
    return b"#bundle\0" + time_tag + b"".join(struct.pack(">i", len(one)) + one for one in elements)


WET = encode_message("/moodfader/wet", 0.5)
SEEDS = (
    WET,
    encode_message("/moodfader/midlevel/*", 3),
    encode_message("/moodfader/subscribe", 10),
    encode_message("/moodfader/preset/load", "dolce"),
    bundle(WET, encode_message("/moodfader/bypass", 1)),
    bundle(bundle(WET), bundle(bundle(WET, WET))),
    b"/moodfader/wet\0\0,T\0\0",
    b"/moodfader/wet\0\0,d\0\0" + struct.pack(">d", 0.25),
)


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "multiples of four"),
        (b"abc", "multiples of four"),
        (b"abcd", "without its end"),
        (b"\0\0\0\0", "slash"),
        (b"/a\xff\0", "UTF-8"),
        (b"/a\n\0", "printed"),
        (b"#bundle\0", "time tag"),
        (bundle(WET)[:-4], "element"),
        (b"#bundle\0" + IMMEDIATE + struct.pack(">i", -4), "-4 bytes"),  # python-osc 1.10.2 loops for ever
        (b"#bundle\0" + IMMEDIATE + struct.pack(">i", 0), "0 bytes"),
        (b"#bundle\0" + IMMEDIATE + struct.pack(">i", 2**31 - 1) + WET, "element"),
        (b"/a\0\0,f\0\0", "take 12 bytes"),  # a truncated float: python-osc reads 0.0
        (b"/a\0\0,f\0\0" + b"\0" * 8, "take 12 bytes"),
        (b"/a\0\0,b\0\0" + struct.pack(">i", -1), "type 'b'"),
        (b"/a\0\0f\0\0\0" + b"\0" * 4, "comma"),
        (encode_message("/a", *range(17)), "arguments"),
        (bundle(*[WET] * 129), "messages"),
        (b"/" * (MAX_DATAGRAM + 4), "at most"),
    ],
)
def test_what_is_malformed_is_refused_with_a_reason(datagram, reason):
    with pytest.raises(MalformedPacketError, match=reason):
        parse_datagram(datagram)


def test_bundles_nest_so_deep_and_no_deeper():
    nested = WET
    for _ in range(MAX_DEPTH):
        nested = bundle(nested)
    assert parse_datagram(nested) == [Message("/moodfader/wet", (0.5,))]
    with pytest.raises(MalformedPacketError, match="deep"):
        parse_datagram(bundle(nested))


@pytest.mark.parametrize("time_tag", [b"\0" * 8, b"\xff" * 8, struct.pack(">II", 2**31, 5)])
def test_a_time_tag_is_not_waited_for(time_tag):
    assert parse_datagram(bundle(WET, time_tag=time_tag)) == [Message("/moodfader/wet", (0.5,))]


def test_the_types_that_controllers_send():
    tags = b"/a\0\0" + b",ihfdsTFN\0\0\0"
    data = tags + struct.pack(">iqfd", -3, 2**40, 0.5, 0.1) + b"abc\0"
    assert parse_datagram(data) == [Message("/a", (-3, 2**40, 0.5, 0.1, "abc", True, False, None))]
    assert parse_datagram(b"/a\0\0") == [Message("/a")]  # old senders leave the tags out


@given(
    st.lists(
        st.one_of(
            st.integers(-(2**31), 2**31 - 1),
            st.floats(width=32, allow_nan=False),
            st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=50),
            st.none(),
        ),
        max_size=16,
    )
)
def test_what_is_sent_is_read(arguments):
    messages = parse_datagram(encode_bundle([encode_message("/a/b", *arguments), encode_message("/c")]))
    assert messages == [Message("/a/b", tuple(arguments)), Message("/c")]


@given(st.binary(max_size=200))
@settings(max_examples=1000)
def test_any_bytes_are_read_or_refused(datagram):
    read_or_refused(datagram)


@given(st.binary(max_size=100), st.sampled_from([b"/a\0\0,", b"#bundle\0" + IMMEDIATE, b"/moodfader/wet\0\0,"]))
@settings(max_examples=1000)
def test_any_bytes_after_a_good_beginning(datagram, beginning):
    read_or_refused(beginning + datagram)


def read_or_refused(datagram: bytes) -> bool:
    """Whether it was read; what is read is of the promised kinds and no longer than the datagram."""
    try:
        messages = parse_datagram(datagram)
    except MalformedPacketError:
        return False
    assert 0 < len(messages) <= len(datagram) / 4 + 1 or not messages
    for message in messages:
        assert message.address.startswith("/")
        assert all(value is None or isinstance(value, bool | int | float | str) for value in message.arguments)
    return True


def mutated(chance: random.Random) -> bytes:
    """One of the good datagrams with a few bytes changed, cut, doubled or put in."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.choice((1, 4, 8))]
            case 2:
                data[at:at] = data[at : at + chance.choice((4, 8, 16))]
            case 3:
                data[at - at % 4 : at - at % 4 + 4] = struct.pack(">i", chance.choice((-1, -4, 0, 4, 2**31 - 1, 16)))
            case 4:
                data[at:at] = chance.choice((b"\0", b"*", b"[", b"{", b",", b"/", b"#bundle\0", b"\xff", b"T", b"N"))
            case 5:
                data += chance.choice(SEEDS)
    return bytes(data)


def test_a_hundred_thousand_mutations():
    """None hangs, none raises anything but a refusal; some are good all the same."""
    chance = random.Random(5)
    read = sum(read_or_refused(mutated(chance)) for _ in range(100_000))
    assert 1_000 < read < 50_000


def test_nan_is_let_through_to_the_table_that_refuses_it():
    (message,) = parse_datagram(b"/moodfader/wet\0\0,f\0\0" + struct.pack(">f", math.nan))
    assert math.isnan(message.arguments[0])
