"""Circular padding of spectrograms in time: the last frame is followed by the first one.

Every position of a network sees some seconds around its own frames. At the ends of a sound these are continued by
its other end, not by silence, which is not there. What a stack of layers makes of a circle whose length is a
multiple of the stack's stride is a circle as well, so it is computed only once round. One piece of code serves torch
and NumPy; torch is imported only by who has tensors.

Shapes: spectrograms [batch, frames, bands]; outputs of a stack [batch, channels, positions, ...] (NumPy: [batch,
positions, ...]).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .receptive_field import ReceptiveField

Sound = Any
"""A spectrogram or an output of a stack: torch's tensor or NumPy's array."""
Stack = Callable[[Sound], tuple[Sound, ...]]
"""[batch, frames, bands] -> outputs [batch, channels, positions, ...], each of its own frames only."""


def filling(frames: int, stride: int) -> npt.NDArray[np.int64]:
    """Which of a sound's frames fill it up to a multiple of stride: its last ones in reverse, [0 to stride - 1]."""
    return np.maximum(np.arange(frames - 2, frames - 2 - (-frames % stride), -1), 0)


def circular_frames(frames: int, stride: int, begin: int, end: int) -> npt.NDArray[np.int64]:
    """Which of a sound's frames lie at begin..end-1 when it is repeated for ever: indices [end - begin].

    One turn is the sound filled up to a multiple of stride.
    """
    turn = np.concatenate([np.arange(frames), filling(frames, stride)])
    return turn[np.arange(begin, end) % len(turn)]


@dataclass(frozen=True)
class PaddedSpectrogram:
    """Frames start..start + length - 1 of `sound` [batch, turn, bands] repeated for ever; by default once."""

    sound: Sound
    start: int = 0
    length: int = -1

    def __post_init__(self) -> None:
        if self.length < 0:
            object.__setattr__(self, "length", self.sound.shape[1])

    def materialise(self) -> "PaddedSpectrogram":
        """The same with every repeated frame in the tensor."""
        return PaddedSpectrogram(self._frames(0, self.length))

    def crop(self, spare: int) -> "PaddedSpectrogram":
        """Without `spare` frames, half of them at either end."""
        return PaddedSpectrogram(self.sound, self.start + spare // 2, self.length - spare)

    def apply(self, stack: Stack, *, field: int, stride: int, axis: int = 2) -> tuple[Sound, ...]:
        """Outputs of stack, whose position p (along `axis`) sees `field` frames from p * stride on, and no other."""
        positions = (self.length - field) // stride + 1
        turn, rest = divmod(self.sound.shape[1], stride)
        if positions <= turn or rest:
            return stack(self._frames(0, (positions - 1) * stride + field))
        once = stack(self._frames(0, (turn - 1) * stride + field))
        whole, rest = divmod(positions, turn)
        first = (slice(None),) * axis + (slice(rest),)
        return tuple(_joined([part] * whole + [part[first]] * (rest > 0), axis) for part in once)

    def _frames(self, first: int, count: int) -> Sound:
        """Its frames first..first + count - 1: [batch, count, bands]."""
        at = (self.start + first) % self.sound.shape[1]
        parts = []
        while count > 0:
            parts.append(self.sound[:, at : at + count])
            count -= parts[-1].shape[1]
            at = 0
        return _joined(parts, 1)


def circle_of(spectrogram: Sound, geometry: ReceptiveField) -> PaddedSpectrogram:
    """[batch, frames, bands], each end continued by the other one, as far as the positions of a network see."""
    frames = spectrogram.shape[1]
    begin, end = geometry.frame_range(0, geometry.positions(frames))
    rest = filling(frames, geometry.stride)
    turn = _joined([spectrogram, spectrogram[:, rest]], 1) if len(rest) else spectrogram
    return PaddedSpectrogram(turn, begin, end - begin)


def _joined(parts: Sequence[Sound], axis: int) -> Sound:
    """Parts of one library's arrays, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, axis)
    import torch

    return torch.cat(list(parts), axis)
