"""The backward pass of a whole network: gradients of the seven features with respect to the spectrogram."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ...network.key_change_branch import KeyChangeBranch
from ...network.layers import global_max, global_mean
from ...network.model import MidlevelNetwork
from ...network.padding import PaddedSpectrogram
from ...network.receptive_field import CONTEXT_STEPS
from ..fast_backward import InputConv2d
from .keys import KeyChangeBackward, KeyTrace
from .parts import Repeated, SpectrogramGradient, largest, mean_of_samples, through_weights, to_largest
from .rhythm import RhythmBackward, RhythmTrace
from .stack import LayerStack, Trace


@dataclass
class NetworkTrace:
    """Activations of the forward pass that the backward pass needs."""

    sound: PaddedSpectrogram
    repeated: Repeated
    begin: Trace
    go_on: Trace
    further: Trace
    largest: torch.Tensor
    positions: tuple[int, int]
    keys: KeyTrace
    rhythm: RhythmTrace
    hidden: Trace


class BackwardPass:
    """Forward and backward pass of a whole network.

    Parameters
    ----------
    network
        Optimised for inference, of an architecture that `supports` names.
    samples_per_gate
        1: the exact gradient of each sample. More: about the mean gradient of so many samples. Their gradients are
        averaged behind the heads of the branches and go on through the means of the samples' gates. Sample i of a
        batch of samples_per_gate * n is in a group with samples n + i, 2 n + i ...
    """

    def __init__(self, network: MidlevelNetwork, *, samples_per_gate: int = 1) -> None:
        context = network.context
        assert context is not None
        assert isinstance(context.tonal, KeyChangeBranch)
        self._network, self._context = network, context
        begin, go_on = network.trunk_parts
        self._samples_per_gate = samples_per_gate
        self._begin, self._go_on, self._further = (
            LayerStack(layers, samples_per_gate) for layers in (begin, go_on, context.further)
        )
        self._hidden = LayerStack(context.hidden)
        self._keys = KeyChangeBackward(context.tonal, samples_per_gate)
        self._rhythm = RhythmBackward(context.rhythm, samples_per_gate)

    @staticmethod
    def supports(network: MidlevelNetwork) -> bool:
        """Whether the network has the layers that this backward pass knows, optimised for inference."""
        context = network.context
        optimised = isinstance(network.trunk[0], InputConv2d)
        return optimised and context is not None and isinstance(context.tonal, KeyChangeBranch)

    def forward(self, sound: PaddedSpectrogram) -> tuple[torch.Tensor, NetworkTrace]:
        """Return the means of the local outputs [batch, 7] and what `backward` needs."""
        network, context, geometry = self._network, self._context, self._network.geometry
        inner = sound.crop(geometry.field - geometry.patch - 2 * CONTEXT_STEPS * geometry.stride)
        begin_trace = Trace([], [])

        def begun(x: torch.Tensor) -> tuple[torch.Tensor]:
            nonlocal begin_trace
            x, begin_trace = self._begin.forward(x.unsqueeze(1).contiguous(memory_format=torch.channels_last))
            return (x,)

        repeated = Repeated(inner, begun, field=network.begun.patch, stride=network.begun.stride)
        features, go_on_trace = self._go_on.forward(repeated.outputs[0])
        own = features[:, :, CONTEXT_STEPS:-CONTEXT_STEPS]
        further, further_trace = self._further.forward(features)
        keys, keys_trace = self._keys.forward(sound.crop(geometry.field - context.tonal.field))
        rhythm, rhythm_trace = self._rhythm.forward(sound.crop(geometry.field - context.rhythm.field))
        inputs = torch.cat([global_mean(further, 3), global_max(further, 3), keys, rhythm], 1)
        hidden, hidden_trace = self._hidden.forward(inputs)
        midlevel = network.midlevel(own).mean((2, 3)) + context.midlevel(hidden).mean(2)
        trace = NetworkTrace(
            sound=inner,
            repeated=repeated,
            begin=begin_trace,
            go_on=go_on_trace,
            further=further_trace,
            largest=largest(further, 3),
            positions=(own.shape[2], own.shape[3]),
            keys=keys_trace,
            rhythm=rhythm_trace,
            hidden=hidden_trace,
        )
        return midlevel, trace

    def backward(self, trace: NetworkTrace) -> torch.Tensor:
        """Return the gradient of each feature, [7, batch / samples_per_gate, rows of the spectrogram, bands]."""
        context, network = self._context, self._network
        features = network.midlevel.weight.shape[0]
        gate = trace.hidden.gates[-1]
        samples, _, times = gate.shape
        batch = samples // self._samples_per_gate
        start = (context.midlevel.weight / times).expand(-1, -1, times)
        by_input = through_weights(context.hidden[0], (start.unsqueeze(1) * gate).flatten(0, 1))
        width, keys = trace.largest.shape[1], trace.keys.out.gates[-1].shape[1]
        by_mean, by_largest, by_keys, by_rhythm = by_input.split(
            (width, width, keys, by_input.shape[1] - 2 * width - keys), 1
        )
        rows, bands = trace.sound.sound.shape[1:]
        pixels = SpectrogramGradient(by_input.new_zeros(features * batch, rows, bands), batch)
        self._keys.backward(by_keys, trace.keys, pixels)
        self._rhythm.backward(by_rhythm, trace.rhythm, pixels)
        further = to_largest(by_largest, trace.largest, 3, self._samples_per_gate)
        by_mean = mean_of_samples(by_mean, features, self._samples_per_gate)
        further += (by_mean / trace.largest.shape[3]).unsqueeze(3)
        x = self._further.backward(further, trace.further)
        own = network.midlevel.weight.view(features, 1, -1, 1, 1) / (trace.positions[0] * trace.positions[1])
        x.view(features, batch, *x.shape[1:])[:, :, :, CONTEXT_STEPS:-CONTEXT_STEPS] += own
        (x,) = trace.repeated.backward((self._go_on.backward(x, trace.go_on),))
        for part, (gradient,) in pixels.by_feature(x):
            part.add(trace.sound, self._begin.backward(gradient, trace.begin).squeeze(1))
        return pixels.total.view(features, batch, rows, bands)


def feature_gradients(
    network: MidlevelNetwork, sound: PaddedSpectrogram
) -> tuple[torch.Tensor, Iterator[torch.Tensor]]:
    """Return the same by automatic differentiation, for any network.

    Returns
    -------
    tuple of torch.Tensor and iterator
        Means of the local outputs [batch, 7], and the gradient of each feature [batch, rows, bands].
    """
    pixels = sound.sound.detach().requires_grad_()
    parts = network.branch_outputs(PaddedSpectrogram(pixels, sound.start, sound.length))
    midlevel = torch.stack([part.mean((2, 3)) for part in parts]).sum(0)
    features = midlevel.shape[1]

    def gradients() -> Iterator[torch.Tensor]:
        for feature in range(features):
            last = feature == features - 1
            yield torch.autograd.grad(midlevel[:, feature].sum(), pixels, retain_graph=not last)[0]

    return midlevel.detach(), gradients()
