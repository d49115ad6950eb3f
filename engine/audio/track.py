"""A validated audio file that can be streamed: all analyses, predictions and renders read audio through it.

Loading decodes the whole file once; what is kept is its shape, its digest, its peak and, of a track of up to ten
minutes, the mono mix at the network's rate (5 MB a minute), so that the analysis and the prediction need not decode
it again.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import soxr

from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.signal.click_removal import ClickRemover
from ...models.signal.input_level import SILENCE, InputMeter
from .decode import AudioFileInfo, decode, probe
from .loudness import LoudnessMeter
from .read_ahead import WriteBehind, read_ahead

LARGEST_PEAK = 1e12
"""Beyond it samples are none: 32-bit integers that were never scaled stay below."""
_MAX_MONO = 600 * SAMPLE_RATE
"""Samples of the mono mix that are kept: ten minutes, 53 MB."""


@dataclass(frozen=True)
class Track:
    """A readable recording of at least one second that is not silent."""

    source: AudioFileInfo
    samples: int
    """Samples a channel, as counted while decoding."""
    digest: str
    """SHA-256 in hex of the decoded float32 samples, the rate and the channel count."""
    network_peak: float
    """Level of the mono mix at 22.05 kHz, > 0, by which the network's input is divided: a robust peak, which leaves
    out brief ones (input_level.py)."""
    sounding: tuple[int, int]
    """Samples [first, end) of the mono mix at 22.05 kHz between the silent ends of the track; a second at least."""
    sample_peak: float
    """Largest magnitude of a sample in the file; above 1.0 in some float and lossy files."""
    _mono: tuple[np.ndarray, ...] | None = field(default=None, repr=False, compare=False)
    """The mono mix at 22.05 kHz in blocks, if it was kept."""

    @property
    def path(self) -> Path:
        """The file, as it was named."""
        return self.source.path

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file, a line each."""
        return self.source.notes

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.source.sample_rate

    @property
    def channels(self) -> int:
        """1 to 8."""
        return self.source.channels

    @property
    def duration_s(self) -> float:
        """In seconds."""
        return self.samples / self.sample_rate

    @property
    def sounding_s(self) -> float:
        """Seconds between the silent ends."""
        return (self.sounding[1] - self.sounding[0]) / SAMPLE_RATE

    @property
    def sounding_frames(self) -> tuple[int, int]:
        """Frames [first, end) of the whole track's spectrogram between the silent ends."""
        first, end = self.sounding
        return first // HOP_LENGTH, (end - 1) // HOP_LENGTH + 1

    @cached_property
    def loudness_lufs(self) -> float:
        """Integrated loudness in LUFS; measured (the file is decoded again) when first asked for."""
        meter = LoudnessMeter(self.sample_rate, self.channels, channel_mask=self.source.channel_mask)
        for block in self.blocks():
            meter.add(block)
        return meter.integrated()

    @property
    def measured_loudness_lufs(self) -> float | None:
        """Integrated loudness in LUFS where it has been measured already, else None."""
        return self.__dict__.get("loudness_lufs")

    def recall_loudness(self, loudness_lufs: float | None) -> None:
        """Take a loudness that was measured on the same samples before, so that it is not measured again."""
        if loudness_lufs is not None:
            self.__dict__.setdefault("loudness_lufs", loudness_lufs)

    def blocks(self, *, block_length: int = 65536, start: int = 0) -> Iterator[np.ndarray]:
        """Stream the samples from `start` on: float32 [block_length, channels]; the last block may be shorter."""
        remaining = self.samples - start
        for block in decode(self.source, block_length=block_length, start=start):
            if len(block) >= remaining:
                yield block[:remaining]
                return
            remaining -= len(block)
            yield block

    def measured_blocks(self) -> Iterator[np.ndarray]:
        """Stream all blocks and measure `loudness_lufs` on the way, so that the file is not decoded again for it."""
        if "loudness_lufs" in self.__dict__:
            yield from self.blocks()
            return
        meter = LoudnessMeter(self.sample_rate, self.channels, channel_mask=self.source.channel_mask)
        for block in self.blocks():
            meter.add(block)
            yield block
        self.__dict__["loudness_lufs"] = meter.integrated()

    def network_input_blocks(self) -> Iterator[np.ndarray]:
        """Stream the network's input, float32 [samples]: the mean of the channels, without clicks, at 22.05 kHz.

        It is not scaled.
        """
        if self._mono is not None:
            yield from self._mono
            return
        mono = _MonoMix(self.sample_rate)
        for block in self.blocks():
            yield mono.add(block)
        yield mono.flush()


def load_track(
    path: str | Path, *, measure: Callable[[np.ndarray], None] = lambda block: None, loudness: bool = False
) -> Track:
    """Decode a sound file once, check it and measure it.

    Parameters
    ----------
    path
        A file, or a pipe (`-`: standard input), whose content is kept in a temporary file as long as the track is.
    measure
        Called with each block float32 [samples, channels] on the way, by a thread beside the caller's own.
    loudness
        Measure `loudness_lufs` on the way, too (else the file is decoded again when that is asked for).

    Raises
    ------
    InputError
        For what cannot be worked on: no such file, a folder, no sound in it, truncated or damaged, less than a
        second, silence, samples that are no numbers, a rate or a channel count out of range.
    """
    return measure_track(probe(Path(path), pipes=True), measure=measure, loudness=loudness)


