"""Datagrams for fuzzing the OSC server: good ones of every kind, and mutations of them."""

import struct

from moodfader.control.osc.packets import encode_bundle, encode_message

FADER = "/moodfader/midlevel/modality"
WET = encode_message("/moodfader/wet", 0.5)
SEEDS = (
    WET,
    encode_message(FADER, 1.5),
    encode_message("/moodfader/midlevel/*", 3),
    encode_message("/moodfader/*/*"),
    encode_message("/moodfader/subscribe", 10),
    encode_message("/moodfader/subscribe/norm", 10, 12345),
    encode_message("/moodfader/unsubscribe", 12345),
    encode_message("/moodfader/preset/load", "dolce"),
    encode_message("/moodfader/midlevel/{modality,dissonance}/norm", 0.25),
    encode_bundle([WET, encode_message("/moodfader/bypass", 1)]),
    encode_bundle([encode_bundle([WET]), encode_bundle([encode_bundle([WET, WET])])]),
    b"#bundle\0" + b"\xff" * 8 + struct.pack(">i", len(WET)) + WET,
    b"/moodfader/wet\0\0,T\0\0",
    b"/moodfader/wet\0\0,d\0\0" + struct.pack(">d", 0.25),
    b"/moodfader/wet\0\0,[f]\0\0\0\0" + struct.pack(">f", 0.25),
    b"/moodfader/wet\0\0" + struct.pack(">f", 0.25),
    b"/moodfader/zero\0,I\0\0",
    b"/moodfader/zero\0,btm\0\0\0\0" + struct.pack(">i", 4) + bytes(16),
)
_PIECES = (
    b"\0",
    b"*",
    b"[",
    b"]",
    b"{",
    b",",
    b"/",
    b"#bundle\0",
    b"\xff",
    b"T",
    b"N",
    b"I",
    b"/norm",
    b"/subscribe",
)
_SIZES = (-(2**31), -4, -1, 0, 4, 16, 2**31 - 1)


def mutated(chance):
    """Random bytes, or a good datagram with up to four bytes or words changed, cut out, doubled or put in."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(200))
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.choice((1, 4, 8))]
            case 2:
                data[at:at] = data[at : at + chance.choice((4, 8, 16))]
            case 3:
                data[at - at % 4 : at - at % 4 + 4] = struct.pack(">i", chance.choice(_SIZES))
            case 4:
                data[at:at] = chance.choice(_PIECES)
            case 5:
                data += chance.choice(SEEDS)
    return bytes(data)
