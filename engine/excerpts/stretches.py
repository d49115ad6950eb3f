"""The stretches of a track by which faders and targets are solved.

A track of up to a minute is taken whole, of a longer one six stretches of ten seconds, evenly spread, or the ten
seconds around a moment. What is solved by so little is put right by more of the track, up to five minutes of it. What
the written file really says is measured on all of it afterwards.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.common.constants import SAMPLE_RATE
from ..audio.track import Track

WHOLE_S: Final = 60.0
EXCERPT_S: Final = 10.0
EXCERPTS: Final = 6
FEW: Final = 2
WIDE_S: Final = 300.0
PIECE_S: Final = 60.0
WIDE_PIECES: Final = 15
"""Of tracks longer than WIDE_S. A network sees seven seconds around each moment, and what lies beyond the ends of an
excerpt is its other end: of shorter pieces it says something else than of the track.
"""


Excerpt = tuple[FloatArray, int]
"""Sound at 22,050 Hz on the track's scale, and its first sample."""


def spread_starts(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds of excerpts between the silent ends of a track: all of it, or six of a long one."""
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= WHOLE_S:
        return [(first, track.sounding_s)]
    return [(first + float(start), EXCERPT_S) for start in np.linspace(0, track.sounding_s - EXCERPT_S, EXCERPTS)]


def wide_starts(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds of that by which what was solved by `spread_starts` is put right.

    All of a track of up to WIDE_S between its silent ends, of a longer one so much in evenly spread pieces.
    """
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= WIDE_S:
        return [(first, track.sounding_s)]
    starts = np.linspace(0, track.sounding_s - WIDE_S / WIDE_PIECES, WIDE_PIECES)
    return [(first + float(start), WIDE_S / WIDE_PIECES) for start in starts]


def few_starts(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds of the stretches by which a track's faders are solved.

    FEW of them, EXCERPT_S long together, in the middle of each half: what moves listeners at one place of a track
    moves them less at others. All of it if it is no longer than that.
    """
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= EXCERPT_S:
        return [(first, track.sounding_s)]
    length = EXCERPT_S / FEW
    middles = [first + track.sounding_s * (number + 0.5) / FEW for number in range(FEW)]
    return [(middle - length / 2, length) for middle in middles]


def around(moment_s: float, track: Track) -> tuple[float, float]:
    """(start, length) in seconds of the stretch around a moment, between the silent ends of the track."""
    first = track.sounding[0] / SAMPLE_RATE
    length = min(EXCERPT_S, track.sounding_s)
    return float(np.clip(moment_s - length / 2, first, first + track.sounding_s - length)), length


def read_excerpts(track: Track, stretches: Sequence[tuple[float, float]]) -> list[FloatArray]:
    """Mono sound [samples] at 22,050 Hz of (start, length) in seconds, divided by the track's peak; reads it once."""
    wanted = [(round(start * SAMPLE_RATE), round((start + length) * SAMPLE_RATE)) for start, length in stretches]
    parts: list[list[FloatArray]] = [[] for _ in wanted]
    position = 0
    for block in track.network_input_blocks():
        for (begin, end), pieces in zip(wanted, parts, strict=True):
            piece = block[max(begin - position, 0) : max(end - position, 0)]
            if len(piece):
                pieces.append(piece)
        position += len(block)
    return [np.concatenate(pieces) / np.float32(track.network_peak) for pieces in parts]


def placed_excerpts(track: Track, stretches: Sequence[tuple[float, float]]) -> list[Excerpt]:
    """The same with the sample at 22,050 Hz that each begins with: [(sound, first sample)]."""
    firsts = [round(start * SAMPLE_RATE) for start, _ in stretches]
    return list(zip(read_excerpts(track, stretches), firsts, strict=True))


def consecutive_excerpts(track: Track) -> Iterator[Excerpt]:
    """All of a track between its silent ends, in pieces of equal length, read as they are asked for.

    They are of PIECE_S at most and, of a track longer than that, of more than half of it.
    """
    first, end = track.sounding
    borders = np.linspace(first, end, math.ceil(track.sounding_s / PIECE_S) + 1).round().astype(int).tolist()
    pending, position = np.zeros(0, np.float32), 0
    blocks = track.network_input_blocks()
    for begin, stop in pairwise(borders):
        parts = [pending[max(begin - position, 0) :]]
        while position + len(pending) < stop and (block := next(blocks, None)) is not None:
            position, pending = position + len(pending), block
            parts.append(pending[max(begin - position, 0) :])
        excerpt = np.concatenate(parts)[: stop - begin]
        yield excerpt / np.float32(track.network_peak), begin
