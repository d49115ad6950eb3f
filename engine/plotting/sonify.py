"""An explanation to be listened to: a stretch of a track as it is, with a feature enhanced, and what speaks for the
feature alone.

The mixer cuts the rest by 24 dB at most, which can still be heard. But it is linear in the sound: with g the gain of
the rest, x the sound and y what the mixer makes of it, (y - g x) / (1 - g) is the part alone, the rest silent.
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
from ..render.audio_writer import AudioWriter

ENHANCED_DB: Final = 6.0
SHOWN_S: Final = 20.0
LONGEST_S: Final = 120.0
SHORTEST_S: Final = 1.0
_WHOLE_S: Final = 30.0


def choose_excerpt(
    analysis: Analysis, features: list[str], begin_s: float | None, end_s: float | None
) -> tuple[float, float]:
    """Seconds (from, to) to show: as asked, or the whole of a short track, or the 20 s with the strongest weights.

    Raises InputError for a stretch that is not inside of the track, too short or too long.
    """
    length = analysis.duration_s
    if begin_s is None and end_s is None:
        return (0.0, length) if length <= _WHOLE_S else _strongest(analysis, features)
    begin = max(0.0, end_s - SHOWN_S) if begin_s is None and end_s is not None else begin_s or 0.0
    end = min(length, begin + SHOWN_S) if end_s is None else end_s
    if not 0 <= begin < end <= length + 0.01:
        raise InputError(f"--from {begin:g} --to {end:g}: not inside of the track's {length:.1f} seconds")
    if not SHORTEST_S <= end - begin <= LONGEST_S:
        raise InputError(f"--from {begin:g} --to {end:g}: {SHORTEST_S:g} to {LONGEST_S:g} seconds can be shown")
    return begin, min(end, length)


def _strongest(analysis: Analysis, features: list[str]) -> tuple[float, float]:
    columns = [MIDLEVEL.index(feature) for feature in features]
    strength = np.abs(analysis.selected_weights[:, columns]).sum(axis=1)[analysis.segments].sum(axis=1)  # [frames]
    window = round(SHOWN_S * SAMPLE_RATE / HOP_LENGTH)
    sums = np.convolve(strength, np.ones(window), mode="valid")
    begin = int(sums.argmax()) * HOP_LENGTH / SAMPLE_RATE
    return begin, min(begin + SHOWN_S, analysis.duration_s)


class Sonifier:
    """Sounds of one stretch of a track, all at the same level: float32 [samples, channels] at the track's rate."""

    def __init__(self, track: Track, analysis: Analysis, stretch_s: tuple[float, float]) -> None:
        self._track, self._analysis = track, analysis
        begin, end = (round(second * track.sample_rate) for second in stretch_s)
        n_fft = frame_length(track.sample_rate)
        # The mixer sounds as in the whole track from a frame after its start on, and until a frame before its end.
        self._start = max(0, begin - 2 * n_fft) // n_fft * n_fft
        self._cut = slice(begin - self._start, end - self._start)
        self._source = _read(track, self._start, min(end + 2 * n_fft, track.samples))
        self._level = np.float32(min(1.0, 0.999 / max(track.sample_peak, 1e-6)))

    def original(self) -> FloatArray:
        """The stretch as it is."""
        return self._finished(self._source)

    def boosted(self, feature: str) -> FloatArray:
        """The stretch with the feature's fader at +6 dB."""
        boosted = Faders.from_mapping({feature: ENHANCED_DB})
        return self._finished(self._mixed(self._analysis.selected_weights, boosted))

    def isolated(self, feature: str) -> FloatArray:
        """The segments that speak for the feature, without anything else."""
        weights = np.zeros_like(self._analysis.selected_weights)
        spoken_for = self._analysis.selected_weights[:, MIDLEVEL.index(feature)] > 0
        weights[~spoken_for, :2] = 1  # two faders at -12 dB reach the limit of a segment
        half = -SEGMENT_LIMIT_DB / 2
        mixed = self._mixed(weights, Faders.from_mapping(dict.fromkeys(MIDLEVEL[:2], half)))
        rest = np.float32(10 ** (-SEGMENT_LIMIT_DB / 20))
        return self._finished(np.asarray((mixed - rest * self._source) / (1 - rest), np.float32))

    def _mixed(self, mask_weights: FloatArray, faders: Faders) -> FloatArray:
        sound = SteeredSound(
            self._analysis.segments,
            mask_weights,
            sample_rate=self._track.sample_rate,
            channels=self._track.channels,
            start=self._start,
            ceiling_dbtp=None,
        )
        return np.concatenate([sound.process(self._source, faders), sound.flush()])

    def _finished(self, samples: FloatArray) -> FloatArray:
        """Cut to the stretch, at the level at which the original does not clip; limited to -1 dBTP if it would."""
        cut = np.ascontiguousarray(samples[self._cut] * self._level, np.float32)
        if np.abs(cut).max(initial=0.0) <= 1:
            return cut
        limiter = Limiter(sample_rate=self._track.sample_rate, channels=self._track.channels)
        return np.concatenate([limiter.process(cut), limiter.flush()])


def write_sound(path: Path, samples: FloatArray, sample_rate: int) -> None:
    """Write samples [n, channels] as a 24-bit wav file, whole or not at all. Raises InputError."""
    count, channels = samples.shape
    with (
        atomic_write(path) as beside,
        AudioWriter(beside, sample_rate=sample_rate, channels=channels, samples=count, name=path) as writer,
    ):
        writer.write(samples)


def _read(track: Track, first: int, last: int) -> FloatArray:
    blocks, left = [], last - first
    for block in track.blocks(start=first):
        blocks.append(block[:left])
        left -= len(blocks[-1])
        if left <= 0:
            break
    return np.concatenate(blocks)
