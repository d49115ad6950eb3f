"""The program as a user runs it, in this process or one of its own; small sounds as everyday tools leave them."""

import contextlib
import os
import shlex
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.program import IS_OTHER, PROGRAM, Ended, run_program
from moodfader.control.cli import run

RATE = 22050


@pytest.fixture
def program(capfd) -> Callable[..., Ended]:
    """Run a command in this process; another installation's (helpers/program.py) in one of its own."""

    def go(*arguments: object) -> Ended:
        if IS_OTHER:
            return run_program(*arguments)
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ended(code, *capfd.readouterr())

    return go


@pytest.fixture
def program_line(program):
    """Run a command that must end with exit code 2 and one line; the line."""

    def go(*arguments: object) -> str:
        ended = program(*arguments)
        assert ended.code == 2, ended
        assert "Traceback" not in ended.err
        lines = [line for line in ended.err.splitlines() if line.startswith("moodfader: ")]
        assert len(lines) == 1, ended.err
        return lines[0]

    return go


def shell(command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which $M is the program."""
    environment = {**os.environ, "M": shlex.join(PROGRAM), **environment}
    return subprocess.run(["bash", "-c", command], cwd=cwd, env=environment, capture_output=True, timeout=120)


def plucked(seconds: float, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """Decaying notes, one each half second: float32 [samples, channels]."""
    time = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * 220 * 2 ** (k / 12) * time) for k in (0, 4, 7))
    sound = (0.15 * tones * np.exp(-6 * (time % 0.5))).astype(np.float32)
    return np.repeat(sound[:, None], channels, axis=1)


@pytest.fixture
def sound(tmp_path):
    """Write a plucked sound; the path's ending says the format."""

    def made(name: str, seconds: float = 2.0, *, channels: int = 1, rate: int = RATE, subtype: str | None = None):
        path = tmp_path / name
        soundfile.write(path, plucked(seconds, channels, rate), rate, subtype=subtype)
        return path

    return made


@contextlib.contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """How far the memory of this process rose in the block at its highest, in MB (0 where Linux does not say)."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")

    def highest() -> float:
        lines = status.read_text().splitlines() if status.exists() else []
        return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    with contextlib.suppress(OSError):
        reset.write_text("5")
    before = highest()
    yield lambda: highest() - before


def wav_chunk(name: bytes, content: bytes) -> bytes:
    """One RIFF chunk, padded."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
