"""Head-room: the gain at which a steered track is written, so that the limiter stays idle.

The track is run through the mask filter once to measure loudness and true peak, then written as loud as the original,
or as much softer as the ceiling asks for. It is predicted at a scale lowered by the same gain.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ...models.inference.threads import torch_threads
from ..audio.decode import decode, probe
from ..audio.loudness import LoudnessMeter
from ..audio.track import Track
from ..audio.true_peak import TruePeakMeter
from ..dsp.processor import SteeredSound
from ..render.audio_writer import AudioWriter
from .gain_map import FULL, GainMap

_ATTEMPTS: Final = 3
_MARGIN_DB: Final = 0.02
_DITHER_SEED: Final = 0
Progress = Callable[[float], None]


@dataclass(frozen=True)
class WrittenMap:
    """Measured on the file, in LUFS and dBTP.

    lowered_db: gain, 0 dB or less, that keeps its peaks below the ceiling.
    """

    loudness_lufs: float
    true_peak_dbtp: float
    lowered_db: float


def write_gain_map(
    track: Track,
    map: GainMap,
    path: Path,
    *,
    name: Path,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    progress: Progress | None = None,
) -> WrittenMap:
    """Write `track` under a gain map to `path`, as loud as the original where the ceiling allows it.

    name: what errors call the file. Raises InputError as AudioWriter.
    """
    report = progress or (lambda fraction: None)
    # The pieces of work are small: a second thread costs more than it gives, far more on a busy machine.
    with torch_threads(1):
        loudness, peak = _measured(track, _filtered(track, map), lambda fraction: report(0.4 * fraction))
        wanted = track.loudness_lufs - loudness
        gain_db = min(wanted, ceiling_dbtp - _MARGIN_DB - peak)
        for attempt in range(_ATTEMPTS):
            factor = np.float32(10 ** (gain_db / 20))
            with AudioWriter(
                path,
                sample_rate=track.sample_rate,
                channels=track.channels,
                samples=track.samples,
                bit_depth=bit_depth,
                dither_seed=_DITHER_SEED,
                channel_mask=track.source.channel_mask,
                name=name,
            ) as writer:
                done = 0
                for block in _filtered(track, map):
                    writer.write(block * factor)
                    done += len(block)
                    report(0.4 + (0.4 * done / track.samples if attempt == 0 else 0.4))
            loudness, peak = _measured(track, decode(probe(path)), lambda fraction: report(0.8 + 0.2 * fraction))
            excess = peak - ceiling_dbtp  # a lossy format raises peaks
            if excess <= 0:
                break
            gain_db -= excess + 0.05
    return WrittenMap(loudness, peak, min(0.0, gain_db - wanted))


def _filtered(track: Track, map: GainMap) -> Iterator[np.ndarray]:
    """The track [samples, channels] under the map, in blocks, as long as it is; no limiter."""
    sound = SteeredSound(
        map.labels,
        map.mask_weights,
        sample_rate=track.sample_rate,
        channels=track.channels,
        ceiling_dbtp=None,
    )
    for block in track.blocks():
        yield sound.process(block, FULL)
    yield sound.flush()


def _measured(track: Track, blocks: Iterator[np.ndarray], report: Progress) -> tuple[float, float]:
    """Loudness in LUFS and true peak in dBTP of blocks of the track's rate and channels."""
    loudness = LoudnessMeter(track.sample_rate, track.channels, channel_mask=track.source.channel_mask)
    peak = TruePeakMeter(track.channels)
    done = 0
    for block in blocks:
        loudness.add(block)
        peak.add(block)
        done += len(block)
        report(min(done / track.samples, 1.0))
    return loudness.integrated(), peak.peak_dbtp()