def measure_track(
    source: AudioFileInfo, *, measure: Callable[[np.ndarray], None] = lambda block: None, loudness: bool = False
) -> Track:
    """Decode a source once, check it and measure it; as `load_track`, which does it with a file."""
    path = source.path
    digest = hashlib.sha256(f"{source.sample_rate} {source.channels}".encode())
    mono = _MonoMix(source.sample_rate)
    meter = LoudnessMeter(source.sample_rate, source.channels, channel_mask=source.channel_mask) if loudness else None
    samples, sample_peak, network_input = 0, 0.0, InputMeter()
    mixed: list[np.ndarray] = []
    mixed_samples = 0

    def add(block: np.ndarray) -> None:
        digest.update(np.ascontiguousarray(block).data)
        if meter is not None:
            meter.add(block)

    with WriteBehind(add) as added, WriteBehind(measure) as measured:  # (beside the mono mix)
        for block in read_ahead(decode(source)):
            block_peak = _peak(block)
            if not math.isfinite(block_peak):
                at = (samples + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])) / source.sample_rate
                raise InputError(f"{path}: it has samples that are no numbers (NaN or infinite), first at {at:.3f} s")
            added(block)
            measured(block)
            samples += len(block)
            sample_peak = max(sample_peak, block_peak)
            mixed.append(mono.add(block))
            mixed_samples += len(mixed[-1])
            network_input.add(mixed[-1])
            if mixed_samples > _MAX_MONO:
                mixed = mixed[-1:]  # too much to keep
    mixed.append(mono.flush())
    network_input.add(mixed[-1])
    mixed_samples += len(mixed[-1])
    _check_length(source, samples)
    if sample_peak > LARGEST_PEAK:
        raise InputError(
            f"{path}: its samples go up to {sample_peak:.1g}, full scale is 1 (damaged, or integers read as such?)"
        )
    if sample_peak <= SILENCE:
        raise InputError(f"{path}: it is silent from start to end")
    if network_input.level <= SILENCE:
        raise InputError(f"{path}: {mono.why_silent()}")
    track = Track(
        source,
        samples,
        digest.hexdigest(),
        network_input.level,
        _a_second_at_least(network_input.sounding, mixed_samples),
        sample_peak,
        tuple(mixed) if mixed_samples <= _MAX_MONO else None,
    )
    if meter is not None:
        track.__dict__["loudness_lufs"] = meter.integrated()
    return track


def _check_length(source: AudioFileInfo, samples: int) -> None:
    path, rate = source.path, source.sample_rate
    if samples == 0:
        raise InputError(f"{path}: there is no sound in it (its length is zero)")
    if source.declared_frames is not None and samples < source.declared_frames - source.frame_tolerance:
        actual_s, declared_s = samples / rate, source.declared_frames / rate
        raise InputError(f"{path}: it is truncated ({actual_s:.2f} s of {declared_s:.2f} s are there)")
    if samples < rate:
        milliseconds = 1000 * samples // rate  # (rounded down: "1.00 s" is no reason)
        raise InputError(f"{path}: it lasts {milliseconds / 1000} s, at least one second is needed")


def _a_second_at_least(sounding: tuple[int, int], samples: int) -> tuple[int, int]:
    """Sounding samples [first, end) with so much of the silence around them that the network has enough frames."""
    missing = SAMPLE_RATE - (sounding[1] - sounding[0])
    if missing <= 0:
        return sounding
    first = max(0, min(sounding[0] - missing // 2, samples - SAMPLE_RATE))
    return first, min(samples, first + SAMPLE_RATE)


class _MonoMix:
    """Mean of the channels without clicks, resampled to the rate at which the network listens."""

    def __init__(self, sample_rate: int) -> None:
        same = sample_rate == SAMPLE_RATE
        self._clicks = ClickRemover()
        self._resampler = None if same else soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32")
        self._peak = self._peak_without_clicks = 0.0

    def add(self, block: np.ndarray) -> np.ndarray:
        mono = block[:, 0].copy()
        for channel in range(1, block.shape[1]):
            mono += block[:, channel]
        mono *= np.float32(1 / block.shape[1])
        self._peak = max(self._peak, _peak(mono))
        mono = self._clicks.add(mono)
        self._peak_without_clicks = max(self._peak_without_clicks, _peak(mono))
        return mono if self._resampler is None else self._resampler.resample_chunk(mono)

    def why_silent(self) -> str:
        """Why nothing comes out of a sound that is not silent."""
        if self._peak <= SILENCE:
            return "it is silent when mixed to mono (one channel the other one turned upside down?)"
        if self._peak_without_clicks <= SILENCE:
            return "it is silent, clicks apart"
        return f"all its sound is above {SAMPLE_RATE / 2000:.0f} kHz, where the network hears nothing"

    def flush(self) -> np.ndarray:
        rest = self._clicks.flush()
        self._peak_without_clicks = max(self._peak_without_clicks, _peak(rest))
        return rest if self._resampler is None else self._resampler.resample_chunk(rest, last=True)


def _peak(sound: np.ndarray) -> float:
    """Largest magnitude; 0 where there are no samples."""
    return max(float(sound.max(initial=0.0)), -float(sound.min(initial=0.0)))
