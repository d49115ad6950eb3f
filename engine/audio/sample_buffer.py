"""Samples of a recording in memory, at the sample rate and with the channels of the output, readable from any sample.

It fills from its beginning while it is already being played (`load` is run by a thread), so that the first sound does
not wait for the last one to be decoded.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soxr

from ...models.common.errors import InputError
from .decode import AudioFileInfo, decode, probe

_CHUNK = 16384


class SampleBuffer:
    """Samples float32 [samples, channels]; the first `loaded` are there, `length` is None until all are.

    Parameters
    ----------
    source
        The file to load.
    sample_rate
        Of the output in Hz; the file is resampled to it.
    channels
        Of the output: a mono file is repeated on all of them, one channel is the mean of a file's.

    Raises
    ------
    InputError
        For a file with more channels than the output, unless that has one.
    """

    def __init__(self, source: AudioFileInfo, *, sample_rate: int, channels: int) -> None:
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
        """A loaded buffer of samples float32 [samples, channels]; sample_rate in Hz."""
        source = AudioFileInfo(Path("array"), "", "", "", sample_rate, samples.shape[1], len(samples))
        sound = cls(source, sample_rate=sample_rate, channels=samples.shape[1])
        for start in range(0, len(samples), _CHUNK):
            sound._append(samples[start : start + _CHUNK])
        sound.length = len(samples)
        return sound

    @classmethod
    def from_file(cls, path: Path, *, sample_rate: int | None = None, channels: int | None = None) -> "SampleBuffer":
        """An empty buffer for a file, with its own rate and channels unless others are named. Raises InputError."""
        source = probe(path)
        return cls(source, sample_rate=sample_rate or source.sample_rate, channels=channels or source.channels)

    @classmethod
    def unreadable(cls, path: Path, error: InputError, *, sample_rate: int, channels: int) -> "SampleBuffer":
        """A buffer without samples for a file that cannot be played any more, and why."""
        sound = cls(
            AudioFileInfo(path, "", "", "", sample_rate, channels, 0), sample_rate=sample_rate, channels=channels
        )
        sound.length, sound.error = 0, error
        return sound

    @property
    def expected_duration_s(self) -> float | None:
        """Length in seconds, or as long as the file declares to be; None where it declares nothing."""
        if self.length is not None:
            return self.length / self.sample_rate
        promised = self.source.declared_frames
        return None if promised is None else promised / self.source.sample_rate

    def load(self, rest: Callable[[], None] = lambda: None) -> None:
        """Decode the whole file, calling `rest` after each third of a second."""
        for _ in self.load_steps():
            rest()

    def load_steps(self) -> Iterator[None]:
        """Decode the whole file, a third of a second with each step.

        An error ends the loading; it is put into `error`, and `length` is what was loaded before it.
        """
        if self.error is not None:
            return
        try:
            resampler = None
            if self.source.sample_rate != self.sample_rate:
                resampler = soxr.ResampleStream(
                    self.source.sample_rate, self.sample_rate, self.channels, dtype="float32", quality="VHQ"
                )
            pending = np.zeros((0, self.channels), dtype=np.float32)
            for block in decode(self.source, block_length=_CHUNK):
                if self._closed:
                    return
                fitted = self._fitted(block)
                if resampler is not None:
                    fitted = resampler.resample_chunk(fitted)
                pending = np.concatenate((pending, fitted))
                while len(pending) >= _CHUNK:
                    self._append(pending[:_CHUNK])
                    pending = pending[_CHUNK:]
                yield
            if resampler is not None:
                pending = np.concatenate((pending, resampler.resample_chunk(self._fitted(block[:0]), last=True)))
            for start in range(0, len(pending), _CHUNK):
                self._append(pending[start : start + _CHUNK])
        except InputError as error:
            self.error = error
        except Exception as error:  # (memory that is full, a fault of a decoder: what waits for its end goes on)
            words = str(error) or type(error).__name__
            self.error = InputError(f"{self.source.path}: cannot be decoded to its end ({words})")
        self.length = self.loaded

    def close(self) -> None:
        """Stop loading."""
        self._closed = True

    def is_loaded(self, start: int, stop: int) -> bool:
        """Whether the samples start..stop are loaded (those outside of the recording count as loaded)."""
        return self.length is not None or stop <= self.loaded or start >= stop

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples float32 [stop - start, channels], silence outside of the recording."""
        output = np.zeros((stop - start, self.channels), dtype=np.float32)
        first, last = max(start, 0), min(stop, self.loaded)
        position = first
        while position < last:
            chunk, offset = divmod(position, _CHUNK)
            part = self._chunks[chunk][offset : offset + last - position]
            output[position - start : position - start + len(part)] = part
            position += len(part)
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
