"""FFmpeg's decoding through PyAV: a container opened, its frames, and blocks of one length made of them.

PyAV is imported when it is needed, so that what soundfile reads starts sooner.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.container import InputContainer


@contextlib.contextmanager
def open_container(path: Path) -> "Iterator[InputContainer]":
    """Open a file, and nothing that it refers to."""
    import av

    # A playlist or a script with the name of a sound file must not make us fetch things.
    with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
        yield container


def decoded_frames(container: "InputContainer", *, tolerant: bool) -> Iterator[Any]:
    """Decoded frames; `tolerant` lets a few packets pass that are none (a tag between files, half a frame at last).

    Raises av.FFmpegError for more of them.
    """
    import av

    packets = failed = 0
    for packet in container.demux(container.streams.audio[0]):
        packets += 1
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            failed += 1
            if not tolerant or failed > 2 + packets // 500:
                raise
            continue
        yield from frames


def regrouped(blocks: Iterator[np.ndarray], block_length: int, start: int) -> Iterator[np.ndarray]:
    """The same samples from `start` on, in blocks of one length."""
    pending: list[np.ndarray] = []
    count = 0
    for block in blocks:
        skipped = min(start, len(block))
        start -= skipped
        pending.append(block[skipped:])
        count += len(pending[-1])
        while count >= block_length:
            joined = np.concatenate(pending)
            yield joined[:block_length]
            pending = [joined[block_length:]]
            count -= block_length
    if count:
        yield np.concatenate(pending)
