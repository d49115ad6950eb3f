"""A recording in memory, at the rate and with the channels that are played, to be read from any sample on.

It fills from its beginning while it is already being played (`load` is run by a thread), so that the first sound does
not wait for the last one to be decoded.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soxr

from ...models.common.errors import InputError
from .decode import AudioFileInfo, decode, probe

_CHUNK = 16384


class SampleBuffer:
    """Samples float32 [samples, channels]; `ready` of them are there, `length` is None until all are."""

    def __init__(self, source: AudioFileInfo, *, sample_rate: int, channels: int) -> None:
        """Resampled to `sample_rate` in Hz; a mono recording is given to all channels.

        Raises InputError for a recording with more channels than are played, unless one is: that is their mean.
        """
        self.source = source
        self.sample_rate = sample_rate
        self.channels = channels
        if source.channels > channels > 1:
            raise InputError(
                f"{source.path}: it has {source.channels} channels, {channels} are played (--channels says how many)"
            )
        self.loaded = 0
        self.length: int | None = None
        self.error: InputError | None = None
        self._chunks: list[np.ndarray] = []
        self._closed = False

    @classmethod
    def from_array(cls, samples: np.ndarray, *, sample_rate: int) -> "SampleBuffer":
        """One that is there already: samples float32 [samples, channels]."""
        source = AudioFileInfo(Path("array"), "", "", "", sample_rate, samples.shape[1], len(samples))
        sound = cls(source, sample_rate=sample_rate, channels=samples.shape[1])
        for start in range(0, len(samples), _CHUNK):
            sound._append(samples[start : start + _CHUNK])
        sound.length = len(samples)
        return sound

    @classmethod
    def from_file(cls, path: Path, *, sample_rate: int | None = None, channels: int | None = None) -> "SampleBuffer":
        """Of a file, not loaded yet; its own rate and channels unless others are named. Raises InputError."""
        source = probe(path)
        return cls(source, sample_rate=sample_rate or source.sample_rate, channels=channels or source.channels)

    @property
    def expected_duration_s(self) -> float | None:
        """How long it is in seconds, or will be as far as its file says."""
        if self.length is not None:
            return self.length / self.sample_rate
        promised = self.source.declared_frames
        return None if promised is None else promised / self.source.sample_rate

    def load(self, rest: Callable[[], None] = lambda: None) -> None:
        """Decode all of it, calling `rest` after every third of a second.

        What is wrong with the file is kept in `error`, and the sound ends there.
        """
        try:
            resampler = None
            if self.source.sample_rate != self.sample_rate:
                resampler = soxr.ResampleStream(
                    self.source.sample_rate, self.sample_rate, self.channels, dtype="float32", quality="VHQ"
                )
            left = np.zeros((0, self.channels), dtype=np.float32)
            for block in decode(self.source, block_length=_CHUNK):
                if self._closed:
                    return
                fitted = self._fitted(block)
                if resampler is not None:
                    fitted = resampler.resample_chunk(fitted)
                left = np.concatenate((left, fitted))
                while len(left) >= _CHUNK:
                    self._append(left[:_CHUNK])
                    left = left[_CHUNK:]
                rest()
            if resampler is not None:
                left = np.concatenate((left, resampler.resample_chunk(self._fitted(block[:0]), last=True)))
            for start in range(0, len(left), _CHUNK):
                self._append(left[start : start + _CHUNK])
        except InputError as error:
            self.error = error
        self.length = self.loaded

    def close(self) -> None:
        """Stop loading."""
        self._closed = True

    def is_loaded(self, start: int, stop: int) -> bool:
        """Whether the samples start..stop can be read now (those outside of the recording always can)."""
        return self.length is not None or stop <= self.loaded or start >= stop

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples float32 [stop - start, channels], silence outside of the recording."""
        output = np.zeros((stop - start, self.channels), dtype=np.float32)
        first, last = max(start, 0), min(stop, self.loaded)
        at = first
        while at < last:
            chunk, offset = divmod(at, _CHUNK)
            part = self._chunks[chunk][offset : offset + last - at]
            output[at - start : at - start + len(part)] = part
            at += len(part)
        return output

    def _append(self, chunk: np.ndarray) -> None:
        self._chunks.append(np.ascontiguousarray(chunk, dtype=np.float32))
        self.loaded += len(chunk)

    def _fitted(self, block: np.ndarray) -> np.ndarray:
        """The block with as many channels as are played."""
        if block.shape[1] == self.channels:
            return block
        if self.channels == 1:
            return np.asarray(block.mean(axis=1, dtype=np.float32)[:, None])
        if block.shape[1] == 1:
            return np.repeat(block, self.channels, axis=1)
        silent = np.zeros((len(block), self.channels - block.shape[1]), dtype=np.float32)
        return np.concatenate((block, silent), axis=1)
