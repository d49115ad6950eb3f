"""OSC on the wire: what is sound is read, and python-osc reads and writes the same; else it is refused or named."""

import math
import random
import struct

import pytest
from helpers.osc_fuzz import mutated
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.control.osc.arguments import IMPULSE, OtherArgument, untyped_value
from moodfader.control.osc.packets import (
    MAX_DATAGRAM,
    MAX_DEPTH,
    MalformedPacketError,
    Message,
    encode_bundle,
    encode_message,
    parse_datagram,
    read_packet,
)
from moodfader.models.common.errors import InputError
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

IMMEDIATE = struct.pack(">Q", 1)


def bundle(*elements: bytes, time_tag: bytes = IMMEDIATE) -> bytes:
    return b"#bundle\0" + time_tag + b"".join(struct.pack(">i", len(one)) + one for one in elements)


WET = encode_message("/moodfader/wet", 0.5)


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
        (b"/a\0\0,b\0\0" + struct.pack(">i", -1), "blob of -1 bytes"),
        (b"/a\0\0,b\0\0" + struct.pack(">i", 2**31 - 1), "blob of"),
        (b"/a\0\0,x\0\0", "type 'x'"),
        (b"/a\0\0,[f\0" + b"\0" * 4, "brackets"),
        (b"/a\0\0,]\0\0", "brackets"),
        (b"/a\0\0,c\0\0" + struct.pack(">i", -5), "not ASCII"),
        (b"/a\0\0,t\0\0" + b"\0" * 4, "take 16 bytes"),
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


def test_symbols_characters_arrays_and_what_no_address_takes():
    data = b"/a\0\0" + b",ISc[[f]i]rmtb\0\0" + b"sym\0" + struct.pack(">i", ord("x")) + struct.pack(">fi", 0.5, 2)
    data += b"\1\2\3\4" + b"\0\x90\x40\x40" + bytes(8) + struct.pack(">i", 3) + b"abc\0"
    others = tuple(OtherArgument(tag) for tag in "rmtb")
    assert parse_datagram(data) == [Message("/a", (IMPULSE, "sym", "x", 0.5, 2, *others))]


def test_a_message_without_type_tags_keeps_its_bytes():
    (message,) = parse_datagram(b"/moodfader/wet\0\0" + struct.pack(">f", 0.5))
    assert message == Message("/moodfader/wet", untyped=struct.pack(">f", 0.5))
    assert untyped_value("/a", message.untyped, text=False) == 0.5
    assert untyped_value("/a", struct.pack(">i", -7), text=False) == -7
    assert untyped_value("/a", struct.pack(">f", -7.0), text=False) == -7.0
    assert untyped_value("/a", bytes(4), text=False) == 0
    assert untyped_value("/a", b"dolce\0\0\0", text=True) == "dolce"
    for data, text in ((bytes(8), False), (b"abcd", True), (b"a\0\0\0b\0\0\0", True)):
        with pytest.raises(InputError):
            untyped_value("/a", data, text=text)


def test_one_bad_message_in_a_bundle_is_named_and_the_others_are_read():
    bad = b"/moodfader/delta\0\0\0\0,x\0\0"
    packet = read_packet(bundle(WET, bad, b"\0\0\0\0", encode_message("/moodfader/bypass", 1)))
    assert packet.messages == [Message("/moodfader/wet", (0.5,)), Message("/moodfader/bypass", (1,))]
    (delta, reason), (third, _) = packet.refused
    assert (delta, third) == ("/moodfader/delta", "message 3 of 4")
    assert reason.startswith("/moodfader/delta: arguments of type 'x'")


def test_python_osc_writes_what_is_read_here():
    builder = OscMessageBuilder("/moodfader/wet")
    for argument in (0.5, 3, "text", True, False, None, b"blob", [1, 2.0]):
        builder.add_arg(argument)
    (message,) = parse_datagram(builder.build().dgram)
    assert message.arguments == (0.5, 3, "text", True, False, None, OtherArgument("b"), 1, 2.0)


def test_python_osc_reads_what_is_written_here():
    message = OscMessage(encode_message("/moodfader/wet", 0.5, -3, "täxt", None, 2**40, 1e300, True))
    assert (message.address, message.params) == ("/moodfader/wet", [0.5, -3, "täxt", None, 2**40, 1e300, 1])
    inner = OscBundle(encode_bundle([encode_message("/a", 1), encode_message("/b", "x")]))
    assert [one.address for one in inner] == ["/a", "/b"]


@given(
    st.lists(
        st.one_of(
            st.integers(-(2**63), 2**63 - 1),
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
        packet = read_packet(datagram)
    except MalformedPacketError:
        return False
    assert len(packet.messages) + len(packet.refused) <= len(datagram) / 4 + 1
    for message in packet.messages:
        assert message.address.startswith("/")
        assert len(message.untyped) <= len(datagram)
        assert all(
            one is None or isinstance(one, bool | int | float | str | OtherArgument) for one in message.arguments
        )
    assert all(isinstance(reason, str) and len(reason) < 600 for _, reason in packet.refused)
    return not packet.refused


@pytest.mark.parametrize("count", [3000, pytest.param(300_000, marks=[pytest.mark.slow, pytest.mark.soak])])
def test_mutated_datagrams(count):
    """None hangs, none raises anything but a refusal; some are good all the same."""
    chance = random.Random(5)
    read = sum(read_or_refused(mutated(chance)) for _ in range(count))
    assert count / 100 < read < count * 0.6


def test_nan_is_let_through_to_the_table_that_refuses_it():
    (message,) = parse_datagram(b"/moodfader/wet\0\0,f\0\0" + struct.pack(">f", math.nan))
    assert math.isnan(message.arguments[0])
