"""Memory that processes share: found by its name, gone with its creator, and the same where it needs another way."""

import subprocess
import sys

import pytest
from moodfader.engine.processes import shared_block
from moodfader.engine.processes.ring_buffer import RingBuffer
from moodfader.engine.processes.shared_block import SharedBlock

OTHER = """
import sys
from moodfader.engine.processes.shared_block import SharedBlock
block = SharedBlock(4096, name=sys.argv[1])
block.buffer[5:7] = bytes(reversed(block.buffer[5:7]))
block.close()
"""
CREATOR = """
import sys, time
from moodfader.engine.processes.ring_buffer import RingBuffer
ring = RingBuffer(2)
print(ring.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[True, False], ids=["anonymous file", "named"])
def block(request, monkeypatch):
    monkeypatch.setattr(shared_block, "_others_may_open", lambda: request.param)
    block = SharedBlock(4096)
    yield block
    block.close()


def test_another_process_reads_and_writes_it(block):
    assert bytes(block.buffer[:]) == bytes(4096)
    block.buffer[5:7] = b"ab"
    subprocess.run([sys.executable, "-c", OTHER, block.name], check=True, timeout=120)
    assert bytes(block.buffer[4:8]) == b"\0ba\0"


def test_what_was_closed_cannot_be_opened(block):
    other = SharedBlock(4096, name=block.name)
    other.close()
    block.close()
    with pytest.raises(FileNotFoundError):
        SharedBlock(4096, name=block.name)


def test_a_number_that_another_file_has_now_is_not_taken_for_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    with path.open("r+b") as file, pytest.raises(FileNotFoundError):
        SharedBlock(4096, name=f"/proc/self/fd/{file.fileno()}")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process of Python's watches over it")
def test_it_is_gone_with_a_creator_that_was_killed():
    creator = subprocess.Popen(
        [sys.executable, "-c", CREATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    name = creator.stdout.readline().strip()
    ring = RingBuffer(2, name=name)
    ring.written = 7
    creator.kill()
    creator.wait()
    assert ring.written == 7  # (who has it open keeps it)
    ring.close()
    with pytest.raises(FileNotFoundError):
        RingBuffer(2, name=name)
