"""Sonification of an explanation: an excerpt as it is, with a feature boosted, and the feature's segments isolated.

The mask filter cuts a segment by 24 dB at most, which is still audible. But it is linear in the sound: with g the
gain of the other segments, x the sound and y the output of the filter, (y - g x) / (1 - g) is the segments without
the rest.
"""

from pathlib import Path
from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.errors import InputError
from ..analysis.analysis import Analysis
from ..audio.track import Track
from ..dsp.faders import Faders
from ..dsp.limiter import Limiter
from ..dsp.processor import SteeredSound
from ..dsp.segment_mask import SEGMENT_LIMIT_DB
from ..dsp.stft import frame_length
from .audio_writer import AudioWriter

BOOST_DB: Final = 6.0
EXCERPT_S: Final = 20.0
MAX_EXCERPT_S: Final = 120.0
MIN_EXCERPT_S: Final = 1.0
_WHOLE_TRACK_S: Final = 30.0


def choose_excerpt(
    analysis: Analysis, features: list[str], begin_s: float | None, end_s: float | None
) -> tuple[float, float]:
    """Choose the excerpt to show: as asked, the whole of a short track, or the 20 s with the largest mask weights.

    Returns (begin, end) in seconds. Raises InputError for an excerpt not inside of the track, too short or too long.
    """
    length = analysis.duration_s
    if begin_s is None and end_s is None:
        return (0.0, length) if length <= _WHOLE_TRACK_S else _largest_weights(analysis, features)
    begin = max(0.0, end_s - EXCERPT_S) if begin_s is None and end_s is not None else begin_s or 0.0
    end = min(length, begin + EXCERPT_S) if end_s is None else end_s
    if not 0 <= begin < end <= length + 0.01:
        raise InputError(f"--from {begin:g} --to {end:g}: not inside of the track's {length:.1f} seconds")
    if not MIN_EXCERPT_S <= end - begin <= MAX_EXCERPT_S:
        raise InputError(
            f"--from {begin:g} --to {end:g}: {MIN_EXCERPT_S:g} to {MAX_EXCERPT_S:g} seconds can be shown"
        )
    return begin, min(end, length)


def _largest_weights(analysis: Analysis, features: list[str]) -> tuple[float, float]:
    columns = [MIDLEVEL.index(feature) for feature in features]
    strength = np.abs(analysis.selected_weights[:, columns]).sum(axis=1)[analysis.segments].sum(axis=1)  # [frames]
    window = round(EXCERPT_S * SAMPLE_RATE / HOP_LENGTH)
    sums = np.convolve(strength, np.ones(window), mode="valid")
    begin = int(sums.argmax()) * HOP_LENGTH / SAMPLE_RATE
    return begin, min(begin + EXCERPT_S, analysis.duration_s)


class Sonifier:
    """Makes the sounds of an excerpt, all at one level: float32 [samples, channels] at the track's rate."""

    def __init__(self, track: Track, analysis: Analysis, excerpt_s: tuple[float, float]) -> None:
        self._track, self._analysis = track, analysis
        begin, end = (round(second * track.sample_rate) for second in excerpt_s)
        n_fft = frame_length(track.sample_rate)
        # The filter's output is that of the whole track from a frame after its start to a frame before its end.
        self._start = max(0, begin - 2 * n_fft) // n_fft * n_fft
        self._cut = slice(begin - self._start, end - self._start)
        self._source = _read(track, self._start, min(end + 2 * n_fft, track.samples))
        self._level = np.float32(min(1.0, 0.999 / max(track.sample_peak, 1e-6)))

    def original(self) -> FloatArray:
        """The excerpt as it is."""
        return self._finished(self._source)

    def boosted(self, feature: str) -> FloatArray:
        """The excerpt with the feature's fader at +6 dB."""
        return self._finished(
            self._filtered(self._analysis.selected_weights, Faders.from_mapping({feature: BOOST_DB}))
        )

    def isolated(self, feature: str) -> FloatArray:
        """The segments that raise the feature, without the rest."""
        weights = np.zeros_like(self._analysis.selected_weights)
        raising = self._analysis.selected_weights[:, MIDLEVEL.index(feature)] > 0
        weights[~raising, :2] = 1  # two faders at -12 dB reach the limit of a segment
        half = -SEGMENT_LIMIT_DB / 2
        filtered = self._filtered(weights, Faders.from_mapping(dict.fromkeys(MIDLEVEL[:2], half)))
        rest = np.float32(10 ** (-SEGMENT_LIMIT_DB / 20))
        return self._finished(np.asarray((filtered - rest * self._source) / (1 - rest), np.float32))

    def _filtered(self, mask_weights: FloatArray, faders: Faders) -> FloatArray:
        processor = SteeredSound(
            self._analysis.segments,
            mask_weights,
            sample_rate=self._track.sample_rate,
            channels=self._track.channels,
            start=self._start,
            ceiling_dbtp=None,
        )
        return np.concatenate([processor.process(self._source, faders), processor.flush()])

    def _finished(self, samples: FloatArray) -> FloatArray:
        """Cut to the excerpt, at the level at which the original does not clip; limited to -1 dBTP if it would."""
        cut = np.ascontiguousarray(samples[self._cut] * self._level, np.float32)
        if np.abs(cut).max(initial=0.0) <= 1:
            return cut
        limiter = Limiter(sample_rate=self._track.sample_rate, channels=self._track.channels)
        return np.concatenate([limiter.process(cut), limiter.flush()])


def write_sound(path: Path, samples: FloatArray, sample_rate: int, channel_mask: int = 0) -> None:
    """Write samples [n, channels] as a 24-bit wav file, whole or not at all. Raises InputError.

    channel_mask: loudspeakers of the channels, as in channel_layout.py; 0: the usual ones.
    """
    count, channels = samples.shape
    with (
        atomic_write(path) as temporary,
        AudioWriter(
            temporary,
            sample_rate=sample_rate,
            channels=channels,
            samples=count,
            channel_mask=channel_mask,
            name=path,
        ) as writer,
    ):
        writer.write(samples)


def _read(track: Track, first: int, last: int) -> FloatArray:
    blocks, remaining = [], last - first
    for block in track.blocks(start=first):
        blocks.append(block[:remaining])
        remaining -= len(blocks[-1])
        if remaining <= 0:
            break
    return np.concatenate(blocks)
