"""A steered track written to a file with control of its level: write, measure, correct, repeat.

The file is measured by reading it back. It is written again with another gain when its loudness is to match the
input's and does not, and with a lower ceiling when a lossy format raised its peaks above the ceiling.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...models.common.progress import ProgressCallback
from ..audio.read_ahead import WriteBehind, read_ahead
from ..audio.track import Track, load_track
from ..audio.true_peak import TruePeakMeter
from ..dsp.faders import Faders
from ..dsp.limiter import MARGIN_DB, Limiter
from .audio_writer import AudioWriter
from .constant_filter import FilteredTrack

LOUDNESS_TOLERANCE_LU = 0.1

MATCH_LIMIT_DB = 12.0
"""The largest gain by which loudness is matched, up or down."""
_ATTEMPTS = 6
_LEAST_SHARE = 0.25  # of a raised gain that must come out as loudness: what the limiter takes away only distorts
_DITHER_SEED = 0
_HEADROOM_MARGIN_DB = 0.02
_READ_BACK = 0.3  # fraction of the work that is measuring the written file, for the progress


@dataclass(frozen=True)
class WrittenLevels:
    """Levels measured on a written file."""

    loudness_lufs: float
    """Integrated loudness."""
    true_peak_dbtp: float
    gain_db: float
    """Gain that was applied to the whole track."""
    track: Track
    """The written file, as it was read back."""
    headroom_db: float = 0.0
    """By how much of it (0 or more) the track was lowered so that the limiter had nothing to do."""


def write_with_levels(
    track: Track,
    labels: np.ndarray,
    mask_weights: np.ndarray,
    path: Path,
    *,
    faders: Faders,
    name: Path | None = None,
    match_loudness: bool = False,
    headroom: bool = False,
    bit_depth: str = "24",
    ceiling_dbtp: float = -1.0,
    device: object = "cpu",
    dither: bool | None = None,
    progress: ProgressCallback | None = None,
) -> WrittenLevels:
    """Write a steered track to a file and correct its level until it is as asked for.

    Parameters
    ----------
    track
        The input.
    labels
        Segment of each bin of the spectrogram, int [frames, bands].
    mask_weights
        [segments, 7 or 14] in -1..1.
    path
        Where to write; the ending says the format.
    faders
        Gains in dB; where all are zero the samples stay as they are.
    name
        What errors call the file, where `path` is a temporary one.
    match_loudness
        Give the file the input's integrated loudness, as far as the ceiling lets it: the gain is not raised where the
        limiter takes most of it away.
    headroom
        Lower the whole track until the limiter has nothing to do, instead of limiting its peaks: what a limiter
        presses down, it moves back. Not with match_loudness.
    bit_depth
        "16", "24" or "float".
    ceiling_dbtp
        True peak that is not exceeded (but with all faders at zero).
    device
        Where the mask filter computes.
    dither
        Triangular dither for 16 bits; None: where the samples are changed at all.
    progress
        Called with the fraction done.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    neutral = faders.is_neutral
    gain_db = _gain_into_range(track, bit_depth, path) if neutral else 0.0
    limit_db = ceiling_dbtp
    matched = match_loudness and not neutral
    dithered = not (neutral and gain_db == 0) if dither is None else dither
    lowered_db = 0.0
    report_attempt = _attempt_progress(2 if matched else 1, progress)
    filtered = None if neutral else FilteredTrack(track, labels, mask_weights, faders=faders, device=device)
    peak_dbtp = filtered.true_peak_dbtp() if filtered is not None and headroom and not matched else None
    if peak_dbtp is not None and (excess_db := peak_dbtp - (limit_db - MARGIN_DB)) > 0:
        lowered_db = excess_db + _HEADROOM_MARGIN_DB
        gain_db = -lowered_db
    settled = not matched
    earlier: WrittenLevels | None = None
    for attempt in range(_ATTEMPTS):
        limiter = None
        if filtered is not None and (peak_dbtp is None or peak_dbtp + gain_db > limit_db - MARGIN_DB):
            limiter = Limiter(sample_rate=track.sample_rate, channels=track.channels, ceiling_dbtp=limit_db)
        blocks = read_ahead(track.measured_blocks()) if filtered is None else filtered.blocks()
        lowers = headroom and not matched and attempt < _ATTEMPTS - 1
        writer = AudioWriter(
            path,
            sample_rate=track.sample_rate,
            channels=track.channels,
            samples=track.samples,
            bit_depth=bit_depth,
            dither_seed=_DITHER_SEED if dithered else None,
            channel_mask=track.source.channel_mask,
            name=name,
        )
        with contextlib.closing(blocks), writer, WriteBehind(writer.write) as write:
            for end, block in _counted(at_level(blocks, gain_db, limiter)):
                if not (lowers and limiter is not None and limiter.deepest_db > 0):  # (else it is written again)
                    write(block)
                report_attempt(attempt, (1 - _READ_BACK) * end / track.samples)
        limited_db = 0.0 if limiter is None else limiter.deepest_db
        if lowers and limited_db > 0:
            lowered_db += limited_db + _HEADROOM_MARGIN_DB
            gain_db -= limited_db + _HEADROOM_MARGIN_DB
            continue
        written = replace(_read_back(path, gain_db), headroom_db=lowered_db)
        report_attempt(attempt, 1.0)
        excess = 0.0 if neutral else max(0.0, written.true_peak_dbtp - ceiling_dbtp)
        if earlier is not None and not settled and limited_db > 0 and _is_in_vain(earlier, written):
            gain_db, settled = earlier.gain_db, True
        elif not settled and abs(missing := track.loudness_lufs - written.loudness_lufs) > LOUDNESS_TOLERANCE_LU / 2:
            gain_db = min(max(gain_db + missing, -MATCH_LIMIT_DB), MATCH_LIMIT_DB)
        earlier = written
        if not excess and gain_db == written.gain_db:
            break
        limit_db -= excess + 0.05 if excess else 0.0
    return written


