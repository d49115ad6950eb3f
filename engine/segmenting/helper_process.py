"""Segments a track in a process of its own, while this one imports torch.

Importing it is a second of Python's own work, beside which other threads of the process hardly get on. The process is
a fresh interpreter, which has none of this one's locks. It reads the mono sound from a file without a name and writes
the spectrogram and the labels to a pipe; where this process has gone, that pipe is broken and the other one ends. It
is no part of the terminal's group: Ctrl-C does not reach it, it is ended from here. Whatever goes wrong with it, the
track is segmented here.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np

from ...models.common.constants import N_BANDS
from ...models.inference.threads import working_threads
from ..audio.track import Track
from ..audio.track_spectrogram import NetworkInput
from .segmented_track import SegmentedTrack, segmented_track

_LONGEST_S: Final = 600.0
"""What takes longer to segment than torch takes to be imported has nothing of it, and much to hand over."""
_BLOCK: Final = 1 << 20
_PIXEL: Final = np.dtype(np.float32).itemsize + np.dtype(np.int32).itemsize


def is_worth_it(track: NetworkInput) -> bool:
    """Whether torch is still to be imported, and there is a core on which the track can be segmented meanwhile."""
    return (
        "torch" not in sys.modules
        and working_threads() > 1
        and track.duration_s <= _LONGEST_S
        and bool(sys.executable)
    )


@contextlib.contextmanager
def segmented_elsewhere(track: Track, *, method: str) -> Iterator[Callable[[], SegmentedTrack | None]]:
    """Begin to segment a track in another process, which is ended with the block.

    Gives a function that waits for the result; None where there is none, for whatever reason.
    """
    process = None
    with contextlib.suppress(OSError):  # (no place for a file, too many processes)
        process = _begun(track, method)
    if process is None:
        yield lambda: None
        return
    try:
        yield lambda: _result(process)
    finally:
        with process:  # (waits for it, and closes the pipe)
            process.kill()


def _begun(track: Track, method: str) -> "subprocess.Popen[bytes]":
    path, package = json.dumps(sys.path), __name__
    code = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {package} import main; main(*sys.argv[2:])"
    arguments = (path, method, track.network_peak.hex(), track.duration_s.hex())
    with tempfile.TemporaryFile() as sound:
        for block in track.network_input_blocks():
            sound.write(np.ascontiguousarray(block, np.float32).data)
        sound.seek(0)
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code, *arguments],
            stdin=sound,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def _result(process: "subprocess.Popen[bytes]") -> SegmentedTrack | None:
    written, _ = process.communicate()
    if process.returncode or len(written) % (_PIXEL * N_BANDS) or not written:
        return None
    pixels = len(written) // _PIXEL
    spectrogram = np.frombuffer(written, np.float32, pixels).reshape(-1, N_BANDS)
    labels = np.frombuffer(written, np.int32, pixels, offset=spectrogram.nbytes).reshape(-1, N_BANDS)
    return SegmentedTrack(spectrogram.copy(), labels.copy())


@dataclass(frozen=True)
class _Sound:
    """A track's sound as it comes from a file: float32 samples."""

    file: IO[bytes]
    network_peak: float
    duration_s: float

    def network_input_blocks(self) -> Iterator[np.ndarray]:
        while block := self.file.read(_BLOCK):
            yield np.frombuffer(block, np.float32)


def main(method: str, network_peak: str, duration_s: str) -> None:
    """What the other process does: the sound from standard input, the result to standard output."""
    output: Any = os.fdopen(os.dup(1), "wb")
    sound = _Sound(sys.stdin.buffer, float.fromhex(network_peak), float.fromhex(duration_s))
    spectrogram, labels = segmented_track(sound, method=method)
    with contextlib.suppress(BrokenPipeError), output:
        output.write(np.ascontiguousarray(spectrogram).data)
        output.write(np.ascontiguousarray(labels).data)
