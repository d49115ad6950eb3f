"""The backward pass of the key branch (`network/key_change_branch.py`)."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from ...network.key_change_branch import BOTH, LONG, SHORT, KeyChangeBranch
from ...network.layers import circular_pad, global_max, global_mean, moving_mean
from ...network.padding import PaddedSpectrogram
from ...signal.pitch_classes import FIELD, OCTAVES, STRIDE
from .parts import (
    Repeated,
    SpectrogramGradient,
    largest,
    mean_of_samples,
    moving_mean_1d_backward,
    moving_mean_backward,
    to_largest,
)
from .stack import CircularBackward, LayerStack, Trace, gate_of, gated


@dataclass
class PitchTrace:
    """Activations and gates of the layers up to pitch classes and chords."""

    first: Trace
    mix: torch.Tensor
    semitones: torch.Tensor
    chords: torch.Tensor


@dataclass
class KeyTrace:
    """Activations of the forward pass that the backward pass needs."""

    sound: PaddedSpectrogram
    repeated: Repeated
    pitch: PitchTrace
    fit_gates: tuple[torch.Tensor, torch.Tensor]
    templates: tuple[Trace, Trace]
    largest: tuple[torch.Tensor, ...]
    out: Trace


class KeyChangeBackward:
    """Forward and backward pass of a key branch.

    Parameters
    ----------
    branch
        The branch, optimised for inference.
    samples_per_gate
        As of `LayerStack`.
    """

    def __init__(self, branch: KeyChangeBranch, samples_per_gate: int) -> None:
        self._branch, self._samples_per_gate = branch, samples_per_gate
        self._first, self._out = LayerStack(branch.first, samples_per_gate), LayerStack(branch.out)
        self._short, self._long = (
            LayerStack(branch.short, samples_per_gate),
            LayerStack(branch.long, samples_per_gate),
        )
        self._chords, self._keys = CircularBackward(branch.chords[0]), CircularBackward(branch.keys[0])
        mix, semitones = branch.mix[0].weight, branch.semitones[0].weight
        assert isinstance(mix, torch.Tensor)
        assert isinstance(semitones, torch.Tensor)
        octaves = mix.view(len(mix), -1, OCTAVES)
        self._mix = octaves.transpose(1, 2).flatten(1)  # [out, octaves * channels]
        taps = semitones[:, :, 0]  # [out, in, 5], of quarter tones 2 s - 2 to 2 s + 2
        nothing = torch.zeros_like(taps[..., 0])
        even = torch.stack([taps[..., 4], taps[..., 2], taps[..., 0]], -1)
        odd = torch.stack([nothing, taps[..., 3], taps[..., 1]], -1)
        # [2 * in, out, 1, 3]: quarter tones 2 m and 2 m + 1 from semitones m - 1 to m + 1
        kernel = torch.cat([even, odd], 1).transpose(0, 1).unsqueeze(2)
        self._semitones = kernel.contiguous(memory_format=torch.channels_last)

    def forward(self, sound: PaddedSpectrogram) -> tuple[torch.Tensor, KeyTrace]:
        """Return the branch's output [batch, OUT, times] and what `backward` needs."""
        branch = self._branch
        pitch = None

        def chords_and_keys(spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            nonlocal pitch
            x, chords, pitch = self._pitches_and_chords(spectrogram)
            return chords, branch.keys(torch.cat([x, chords], 1))

        repeated = Repeated(sound, chords_and_keys, field=FIELD, stride=STRIDE)
        assert pitch is not None
        chords, keys = repeated.outputs
        fours = moving_mean(keys, BOTH)
        short, long = (moving_mean(fours, steps // BOTH, apart=BOTH) for steps in (SHORT, LONG))
        short, long = short.relu(), long.relu()
        fit_gates = gate_of(short, self._samples_per_gate), gate_of(long, self._samples_per_gate)
        short, short_trace = self._short.forward(short)
        long, long_trace = self._long.forward(long)
        aside = (LONG - SHORT) // 2
        parts = [
            global_max(long, 3),
            global_mean(long, 3),
            functional.avg_pool1d(global_max(short, 3), LONG - SHORT + 1, 1),
            global_mean(short, 3)[:, :, aside : aside + long.shape[2]],
            functional.avg_pool1d(global_max(chords, 3), LONG, 1),
        ]
        out, out_trace = self._out.forward(torch.cat(parts, 1))
        routes = tuple(largest(x, 3) for x in (short, long, chords))
        return out, KeyTrace(sound, repeated, pitch, fit_gates, (short_trace, long_trace), routes, out_trace)

    def _pitches_and_chords(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, PitchTrace]:
        """As `PitchClassBranch.pitches_and_chords`, and the gates."""
        branch = self._branch
        x, first = self._first.forward((spectrogram[..., branch.bands] @ branch.fold).unsqueeze(1))
        mixed = branch.mix(x)
        mix = gate_of(mixed, self._samples_per_gate)
        x = branch.semitones(circular_pad(mixed, 2, 2))
        semitones = gate_of(x, self._samples_per_gate)
        even = x.shape[2] // 2 * 2
        x = (x[:, :, 0:even:2] + x[:, :, 1:even:2]) * 0.5
        chords = branch.chords(x)
        return x, chords, PitchTrace(first, mix, semitones, gate_of(chords, self._samples_per_gate))

    def backward(self, gradient: torch.Tensor, trace: KeyTrace, total: SpectrogramGradient) -> None:
        """Add the gradient with respect to the spectrogram; gradient: [features * samples, OUT, times]."""
        samples_per_gate = self._samples_per_gate
        features = len(gradient) // len(trace.largest[0])
        gradient = self._out.backward(gradient, trace.out)
        wide = trace.largest[0].shape[1]
        sizes = (wide, wide, wide, wide, trace.largest[2].shape[1])
        long_largest, long_mean, short_largest, short_mean, chords_largest = gradient.split(sizes, 1)
        places = trace.largest[1].shape[3]
        aside = (LONG - SHORT) // 2
        short_largest = moving_mean_1d_backward(short_largest, LONG - SHORT + 1)
        short_mean = functional.pad(short_mean, (aside, short_largest.shape[2] - aside - short_mean.shape[2]))
        to_fours = torch.zeros(())
        ways = (
            (short_largest, short_mean, SHORT, self._short, 0),
            (long_largest, long_mean, LONG, self._long, 1),
        )
        for by_largest, by_mean, steps, stack, which in ways:
            to_keys = to_largest(by_largest, trace.largest[which], 3, samples_per_gate)
            to_keys += (mean_of_samples(by_mean, features, samples_per_gate) / places).unsqueeze(3)
            to_keys = gated(stack.backward(to_keys, trace.templates[which]), trace.fit_gates[which])
            to_fours = to_fours + moving_mean_backward(to_keys, steps // BOTH, apart=BOTH)
        to_keys = moving_mean_backward(to_fours, BOTH)
        to_chords = to_largest(moving_mean_1d_backward(chords_largest, LONG), trace.largest[2], 3, samples_per_gate)
        to_chords, to_keys = trace.repeated.backward((to_chords, to_keys))
        for part, (chords, keys) in total.by_feature(to_chords, to_keys):
            self._to_spectrogram(chords, keys, trace, part)

    def _to_spectrogram(
        self, to_chords: torch.Tensor, to_keys: torch.Tensor, trace: KeyTrace, total: SpectrogramGradient
    ) -> None:
        pitch, branch = trace.pitch, self._branch
        both = self._keys(to_keys, to_keys.shape)  # [n, pitch classes and chords, steps, 12]
        channels = both.shape[1] // 2
        to_chords = gated(both[:, channels:] + to_chords, pitch.chords)
        x = both[:, :channels] + self._chords(to_chords, to_chords.shape)
        # From here on the channels are the innermost in memory, so that little is copied.
        x = (x * 0.5).permute(0, 2, 3, 1).unsqueeze(2)  # [n, steps, 1, 12, channels]
        n, steps, _, places, _ = x.shape
        gate = pitch.semitones.permute(0, 2, 3, 1)
        circle = x.new_empty(n, gate.shape[1], places + 2, channels)  # each end continued by the other one
        inner = circle[:, :, 1:-1]
        gates, places_of = (part[:, : 2 * steps].unflatten(1, (steps, 2)) for part in (gate, inner))
        torch.mul(x, gates, out=places_of)
        inner[:, 2 * steps :] = 0  # (the last of an odd number of quarter steps is in no step)
        circle[:, :, 0], circle[:, :, -1] = inner[:, :, -1], inner[:, :, 0]
        x = functional.conv2d(circle.permute(0, 3, 1, 2), self._semitones).permute(0, 2, 3, 1)
        x = x.reshape(n, -1, 2 * places, x.shape[3] // 2)  # [n, steps, 24, channels]
        x = gated(x.permute(0, 3, 1, 2), pitch.mix).permute(0, 2, 3, 1) @ self._mix
        x = x.view(n, -1, 2 * places, OCTAVES, x.shape[3] // OCTAVES).transpose(2, 3)
        x = x.reshape(n, x.shape[1], OCTAVES * 2 * places, x.shape[4]).permute(0, 3, 1, 2)
        x = self._first.backward(x, pitch.first).squeeze(1) @ branch.fold.T
        total.add(trace.sound, x, branch.bands)
