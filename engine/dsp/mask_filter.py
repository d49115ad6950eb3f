"""The block processor: short-time spectrum, gain, overlap-add, on the track's own rate and channels.

Frames are 43 to 64 ms long with 75 % overlap under a sine window at both ends, so that frames of unity gain
add up to the input. Frame j is centred on sample j * hop_length of the track. All channels share the gain.

Fader values are read on that grid of frames and move along ramps in time: each hop fades over from what all frames
give under the values at its beginning to what they give under those at its end. So the sound follows a fader at
once, not with the delay of a frame, and the output for a given track and fader history is the same, sample for
sample, however the sound is cut into blocks. Where the faders are at zero, the sample itself is passed on.
"""

import math
from itertools import pairwise

import numpy as np
import torch

from .band_gains import segment_gain_db
from .faders import Faders
from .segment_mask import SegmentMaskTorch
from .stft import OVERLAP, RAMP_S, frame_length, linear_fade

__all__ = ["RAMP_S", "StftMaskFilter", "frame_length"]

_BATCH = 256  # frames at a time: keeps the working set small


class StftMaskFilter:
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
        self._gains = SegmentMaskTorch(
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
        # From the beginning of the oldest frame that reaches the next hop on
        self._input = np.zeros((channels, before + (OVERLAP - 1) * self.hop_length), dtype=np.float32)
        self._sum = np.zeros((channels, OVERLAP - 1, self.hop_length), dtype=np.float32)
        self._faders_db: np.ndarray | None = None  # [7], at the end of the last hop
        self._rise = linear_fade(self.hop_length)

    def process(self, block: np.ndarray, faders: Faders) -> tuple[np.ndarray, np.ndarray]:
        """Push `block` float32 [n, channels] with these faders; give what is ready.

        Returns samples float32 [m, channels] and bool [m]: False where they are the input's own.
        """
        self._history.set(self._pushed, faders.to_array().astype(np.float64))
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
        while (count := (self._input.shape[1] - self.n_fft) // self.hop_length + 2 - OVERLAP) > 0:
            chunks, were_touched = self._hops(min(count, _BATCH))
            samples.append(chunks.reshape(len(chunks), -1).T)
            touched.append(np.repeat(were_touched, self.hop_length))
        if not samples:
            return np.zeros((0, len(self._input)), dtype=np.float32), np.zeros(0, dtype=bool)
        skipped = max(0, self._start - self._given)
        output, flags = np.concatenate(samples), np.concatenate(touched)
        self._given += len(output)
        return np.ascontiguousarray(output[skipped:]), flags[skipped:]

    def _hops(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The next hops: output [channels, count, hop_length], and which of them are touched."""
        # A hop ends under the faders of the time when the last sample of its newest frame came in.
        ends = (self._frame + np.arange(count) + OVERLAP // 2) * self.hop_length
        faders_db = self._history.at(ends)
        if self._faders_db is None:
            self._faders_db = faders_db[0]
        stands = np.concatenate((self._faders_db[None], faders_db))
        output = np.empty((len(self._input), count, self.hop_length), dtype=np.float32)
        fading: np.ndarray | None = None  # the first hop of a run as it would be under the faders of the one before
        for first, last in _runs(stands):
            begin, end = max(first - 1, 0), min(last, count)  # hops; the last one fades over to the next run
            hops = self._under(stands[first], begin, end, goes_on=first == 0)
            if fading is not None:
                hops[:, 0] = fading + (hops[:, 0] - fading) * self._rise
            fading = hops[:, -1].copy()
            output[:, begin:end] = hops
        self._faders_db = faders_db[-1]
        self._input = self._input[:, count * self.hop_length :]
        self._frame += count
        moved = (stands != 0).any(axis=1)
        return output, moved[1:] | moved[:-1]

    def _under(self, faders_db: np.ndarray, begin: int, end: int, *, goes_on: bool) -> np.ndarray:
        """Hops begin..end-1 as if the faders had stood so all the time: [channels, end - begin, hop_length].

        goes_on: they did when the last hops were made, so that what these left over (`_sum`) is what the frames
        before would give.
        """
        hop, before = self.hop_length, OVERLAP - 1
        if not faders_db.any():
            own = self._input[:, (begin + before) * hop : (end + before) * hop]
            return own.reshape(len(own), end - begin, hop).copy()
        first = begin if goes_on else begin - before  # frames, counted like the hops that they begin with
        heard = torch.from_numpy(self._input[:, (first + before) * hop : (end + before - 1) * hop + self.n_fft])
        frames = heard.to(self._device).unfold(1, self.n_fft, hop) * self._window  # [channels, count, n_fft]
        self._apply(frames, self._frame + first, faders_db)
        frames *= self._synthesis
        count = end - first
        parts = frames.cpu().numpy().reshape(len(heard), count, OVERLAP, hop)
        output = np.zeros((len(heard), count + before, hop), dtype=np.float32)
        if goes_on:
            output[:, :before] = self._sum
        for part in reversed(range(OVERLAP)):  # the oldest frame first, whatever the batch
            output[:, part : part + count] += parts[:, :, part]
        self._sum = output[:, count:].copy()
        return output[:, begin - first : count]

    def _apply(self, frames: torch.Tensor, first: int, faders_db: np.ndarray) -> None:
        """Multiply the spectra of `frames` [channels, count, n_fft] by their gains, in place."""
        key = faders_db.tobytes()
        if key != self._segments[0]:
            gains_db = segment_gain_db(self._mask_weights, faders_db)
            self._segments = key, torch.from_numpy(gains_db).to(self._device)
        spectra = torch.fft.rfft(frames)
        gains = self._gains.frame_gains(first, frames.shape[1], self._segments[1])
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
