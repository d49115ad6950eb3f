"""Short tracks, broken files of twenty kinds, and what a batch left behind."""

import json
import struct
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 22050


def write_tracks(folder: Path, count: int, *, folders: int = 1, seconds: float = 1.0, seed: int = 0) -> None:
    """Write tracks that differ in pitch and noise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        place = folder / f"{number % folders}"
        place.mkdir(parents=True, exist_ok=True)
        length = round((seconds + 0.1 * (number % 10)) * RATE)
        times = np.arange(length) / RATE
        tone = np.sin(2 * np.pi * (110 + 7 * number) * times) * np.exp(-3 * (times % 0.25))
        soundfile.write(place / f"track{number:05d}.wav", 0.3 * tone + 0.02 * rng.standard_normal(length), RATE)


def broken_files(tone: np.ndarray) -> dict[str, bytes | Callable[[Path], None]]:
    """Twenty kinds of files that are no track; `tone` is a second and a half of sound."""

    def sound(name: str, samples: np.ndarray, *, rate: int = RATE, cut: float | None = None, **more: object):
        def write(path: Path) -> None:
            soundfile.write(path, samples, rate, **more)
            if cut is not None:
                path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])

        return {name: write}

    def flipped(path: Path) -> None:
        soundfile.write(path, tone, RATE)
        content = bytearray(path.read_bytes())
        for place in range(len(content) // 3, 2 * len(content) // 3):
            content[place] ^= 0x5A
        path.write_bytes(content)

    noise = np.random.default_rng(3).bytes(5000)
    holes = tone.astype(np.float32).copy()
    holes[100] = np.nan
    endless = tone.astype(np.float32).copy()
    endless[200] = np.inf
    return {
        "empty.wav": b"",
        "text.mp3": b"<html>404 not found</html>" * 20,
        "noise.flac": noise,
        "noise.mp3": b"\x89PNG\r\n" + noise,
        "noise.ogg": b"OggS" + noise,
        "noise.m4a": struct.pack(">I", 24) + b"ftypM4A " + noise,
        "head.wav": b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt ",
        "pdf.wav": b"%PDF-1.4\x00" + noise,
        "archive.flac": b"PK\x03\x04" + noise,
        **sound("cut.wav", tone, cut=0.5),
        **sound("cut.flac", tone, cut=0.5),
        **sound("cut.aiff", tone, cut=0.5),
        **sound("short.wav", tone[: RATE // 2]),
        **sound("silent.wav", 0 * tone),
        **sound("nothing.wav", tone[:0]),
        **sound("nan.wav", holes, subtype="FLOAT"),
        **sound("infinite.wav", endless, subtype="FLOAT"),
        **sound("opposite.wav", np.stack([tone, -tone], 1)),
        **sound("slow.wav", tone, rate=4000),
        "flipped.flac": flipped,
    }


def write_broken(folder: Path, count: int) -> list[str]:
    """Write that many broken files, of all kinds in turn; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(1.5 * RATE)) / RATE
    kinds = list(broken_files(0.4 * np.sin(2 * np.pi * 330 * times)).items())
    assert len(kinds) == 20
    names = []
    for number in range(count):
        name, content = kinds[number % len(kinds)]
        path = folder / f"{number:03d}-{name}"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
        names.append(path.name)
    return names


def tree(folder: Path, *, but: tuple[str, ...] = ("journal.jsonl", ".lock")) -> dict[str, bytes]:
    """Content of all files of a destination but the journal."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in but)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def journal_names(folder: Path, status: str = "done") -> Counter[str]:
    """How often the journal says that a track is done."""
    lines = (folder / "journal.jsonl").read_text().splitlines()[1:]
    records = [json.loads(line) for line in lines]
    return Counter(record["name"] for record in records if record["status"] == status)


def lines_of(folder: Path) -> int:
    """Whole lines of the journal, its head included."""
    path = folder / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(
    happened: Callable[[], object], *, seconds: float = 120, alive: Callable[[], bool] = lambda: True
) -> bool:
    """Wait until something has happened; False if that takes too long or nobody is left to do it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        if not alive():
            return bool(happened())
        time.sleep(0.005)
    return False