def _is_in_vain(earlier: WrittenLevels, later: WrittenLevels) -> bool:
    """Whether the limiter took away most of what the gain was raised by."""
    raised_db = later.gain_db - earlier.gain_db
    return raised_db > 0 and later.loudness_lufs - earlier.loudness_lufs < _LEAST_SHARE * raised_db


def _counted(blocks: Iterator[np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    """Each block with the number of samples up to its end."""
    count = 0
    for block in blocks:
        count += len(block)
        yield count, block


def _gain_into_range(track: Track, bit_depth: str, path: Path) -> float:
    """Gain in dB, 0 or less, that keeps an untouched track inside what the file can hold."""
    if track.sample_peak <= 1 or (bit_depth == "float" and path.suffix.lower() == ".wav"):
        return 0.0
    return 20 * math.log10((1 - 2**-15) / track.sample_peak)


def _read_back(path: Path, gain_db: float) -> WrittenLevels:
    """Decode a written file once: its integrated loudness, its true peak, and what a prediction needs of it."""
    peak: TruePeakMeter | None = None

    def measure(block: np.ndarray) -> None:
        nonlocal peak
        peak = peak or TruePeakMeter(block.shape[1])
        peak.add(block)

    track = load_track(path, measure=measure, loudness=True)
    return WrittenLevels(track.loudness_lufs, peak.peak_dbtp() if peak else -math.inf, gain_db, track)


def _attempt_progress(expected: int, progress: ProgressCallback | None) -> Callable[[int, float], None]:
    """Progress over a number of attempts that is not known beforehand: never backwards, never beyond 1."""
    furthest = 0.0

    def report_attempt(attempt: int, fraction: float) -> None:
        nonlocal furthest
        furthest = max(furthest, min((attempt + fraction) / max(expected, attempt + 1), 1.0))
        if progress:
            progress(furthest)

    return report_attempt


def at_level(blocks: Iterator[np.ndarray], gain_db: float, limiter: Limiter | None) -> Iterator[np.ndarray]:
    """Blocks float32 [samples, channels] after a gain, and after a limiter where there is one."""
    gain = np.float32(10 ** (gain_db / 20))
    for block in blocks:
        louder = block if gain == 1 else block * gain
        yield louder if limiter is None else limiter.process(louder)
    if limiter is not None:
        yield limiter.flush()
