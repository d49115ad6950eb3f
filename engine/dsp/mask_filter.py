"""The mask filter: short-time spectrum, gain, overlap-add, on the track's own rate and channels.

Frames are 43 to 64 ms long with 75 % overlap under a sine window at analysis and synthesis, so that frames of unity
gain add up to the input. All channels share the gain. One piece of code renders, replays and plays: it reads a source
of samples from any position on, so nothing has to be pushed ahead, and what it gives is there at once.

Where the faders move, one hop fades from what all frames give under the old values to what they give under the new
ones. So the sound follows a fader at once, not with the delay of a frame. Where the faders are at zero, the sample
itself is passed on.
"""

import math
from typing import Any, Final, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...models.common.constants import MIDLEVEL
from .segment_mask import SegmentMask
from .stft import OVERLAP, frame_length, linear_fade

_BATCH: Final = 64  # frames at a time: keeps the working set within a cache


class SampleSource(Protocol):
    """Samples that can be read from any position, silence outside of them."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    @property
    def channels(self) -> int:
        """Number of channels."""
        ...

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples float32 [stop - start, channels]."""


class MaskFilter:
    """Reads `source` from sample `position` on, under a mask and faders that are given hop by hop."""

    def __init__(self, source: SampleSource, position: int) -> None:
        self.source = source
        self.position = position
        """The sample of the track that the next hop begins with."""
        self.n_fft = frame_length(source.sample_rate)
        self.hop_length = self.n_fft // OVERLAP
        window = np.sin((np.arange(self.n_fft) + 0.5) * (math.pi / self.n_fft))
        self._analysis_window = window.astype(np.float32)
        self._synthesis_window = (window * (2 / OVERLAP)).astype(np.float32)
        self._fade = linear_fade(self.hop_length)[:, None]
        self._state: _MaskState | None = None
        self._overlap: np.ndarray | None = None
        """What earlier frames add to the next hops: float32 [OVERLAP - 1, channels, hop_length]."""
        self._spectra: dict[int, np.ndarray] = {}
        """Spectra of the frames that reach the next hop, by their first sample: complex64 [channels, bins]."""
        self.spectrum: np.ndarray | None = None
        """Of the newest frame, before the gain: complex64 [bins, channels]; None where no gain was applied."""
        self.gain: np.ndarray | None = None
        """The gain of the newest frame: float32 [bins]."""

    def step(self, mask: SegmentMask | None, faders_db: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """The next hop.

        Parameters
        ----------
        mask : the track's segments; None: not analysed yet, no gain
        faders_db : float [7], where the faders are at the end of the hop

        Returns
        -------
        steered, original : float32 [hop_length, channels]
        processed : whether they may differ
        """
        dry = self.source.read(self.position, self.position + self.hop_length)
        old, new = self._states(mask, faders_db)
        wet = self._first_hop(old, new, dry)
        return wet, dry, old is not _NEUTRAL or new is not _NEUTRAL

    def steps(self, mask: SegmentMask, faders_db: np.ndarray, hops: int) -> tuple[np.ndarray, np.ndarray]:
        """Several hops in one batch, the faders being at `faders_db` at the end of the first and of all that follow.

        Returns the same samples as so many calls of `step`, steered float32 [hops * hop_length, channels], and
        whether each hop may differ from the original, bool [hops].
        """
        old, new = self._states(mask, faders_db)
        processed = np.full(hops, new is not _NEUTRAL)
        parts = []
        if not new.equals(old):
            processed[0] = True
            parts.append(self._first_hop(old, new, self.source.read(self.position, self.position + self.hop_length)))
            hops -= 1
        while hops > 0:
            count = min(hops, _BATCH)
            parts.append(self._filtered(new, count))
            self.position += count * self.hop_length
            hops -= count
        return np.concatenate(parts), processed

    def _states(self, mask: SegmentMask | None, faders_db: np.ndarray) -> tuple["_MaskState", "_MaskState"]:
        """The state at the beginning of the next hop and at its end."""
        new = _MaskState(mask, faders_db) if mask is not None and faders_db.any() else _NEUTRAL
        old = new if self._state is None else self._state
        self._state = new
        self.spectrum = self.gain = None
        return old, new

    def _first_hop(self, old: "_MaskState", new: "_MaskState", dry: np.ndarray) -> np.ndarray:
        """The next hop, faded from the old state to the new one."""
        wet = self._filtered(old, 1, dry)
        if not new.equals(old):
            self._overlap = None
            wet = wet + (self._filtered(new, 1, dry) - wet) * self._fade
        self.position += self.hop_length
        return wet

    def _filtered(self, state: "_MaskState", hops: int, dry: np.ndarray | None = None) -> np.ndarray:
        """The next hops under one state, as if it had lasted for a frame at least."""
        if state.mask is None:
            self._overlap, self.spectrum, self.gain = None, None, None
            return self.source.read(self.position, self.position + hops * self.hop_length) if dry is None else dry
        before = OVERLAP - 1
        first = 0 if self._overlap is not None else -before  # frames, counted like the hops that they begin with
        starts = self.position + np.arange(first, hops) * self.hop_length
        frames = self._masked_frames(starts, state)
        count, channels, _ = frames.shape
        parts = frames.reshape(count, channels, OVERLAP, self.hop_length)
        output = np.zeros((count + before, channels, self.hop_length), dtype=np.float32)
        if self._overlap is not None:
            output[:before] = self._overlap
        for part in reversed(range(OVERLAP)):  # the oldest frame first, whatever the batch
            output[part : part + count] += parts[:, :, part]
        self._overlap = output[count:].copy()
        return np.ascontiguousarray(output[-first:count].transpose(0, 2, 1)).reshape(-1, channels)

    def _masked_frames(self, starts: np.ndarray, state: "_MaskState") -> np.ndarray:
        """Frames float32 [frames, channels, n_fft]: windowed, transformed, multiplied by their gains, and back."""
        assert state.mask is not None
        backend = state.mask.backend
        spectra = self._frame_spectra(starts, state.mask)  # [frames, channels, bins]
        gains = state.mask.frame_gains(starts + self.n_fft // 2, state.faders_db)
        if len(starts) <= OVERLAP:  # (playing live: what the loudness match and the meters look at)
            self.spectrum, self.gain = backend.to_host(spectra[-1]).T, backend.to_host(gains[-1])
        frames = backend.to_host(backend.fft.irfft(spectra * gains[:, None], self.n_fft))
        return np.asarray(frames * self._synthesis_window)

    def _frame_spectra(self, starts: np.ndarray, mask: SegmentMask) -> Any:  # noqa: ANN401
        if len(starts) > OVERLAP:
            self._spectra.clear()
            samples = self.source.read(int(starts[0]), int(starts[-1]) + self.n_fft)
            # (each channel's samples together: the windows are then copied at full speed)
            windows = sliding_window_view(np.ascontiguousarray(samples.T), self.n_fft, axis=1)[:, :: self.hop_length]
            windowed = np.empty((windows.shape[1], windows.shape[0], self.n_fft), np.float32)
            np.multiply(windows.transpose(1, 0, 2), self._analysis_window, out=windowed)
            return mask.backend.fft.rfft(mask.backend.to_device(windowed))
        for start in starts.tolist():
            if start not in self._spectra:
                samples = np.ascontiguousarray(self.source.read(start, start + self.n_fft).T)
                windowed = mask.backend.to_device(samples * self._analysis_window)
                self._spectra[start] = mask.backend.to_host(mask.backend.fft.rfft(windowed))
        for old in [old for old in self._spectra if old <= self.position - OVERLAP * self.hop_length]:
            del self._spectra[old]
        return mask.backend.to_device(np.stack([self._spectra[start] for start in starts.tolist()]))


class _MaskState:
    """A mask, and where the faders [7] are; without a mask: no gain."""

    def __init__(self, mask: SegmentMask | None, faders_db: np.ndarray) -> None:
        self.mask, self.faders_db = mask, faders_db

    def equals(self, other: "_MaskState") -> bool:
        return self.mask is other.mask and bool((self.faders_db == other.faders_db).all())


_NEUTRAL: Final = _MaskState(None, np.zeros(1))


def warm_up(mask: SegmentMask, *, sample_rate: int) -> None:
    """Use a mask once, beside the sound, so that the first move of a fader costs no more than the others.

    Its tables are in memory then.
    """
    mask_filter = MaskFilter(_Silence(sample_rate), 0)
    for faders_db in (np.zeros(len(MIDLEVEL), np.float32), np.ones(len(MIDLEVEL), np.float32)):
        mask_filter.step(mask, faders_db)


class _Silence:
    """A source of silence in one channel."""

    channels: Final = 1

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.zeros((stop - start, 1), dtype=np.float32)
