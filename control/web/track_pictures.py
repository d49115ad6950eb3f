"""What the page draws of a track: its waveform, and the gain map of its analysis, as compact bytes.

Both are made in a thread of low priority, when a page first asks for them.
"""

import asyncio
import json
import os
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from ...engine.analysis.analysis_file import load_mean_masks
from ...engine.audio.decode import decode, probe
from ...engine.audio.thumbnail import FRAMES, ROWS, thumbnail_bands
from ...engine.dsp.segment_mask import SEGMENT_LIMIT_DB
from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.common.errors import InputError

COLUMNS: Final = 2000
"""Columns of a waveform."""
_BLOCKS_PER_S: Final = 8
_REST_S: Final = 0.002
_MAX_KEPT: Final = 64


class TrackPictures:
    """Makes and keeps the pictures of the tracks of a set list."""

    def __init__(self, tracks: tuple[Path, ...]) -> None:
        self._tracks = tracks
        self._analyses: dict[int, str] = {}
        self._kept: dict[tuple[str, int, str], bytes | None] = {}
        self._worker = ThreadPoolExecutor(1, "pictures", initializer=_low_priority)

    def note_analysis(self, track: int, path: str) -> None:
        """Note where the analysis of a track is."""
        self._analyses[track] = path

    async def waveform(self, track: int) -> bytes | None:
        """The peaks of a track: its duration in s as float32 (little endian), then uint8 [columns]; None: no such."""
        if not 0 <= track < len(self._tracks):
            return None
        return await self._made("wave", track, str(self._tracks[track]))

    async def gain_map(self, track: int) -> bytes | None:
        """The gain map of a track (`map_bytes`); None while there is no analysis."""
        path = self._analyses.get(track)
        return None if path is None else await self._made("map", track, path)

    async def _made(self, what: str, track: int, path: str) -> bytes | None:
        key = what, track, path
        if key not in self._kept:
            make = waveform_bytes if what == "wave" else map_bytes
            made = await asyncio.get_running_loop().run_in_executor(self._worker, _or_none, make, Path(path))
            self._kept[key] = made
            while len(self._kept) > _MAX_KEPT:
                del self._kept[next(iter(self._kept))]
        return self._kept[key]


def _or_none(make: object, path: Path) -> bytes | None:
    try:
        return make(path)  # type: ignore[operator, no-any-return]
    except (InputError, OSError):
        return None


def waveform_bytes(path: Path) -> bytes:
    """Duration in s and peaks of a file: float32, then uint8 [COLUMNS], 255 for the largest sample of the track."""
    source = probe(path)
    step = max(source.sample_rate // (_BLOCKS_PER_S * 20), 1)
    peaks: list[np.ndarray] = []
    rest = np.zeros(0, np.float32)
    samples = 0
    for block in decode(source, block_length=step * 160):
        mono = np.concatenate((rest, np.abs(block).max(axis=1)))
        samples += len(block)
        whole = len(mono) // step * step
        peaks.append(mono[:whole].reshape(-1, step).max(axis=1))
        rest = mono[whole:]
        time.sleep(_REST_S)  # others of this process come first
    fine = np.concatenate((*peaks, [rest.max()] if len(rest) else []))
    if not len(fine):
        return struct.pack("<f", 0.0)
    columns = min(COLUMNS, len(fine))
    starts = (np.arange(columns) * len(fine)) // columns
    coarse = np.maximum.reduceat(fine, starts)
    levels = np.clip(np.rint(coarse / max(float(coarse.max()), 1e-6) * 255), 0, 255).astype(np.uint8)
    return struct.pack("<f", samples / source.sample_rate) + levels.tobytes()


def map_bytes(path: Path) -> bytes:
    """Segments and mask weights of an analysis, at the resolution of the map.

    One line of JSON (columns, rows, segments, seconds per column, largest gain in dB, scale), then the segment of
    each cell as uint16 or uint32 [columns, rows] (little endian), then the mask weights as int8 [segments, 7],
    multiplied by `scale`.
    """
    labels, weights = load_mean_masks(path)
    cells = np.ascontiguousarray(labels[::FRAMES, thumbnail_bands(labels.shape[1])])
    scale = float(np.abs(weights).max() or 1.0) / 127
    kind = "<u2" if len(weights) <= 65536 else "<u4"
    about = {
        "columns": len(cells),
        "rows": ROWS,
        "segments": len(weights),
        "column_s": FRAMES * HOP_LENGTH / SAMPLE_RATE,
        "limit_db": SEGMENT_LIMIT_DB,
        "scale": scale,
        "bytes": 2 if kind == "<u2" else 4,
    }
    quantised = np.rint(weights / scale).astype(np.int8)
    return json.dumps(about).encode() + b"\n" + cells.astype(kind).tobytes() + quantised.tobytes()


def _low_priority() -> None:
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
