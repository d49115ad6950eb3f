"""The block processor: short-time spectrum, gain, overlap-add, on the track's own rate and channels.

Frames are 43 to 64 ms long with 75 % overlap under a sine window at both ends, so that frames of unity gain
add up to the input. Frame j is centred on sample j * hop_length of the track. All channels share the gain.

Fader values are read on that grid of frames and move along ramps in time: the output for a given track and
fader history is the same, sample for sample, however the sound is cut into blocks. Where all frames that
reach a sample have their faders at zero, the sample itself is passed on.
"""

import math
from itertools import pairwise

import numpy as np
import torch

from .faders import Faders
from .framing import OVERLAP, RAMP_S, frame_length
from .gains import SpectralGains, segment_gain_db

__all__ = ["RAMP_S", "Mixer", "frame_length"]

_BATCH = 256  # frames at a time: keeps the working set small


class Mixer:
    """Steers the segments of one track. Push samples in with `process`, end with `flush`.

    `latency` samples have to be pushed before the first comes out; whoever plays live reads that far ahead of
    what is heard. New faders are heard from the next sample that comes out.
    """

    def __init__(
        self,
        labels: np.ndarray,
        mask_weights: np.ndarray,
        *,
        sample_rate: int,
        channels: int,
        start: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        """labels are int [frames, bands], mask_weights float [segments, 7] in -1..1.

        `start` is the position in the track of the first sample that will be pushed, a multiple of
        hop_length; from n_fft samples after it on the output is that of a mixer which heard the track from
        its beginning.
        """
        self.n_fft = frame_length(sample_rate)
        self.hop_length = self.n_fft // OVERLAP
        self.latency = self.n_fft
        if start % self.hop_length:
            raise ValueError(f"start must be a multiple of {self.hop_length} samples, not {start}")
        self._device = torch.device(device)
        self._mask_weights = np.ascontiguousarray(mask_weights, dtype=np.float32)
        self._gains = SpectralGains(
            labels, sample_rate=sample_rate, n_fft=self.n_fft, hop_length=self.hop_length, device=device
        )
        window = torch.sin((torch.arange(self.n_fft, dtype=torch.float64) + 0.5) * (math.pi / self.n_fft))
        self._window = window.float().to(self._device)
        self._synthesis = (window * (2 / OVERLAP)).float().to(self._device)
        self._history = _FaderHistory(round(RAMP_S * sample_rate))
        self._segments: tuple[bytes, torch.Tensor] = (b"", torch.empty(0))

        before = self.n_fft - self.hop_length  # silence before the first sample, not given out
        self._frame = start // self.hop_length - 1  # the first frame is centred one hop before `start`
        self._pushed = start
        self._given = start - before
        self._start = start
        self._input = np.zeros((channels, before), dtype=np.float32)
        self._sum = np.zeros((channels, OVERLAP - 1, self.hop_length), dtype=np.float32)
        self._touched = np.zeros(OVERLAP - 1, dtype=bool)  # the last frames that were not neutral

    def process(self, block: np.ndarray, faders: Faders) -> tuple[np.ndarray, np.ndarray]:
        """Push `block` float32 [n, channels] with these faders; give what is ready.

        Returns samples float32 [m, channels] and bool [m]: False where they are the input's own.
        """
        self._history.set(self._pushed, faders.array().astype(np.float64))
        self._pushed += len(block)
        return self._advance(block)

    def flush(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the rest; the output is then as long as the input, and the mixer is spent."""
        end = self._pushed
        if end == self._start:
            return np.zeros((0, len(self._input)), dtype=np.float32), np.zeros(0, dtype=bool)
        silence = np.zeros((self.n_fft, self._input.shape[0]), dtype=np.float32)
        left = end - max(self._given, self._start)
        samples, touched = self._advance(silence)
        return samples[:left], touched[:left]

    def _advance(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self._input = np.concatenate((self._input, block.T), axis=1)
        samples, touched = [], []
        while (count := (self._input.shape[1] - self.n_fft) // self.hop_length + 1) > 0:
            chunks, were_touched = self._frames(min(count, _BATCH))
            samples.append(chunks.reshape(len(chunks), -1).T)
            touched.append(np.repeat(were_touched, self.hop_length))
        if not samples:
            return np.zeros((0, len(self._input)), dtype=np.float32), np.zeros(0, dtype=bool)
        skipped = max(0, self._start - self._given)
        output, flags = np.concatenate(samples), np.concatenate(touched)
        self._given += len(output)
        return np.ascontiguousarray(output[skipped:]), flags[skipped:]

    def _frames(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Work on the next `count` frames: output [channels, count, hop_length] and which chunks are touched."""
        hop = self.hop_length
        length = (count - 1) * hop + self.n_fft
        heard = torch.from_numpy(self._input[:, :length]).to(self._device)
        frames = heard.unfold(1, self.n_fft, hop) * self._window  # [channels, count, n_fft]
        # A frame takes the faders of the time when its last sample came in: they act as early as they can.
        ends = (self._frame + np.arange(count) + OVERLAP // 2) * hop
        faders_db = self._history.at(ends)
        neutral = (faders_db == 0).all(axis=1)
        for first, last in _runs(faders_db):
            if not neutral[first]:
                self._apply(frames[:, first:last], self._frame + first, faders_db[first])
        frames *= self._synthesis
        parts = frames.cpu().numpy().reshape(len(heard), count, OVERLAP, hop)

        output = np.zeros((len(heard), count + OVERLAP - 1, hop), dtype=np.float32)
        output[:, : OVERLAP - 1] = self._sum
        for part in reversed(range(OVERLAP)):  # the oldest frame first, whatever the batch
            output[:, part : part + count] += parts[:, :, part]
        self._sum = output[:, count:].copy()

        touched = np.concatenate((self._touched, ~neutral))
        self._touched = touched[count:]
        chunk_touched = np.array([touched[at : at + OVERLAP].any() for at in range(count)])
        output = output[:, :count]
        output[:, ~chunk_touched] = self._input[:, : count * hop].reshape(-1, count, hop)[:, ~chunk_touched]
        self._input = self._input[:, count * hop :]
        self._frame += count
        return output, chunk_touched

    def _apply(self, frames: torch.Tensor, first: int, faders_db: np.ndarray) -> None:
        """Multiply the spectra of `frames` [channels, count, n_fft] by their gains, in place."""
        key = faders_db.tobytes()
        if key != self._segments[0]:
            gains_db = segment_gain_db(self._mask_weights, faders_db)
            self._segments = key, torch.from_numpy(gains_db).to(self._device)
        spectra = torch.fft.rfft(frames)
        gains = self._gains.gain(first, frames.shape[1], self._segments[1])
        torch.view_as_real(spectra).mul_(gains[:, :, None])
        frames.copy_(torch.fft.irfft(spectra, n=self.n_fft))


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """Where equal rows follow each other, as (first, one past the last)."""
    edges = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    bounds = [0, *edges.tolist(), len(rows)]
    return list(pairwise(bounds))


class _FaderHistory:
    """Where the faders are at each sample position: ramps from value to value, the first one without."""

    def __init__(self, ramp_samples: int) -> None:
        self._ramp = ramp_samples
        self._segments: list[tuple[int, np.ndarray, np.ndarray]] = []  # position, from, to

    def set(self, position: int, target: np.ndarray) -> None:
        if not self._segments:
            self._segments = [(position - self._ramp, target, target)]
        elif (target != self._segments[-1][2]).any():
            reached = self.at(np.array([position]))[0]
            self._segments.append((position, reached, target))

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Values [len(positions), 7] at ascending positions; forgets what lies before the first of them."""
        starts = np.array([segment[0] for segment in self._segments])
        which = np.maximum(np.searchsorted(starts, positions, side="right") - 1, 0)
        self._segments = self._segments[which[0] :]
        which -= which[0]
        start, source, target = (np.array(column) for column in zip(*self._segments, strict=True))
        way = np.clip((positions - start[which]) / self._ramp, 0, 1)[:, None]
        return np.where(way < 1, source[which] + (target - source)[which] * way, target[which])
