"""The branches for pitch classes, chords and keys in NumPy; `network/pitch_class_branch.py` says what they are."""

import numpy as np

from ..common.arrays import FloatArray
from ..network.padding import PaddedSpectrogram
from ..signal.pitch_classes import FIELD, OCTAVES, STRIDE, octave_fold
from .layers import apply_circular, circular_weight, convolve, moving_mean, relu
from .weights import FoldedWeights

_SHORT, _LONG, _BOTH = 12, 28, 4  # as in network/key_change_branch.py
_SLOW = 12  # as in network/key_branch.py


class _PitchClasses:
    """The layers that branches for keys share."""

    def __init__(self, weights: FoldedWeights, name: str) -> None:
        fold = octave_fold()
        used = np.flatnonzero(fold.any(axis=1))
        self._bands = slice(int(used[0]), int(used[-1]) + 1)
        self._fold = fold[self._bands]
        weight, bias = weights.convolution(f"{name}.first")
        self._first = weight, bias + weights.place_bias(f"{name}.first.2")
        mix, self._mix_bias = weights.by_output(f"{name}.mix")
        # [out, channels * octaves] -> [octaves * channels, out], as the octaves lie in `pitches_and_chords`
        self._mix = np.ascontiguousarray(mix.reshape(len(mix), -1, OCTAVES).transpose(2, 1, 0)).reshape(-1, len(mix))
        self._semitones = weights.convolution(f"{name}.semitones")
        self._chords = _circular(weights, f"{name}.chords")

    def pitches_and_chords(self, spectrogram: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[batch, frames, bands] -> pitch classes and chords, each [batch, steps, 12, 32]."""
        quarter_tones = spectrogram[:, :, self._bands] @ self._fold
        x = relu(convolve(quarter_tones[..., None], *self._first, stride=(4, 1), padding=4))
        batch, times, places, channels = x.shape
        octaves = x.reshape(batch, times, OCTAVES, places // OCTAVES, channels).transpose(0, 1, 3, 2, 4)
        x = relu(octaves.reshape(batch, times, places // OCTAVES, -1) @ self._mix + self._mix_bias)
        circle = np.concatenate([x[:, :, -2:], x, x[:, :, :2]], axis=2)
        x = relu(convolve(circle, *self._semitones, stride=(1, 2)))
        even = x.shape[1] // 2 * 2
        x = (x[:, 0:even:2] + x[:, 1:even:2]) * np.float32(0.5)
        return x, relu(apply_circular(x, *self._chords))


class KeyBranch(_PitchClasses):
    """`network/key_branch.py`: keys in the mean of three seconds."""

    def __init__(self, weights: FoldedWeights, name: str) -> None:
        super().__init__(weights, name)
        self._keys = _circular(weights, f"{name}.keys")
        self._further = weights.convolution(f"{name}.keys", 3)
        self._out = weights.convolution(f"{name}.out")

    def __call__(self, sound: PaddedSpectrogram) -> FloatArray:
        """[batch, times, OUT]."""
        x, chords = sound.apply(self.pitches_and_chords, field=FIELD, stride=STRIDE, axis=1)
        slow = moving_mean(np.concatenate([x, chords], axis=3), _SLOW)
        keys = relu(convolve(relu(apply_circular(slow, *self._keys)), *self._further))
        middle = chords[:, _SLOW // 2 : _SLOW // 2 + keys.shape[1]]
        parts = np.concatenate([keys.max(axis=2), keys.mean(axis=2), middle.max(axis=2)], axis=2)
        return relu(convolve(parts[:, :, None], *self._out))[:, :, 0]


class KeyChangeBranch(_PitchClasses):
    """`network/key_change_branch.py`: keys in the means of three and of seven seconds."""

    def __init__(self, weights: FoldedWeights, name: str) -> None:
        super().__init__(weights, name)
        self._keys = _circular(weights, f"{name}.keys")
        self._short = weights.convolution(f"{name}.short")
        self._long = weights.convolution(f"{name}.long")
        self._out = weights.convolution(f"{name}.out")

    def chords_and_keys(self, spectrogram: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each step: [batch, steps, 12, 32] and how each key fits it [batch, steps, 12, 48]."""
        x, chords = self.pitches_and_chords(spectrogram)
        return chords, apply_circular(np.concatenate([x, chords], axis=3), *self._keys)

    def __call__(self, sound: PaddedSpectrogram) -> FloatArray:
        """[batch, times, OUT]."""
        chords, keys = sound.apply(self.chords_and_keys, field=FIELD, stride=STRIDE, axis=1)
        fours = moving_mean(keys, _BOTH)
        short, long = (relu(moving_mean(fours, steps // _BOTH, apart=_BOTH)) for steps in (_SHORT, _LONG))
        short, long = relu(convolve(short, *self._short)), relu(convolve(long, *self._long))
        aside = (_LONG - _SHORT) // 2
        parts = [
            long.max(axis=2),
            long.mean(axis=2),
            moving_mean(short.max(axis=2), _LONG - _SHORT + 1),
            short.mean(axis=2)[:, aside : aside + long.shape[1]],
            moving_mean(chords.max(axis=2), _LONG),
        ]
        return relu(convolve(np.concatenate(parts, axis=2)[:, :, None], *self._out))[:, :, 0]


def _circular(weights: FoldedWeights, sequence: str) -> tuple[FloatArray, FloatArray]:
    weight, bias = weights.by_output(sequence)
    return circular_weight(weight[:, :, 0]), bias
