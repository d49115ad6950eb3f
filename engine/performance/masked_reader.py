"""One reading of a track from a position on, steered: the live form of the mixer, frame by frame and without torch.

The arithmetic is that of mixer.py (same frames, windows, gains), but it reads the track where it needs it, so nothing
has to be pushed ahead: a voice can begin at any sample, and what it gives is there at once. One step is one hop.
Where the faders move, it fades over from all of its frames under the old values to all of them under the new ones.
"""

import math
from typing import Final

import numpy as np

from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ..audio.sample_buffer import SampleBuffer
from ..dsp.band_gains import band_interpolation, segment_gain_db
from ..dsp.stft import OVERLAP, frame_length, linear_fade


class SegmentMask:
    """Where the segments of a track lie: labels int [frames, bands], mask_weights float [segments, 7] in -1..1."""

    def __init__(self, labels: np.ndarray, mask_weights: np.ndarray, *, sample_rate: int) -> None:
        self._labels = np.ascontiguousarray(labels, dtype=np.int32)
        self._mask_weights = np.ascontiguousarray(mask_weights, dtype=np.float32)
        self._frame_rate = (SAMPLE_RATE, sample_rate * HOP_LENGTH)
        n_fft = frame_length(sample_rate)
        self._band, fraction = band_interpolation(np.arange(n_fft // 2 + 1) * (sample_rate / n_fft))
        self._band_fraction = fraction.astype(np.float32)
        self._known: tuple[bytes, np.ndarray] = (b"", np.zeros(0, dtype=np.float32))

    def gains(self, centres: np.ndarray, faders_db: np.ndarray) -> np.ndarray:
        """Linear gains float32 [frames, n_fft // 2 + 1] of frames centred on those samples; faders_db is [7]."""
        if faders_db.tobytes() != self._known[0]:
            self._known = faders_db.tobytes(), segment_gain_db(self._mask_weights, faders_db)
        step, unit = self._frame_rate
        frames, rest = np.divmod(centres * step, unit)
        rows = (frames[:, None] + np.arange(-1, 3)).clip(0, len(self._labels) - 1)
        decibels = self._known[1][self._labels[rows]]  # [frames, 4, bands]
        padded = np.concatenate((decibels[:, :, :1], decibels, decibels[:, :, -1:]), axis=2)
        decibels = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
        smooth = (decibels[:, :-2] + 2 * decibels[:, 1:-1] + decibels[:, 2:]) / 4
        below, above = smooth[:, 0], smooth[:, 1]
        decibels = below + (above - below) * (rest / unit).astype(np.float32)[:, None]
        slope = decibels[:, 1:] - decibels[:, :-1]
        bins = decibels[:, self._band] + slope[:, self._band] * self._band_fraction
        return np.asarray(np.exp(bins * np.float32(math.log(10) / 20)))


class MaskedReader:
    """Reads `sound` from sample `position` on."""

    def __init__(self, sound: SampleBuffer, position: int) -> None:
        self.sound = sound
        self.position = position
        """The sample of the track that the next step begins with."""
        self.n_fft = frame_length(sound.sample_rate)
        self.hop_length = self.n_fft // OVERLAP
        window = np.sin((np.arange(self.n_fft) + 0.5) * (math.pi / self.n_fft))
        self._analysis = window.astype(np.float32)
        self._synthesis = (window * (2 / OVERLAP)).astype(np.float32)
        self._rise = linear_fade(self.hop_length)[:, None]
        self._steering: _MaskState | None = None
        self._sum: np.ndarray | None = None
        """What the frames before the next one add to it, under the steering so far: [channels, n_fft]."""
        self._spectra: dict[int, np.ndarray] = {}
        """Of the frames that reach the next hop, by the sample they begin at: complex64 [channels, bins]."""
        self.spectrum: np.ndarray | None = None
        """Of the newest frame as it was before: complex64 [bins, channels]; None if the frame was not touched."""
        self.gain: np.ndarray | None = None
        """What it was multiplied by: float32 [bins]."""

    def step(self, map: SegmentMask | None, faders_db: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """The next hop: (steered, original), both float32 [hop_length, channels], and whether they differ.

        faders_db [7] is where the faders stand at the end of it. Without a map nothing is known: no gain.
        """
        new = _MaskState(map, faders_db) if map is not None and faders_db.any() else _NEUTRAL
        old = new if self._steering is None else self._steering
        self._steering = new
        dry = self.sound.read(self.position, self.position + self.hop_length)
        self.spectrum = self.gain = None
        wet = self._under(old, dry)
        if not new.same(old):
            self._sum = None
            wet = wet + (self._under(new, dry) - wet) * self._rise
        self.position += self.hop_length
        return wet, dry, old is not _NEUTRAL or new is not _NEUTRAL

    def _under(self, steering: "_MaskState", dry: np.ndarray) -> np.ndarray:
        """The next hop under one steering, as if it had stood so for a frame at least."""
        if steering.map is None:
            self._sum, self.spectrum, self.gain = None, None, None
            return dry
        if self._sum is None:
            past = np.arange(OVERLAP - 1, -1, -1) * self.hop_length  # the oldest first
            self._sum = np.zeros((self.sound.channels, self.n_fft), dtype=np.float32)
        else:
            past = np.zeros(1, dtype=int)
        for gone, frame in zip(past, self._frames(self.position - past, steering), strict=True):
            self._sum[:, : self.n_fft - gone] += frame[:, gone:]
        hop = self._sum[:, : self.hop_length].T
        self._sum = np.concatenate((self._sum[:, self.hop_length :], np.zeros_like(hop.T)), axis=1)
        return np.ascontiguousarray(hop)

    def _frames(self, starts: np.ndarray, steering: "_MaskState") -> np.ndarray:
        """Frames float32 [frames, channels, n_fft] windowed, under their gains, and windowed again."""
        assert steering.map is not None
        spectra = np.stack([self._spectrum(int(start)) for start in starts])
        gains = steering.map.gains(starts + self.n_fft // 2, steering.faders_db)
        self.spectrum, self.gain = spectra[-1].T, gains[-1]
        heard = np.fft.irfft(spectra * gains[:, None], n=self.n_fft)
        return np.asarray(heard * self._synthesis)

    def _spectrum(self, start: int) -> np.ndarray:
        if start not in self._spectra:
            samples = np.ascontiguousarray(self.sound.read(start, start + self.n_fft).T)
            self._spectra[start] = np.fft.rfft(samples * self._analysis)
            for old in [old for old in self._spectra if old <= self.position - OVERLAP * self.hop_length]:
                del self._spectra[old]
        return self._spectra[start]


class _MaskState:
    """By which map a voice is steered, and where the faders [7] stand; without a map: not at all."""

    def __init__(self, map: SegmentMask | None, faders_db: np.ndarray) -> None:
        self.map, self.faders_db = map, faders_db

    def same(self, other: "_MaskState") -> bool:
        return self.map is other.map and bool((self.faders_db == other.faders_db).all())


_NEUTRAL: Final = _MaskState(None, np.zeros(1))
