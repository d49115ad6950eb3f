"""A track under faders that stay where they are, filtered in pieces by several threads.

The mask filter reads from any position, so pieces need no more of each other than the samples of three hops. The
pieces are the same for any number of threads, and so are the samples. A track is often written again at another
level, which changes nothing before the limiter; where it is short enough it is filtered once.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.inference.threads import in_order, working_threads
from ..audio.read_ahead import read_ahead
from ..audio.track import Track
from ..audio.true_peak import TruePeakMeter
from ..dsp.faders import Faders
from ..dsp.mask_filter import MaskFilter
from ..dsp.segment_mask import SegmentMask
from ..dsp.stft import OVERLAP, frame_length

HOPS: Final = 512
"""Hops in a piece: six seconds at 44,100 Hz."""
KEPT_BYTES: Final = 128 << 20
"""Of filtered samples that are kept: six minutes of stereo at 44,100 Hz."""


class FilteredTrack:
    """A track after the mask filter, under constant faders that are not all at zero."""

    def __init__(
        self, track: Track, labels: np.ndarray, mask_weights: np.ndarray, *, faders: Faders, device: object = "cpu"
    ) -> None:
        """Labels are int [frames, bands], mask_weights [segments, 7 or 14]; device: where the filter computes."""
        self._track = track
        self._mask = SegmentMask(labels, mask_weights, sample_rate=track.sample_rate, device=device)
        self._faders_db = faders.to_array().astype(np.float64)
        self._threads = working_threads() if device == "cpu" else 1
        self._kept: FloatArray | None = None

    def true_peak_dbtp(self) -> float | None:
        """Its true peak in dB against full scale; None where the track is too long to be filtered for that alone."""
        if not self._can_be_kept:
            return None
        meter = TruePeakMeter(self._track.channels)
        for block in self.blocks():
            meter.add(block)
        return meter.peak_dbtp()

    @property
    def _can_be_kept(self) -> bool:
        return 4 * self._track.samples * self._track.channels <= KEPT_BYTES

    def blocks(self) -> Generator[FloatArray, None, None]:
        """All of it, float32 [samples, channels] each; they must not be changed."""
        track = self._track
        if self._kept is not None:
            size = HOPS * frame_length(track.sample_rate) // OVERLAP
            yield from (self._kept[first : first + size] for first in range(0, len(self._kept), size))
            return
        with closing(read_ahead(track.measured_blocks())) as read:
            yield from self._filtered(read)

    def _filtered(self, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
        track = self._track
        pieces = filtered_pieces(
            blocks,
            self._mask,
            self._faders_db,
            sample_rate=track.sample_rate,
            channels=track.channels,
            threads=self._threads,
        )
        if not self._can_be_kept:
            yield from pieces
            return
        kept = np.empty((track.samples, track.channels), np.float32)
        end = 0
        for piece in pieces:
            begin, end = end, end + len(piece)
            kept[begin:end] = piece
            yield kept[begin:end]
        self._kept = kept


def filtered_pieces(
    blocks: Iterable[FloatArray],
    mask: SegmentMask,
    faders_db: np.ndarray,
    *,
    sample_rate: int,
    channels: int,
    threads: int,
) -> Iterator[FloatArray]:
    """The track after the mask filter, one piece after the other: float32 [samples, channels].

    Parameters
    ----------
    blocks
        All of the track, float32 [samples, channels] each, from its first sample on.
    mask
        Its segments.
    faders_db
        Float [7], not all of them zero.
    sample_rate
        In Hz.
    channels
        Of the track.
    threads
        So many pieces are filtered at a time.
    """

    def filtered(piece: _Piece) -> FloatArray:
        steered, _ = MaskFilter(piece, piece.begin).steps(mask, faders_db, -(-piece.length // piece.hop_length))
        return steered[: piece.length]

    return in_order(filtered, _pieces(blocks, sample_rate, channels), threads=threads)


@dataclass(frozen=True)
class _Piece:
    """Samples of a track that a piece of the output depends on; silence around them. A source of the mask filter."""

    begin: int
    """First sample of the track in the output."""
    length: int
    """Samples of the output."""
    first: int
    """Where in the track `samples` begin."""
    samples: FloatArray
    sample_rate: int
    hop_length: int

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    def read(self, start: int, stop: int) -> FloatArray:
        output = np.zeros((stop - start, self.channels), np.float32)
        begin, end = max(start, self.first), min(stop, self.first + len(self.samples))
        if begin < end:
            output[begin - start : end - start] = self.samples[begin - self.first : end - self.first]
        return output


def _pieces(blocks: Iterable[FloatArray], sample_rate: int, channels: int) -> Iterator[_Piece]:
    n_fft = frame_length(sample_rate)
    hop = n_fft // OVERLAP
    around, length = n_fft - hop, HOPS * hop
    held, first, begin = np.zeros((0, channels), np.float32), 0, 0
    for block in blocks:
        held = np.concatenate((held, block))
        while first + len(held) >= begin + length + around:
            yield _Piece(begin, length, first, held[: begin + length + around - first], sample_rate, hop)
            begin += length
            held, first = held[max(begin - around - first, 0) :], max(begin - around, first)
    end = first + len(held)
    while begin < end:
        yield _Piece(begin, min(length, end - begin), first, held, sample_rate, hop)
        begin += length
