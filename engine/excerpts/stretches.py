"""Choice of the stretches of a track on which faders and targets are solved, and the sound of these.

A *stretch* is a pair (start, length) in seconds; an *excerpt* is its sound, mono at 22,050 Hz. By the length of the
track between its silent ends:

* `few_stretches`: two of five seconds (a track of up to ten seconds: all of it), by which the masks of faders are
  solved with all listeners;
* `spread_stretches`: six of ten seconds (up to a minute: all of it), by which masks are corrected with the network
  alone, and settings and targets are solved;
* `wide_stretches`: fifteen of twenty seconds (up to five minutes: all of it), by which a solution is corrected;
* `consecutive_excerpts`: all of a track of any length, in pieces of a minute at most.

What a written file is predicted as is measured on all of it afterwards.
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
"""Up to this length in seconds `spread_stretches` takes all of a track."""
EXCERPT_S: Final = 10.0
EXCERPTS: Final = 6
FEW: Final = 2
WIDE_S: Final = 300.0
"""Up to this length in seconds `wide_stretches` takes all of a track."""
PIECE_S: Final = 60.0
"""Longest piece of `consecutive_excerpts` in seconds."""
WIDE_PIECES: Final = 15
"""Of tracks longer than WIDE_S. The network's receptive field is seven seconds long, and beyond one end of an
excerpt it takes the other end (circular padding): short pieces are predicted otherwise than the track is.
"""

Excerpt = tuple[FloatArray, int]
"""Mono sound float32 [samples] at 22,050 Hz over the track's peak, and the sample of the track it begins at."""


def spread_stretches(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds: all of a track between its silent ends, or EXCERPTS of one longer than WHOLE_S."""
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= WHOLE_S:
        return [(first, track.sounding_s)]
    return [(first + float(start), EXCERPT_S) for start in np.linspace(0, track.sounding_s - EXCERPT_S, EXCERPTS)]


def wide_stretches(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds of what a solution by `spread_stretches` is corrected by.

    All of a track of up to WIDE_S between its silent ends; of a longer one WIDE_PIECES evenly spread ones, WIDE_S
    together.
    """
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= WIDE_S:
        return [(first, track.sounding_s)]
    starts = np.linspace(0, track.sounding_s - WIDE_S / WIDE_PIECES, WIDE_PIECES)
    return [(first + float(start), WIDE_S / WIDE_PIECES) for start in starts]


def few_stretches(track: Track) -> list[tuple[float, float]]:
    """(start, length) in seconds of the stretches by which the masks of a track's faders are solved.

    FEW of them, EXCERPT_S long together, in the middle of each half, since a field that moves listeners at one place
    of a track moves them less at others. All of the track if it is no longer than that.
    """
    first = track.sounding[0] / SAMPLE_RATE
    if track.sounding_s <= EXCERPT_S:
        return [(first, track.sounding_s)]
    length = EXCERPT_S / FEW
    middles = [first + track.sounding_s * (number + 0.5) / FEW for number in range(FEW)]
    return [(middle - length / 2, length) for middle in middles]


def stretch_around(moment_s: float, track: Track) -> tuple[float, float]:
    """(start, length) in seconds of EXCERPT_S around a moment in seconds, between the silent ends of the track."""
    first = track.sounding[0] / SAMPLE_RATE
    length = min(EXCERPT_S, track.sounding_s)
    return float(np.clip(moment_s - length / 2, first, first + track.sounding_s - length)), length


def read_excerpts(track: Track, stretches: Sequence[tuple[float, float]]) -> list[FloatArray]:
    """Mono sound float32 [samples] at 22,050 Hz of each stretch, over the track's peak; reads the track once."""
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
    """As `read_excerpts`, each with the sample at 22,050 Hz that it begins at: [(sound, first sample)]."""
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
