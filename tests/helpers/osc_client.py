"""An OSC client that shares no code with the program: messages as bytes, written and read here."""

import contextlib
import socket
import struct
import time

import pytest
from helpers.waiting import PATIENCE_S

ASKED_LAST = "/moodfader/midlevel/rhythmic_stability"
"""An address that always has a value and that no test asks for otherwise: its answer says that all before is done."""


def padded(text):
    """An OSC string."""
    data = text.encode()
    return data + bytes(4 - len(data) % 4)


def osc(address, tags="", *values):
    """A message as bytes, written here so that it may be of any type."""
    data = padded(address) + padded("," + tags)
    for value in values:
        data += (
            padded(value) if isinstance(value, str) else struct.pack(">i" if isinstance(value, int) else ">f", value)
        )
    return data


def bundle(*messages):
    """A bundle of messages, to be done at once."""
    return b"#bundle\0" + bytes(7) + b"\1" + b"".join(struct.pack(">i", len(one)) + one for one in messages)


def read(datagram):
    """Messages (address, first argument) of what the program sends: f, i, s, N, bundled or not."""
    if datagram.startswith(b"#bundle"):
        at, found = 16, []
        while at < len(datagram):
            size = struct.unpack_from(">i", datagram, at)[0]
            found += read(datagram[at + 4 : at + 4 + size])
            at += 4 + size
        return found
    address, _, _ = datagram.partition(b"\0")
    tags_at = len(address) + 4 - len(address) % 4
    tag, data = datagram[tags_at + 1 : tags_at + 2], datagram[tags_at + 4 :]
    if tag in b"fi":
        return [(address.decode(), struct.unpack(">" + tag.decode(), data[:4])[0])]
    return [(address.decode(), data.split(b"\0")[0].decode() if tag == b"s" else None)]


class OscClient:
    """A socket that speaks to a program's port."""

    def __init__(self, port, host="127.0.0.1"):
        self.port = port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.connect((host, port))

    def send(self, *datagrams):
        """Send datagrams as they are."""
        for datagram in datagrams:
            self.socket.send(datagram)

    def set(self, address, value):
        """Set an address to a number or a text."""
        tag = "s" if isinstance(value, str) else "i" if isinstance(value, int) else "f"
        self.send(osc(address, tag, value))

    def answers(self):
        """All messages that come in answer to what was sent before.

        The program answers in rounds, those of one round in any order: a round after it has answered all that was
        sent before, too.
        """
        self.socket.settimeout(PATIENCE_S)
        found = []
        for _ in range(2):
            self.send(osc(ASKED_LAST))
            messages = []
            while ASKED_LAST not in dict(messages):
                messages = read(self.socket.recv(65536))
                found += [message for message in messages if message[0] != ASKED_LAST]
        return found

    def told(self, address, source, seconds=PATIENCE_S):
        """The next value of an address that comes to a subscriber, None if none does."""
        end = time.monotonic() + seconds
        source.settimeout(0.2)
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                for name, value in read(source.recv(65536)):
                    if name == address:
                        return value
        return None

    def get(self, address):
        """What the address holds, once all that came before is done."""
        self.send(osc(address))
        answer = dict(self.answers())
        assert address in answer, f"{address} is not answered, but {answer}"
        return answer[address]

    def answers_at_all(self, seconds=PATIENCE_S):
        """Wait until the program answers."""
        end = time.monotonic() + seconds
        self.socket.settimeout(0.2)
        while True:
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                self.send(osc("/moodfader/transport/position"))
                self.socket.recv(65536)
                return
            assert time.monotonic() < end, "nothing answers on the OSC port"
            time.sleep(0.1)

    def comes_to(self, address, value, seconds=PATIENCE_S):
        """Whether an address comes to hold a value."""
        end = time.monotonic() + seconds
        while (now := self.get(address)) != pytest.approx(value) and time.monotonic() < end:
            time.sleep(0.05)
        return now == pytest.approx(value)

    def until(self, condition, seconds=PATIENCE_S):
        """Wait until a condition of this client is true."""
        end = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.05)
