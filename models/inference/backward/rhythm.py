"""The backward pass of the rhythm branch (`network/rhythm_branch.py`)."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ...network.layers import global_max, global_mean
from ...network.padding import PaddedSpectrogram
from ...network.rhythm_branch import ENERGY_FLOOR, FFT_LENGTH, GROUPS, STRIDE, WINDOW, RhythmBranch
from .parts import Repeated, SpectrogramGradient, largest, mean_of_samples, through_weights, to_largest
from .stack import LayerStack, Trace


@dataclass
class RhythmTrace:
    """Activations of the forward pass that the backward pass needs, by the name of the layer."""

    sound: PaddedSpectrogram
    repeated: Repeated
    first: Trace
    frames: int
    along: Trace
    along_begin: int
    along_length: int
    lags: Trace
    largest_lag: torch.Tensor
    windows: torch.Tensor
    spectrum: torch.Tensor
    autocorrelation: torch.Tensor
    energy: torch.Tensor
    out: Trace


class RhythmBackward:
    """Forward and backward pass of a rhythm branch.

    Gradients are named after what they are with respect to: `to_lags` the output of the layer `lags`; `by_largest`,
    `by_mean` ... one part of the concatenated features.

    Parameters
    ----------
    branch
        The branch, optimised for inference.
    samples_per_gate
        As of `LayerStack`.
    """

    def __init__(self, branch: RhythmBranch, samples_per_gate: int) -> None:
        self._branch, self._samples_per_gate = branch, samples_per_gate
        self._first = LayerStack(branch.first, samples_per_gate)
        self._lags = LayerStack(branch.lags, samples_per_gate)
        self._along = LayerStack(branch.along, samples_per_gate)
        self._out = LayerStack(branch.out)
        first = branch.first[0].weight
        assert isinstance(first, torch.Tensor)
        bands = branch.groups.view(-1, len(first), branch.groups.shape[1])
        share = bands[:, 0, :GROUPS]  # [bands, groups]: 1 / size of the group, for the first channel
        self._sizes = [int((column > 0).sum()) for column in share.T]
        cycles = torch.arange(FFT_LENGTH // 2 + 1, dtype=torch.float64)[:, None] * torch.arange(WINDOW)
        angles = cycles * (2 * torch.pi / FFT_LENGTH)
        # from the gradient with respect to real and imaginary parts to that of the samples
        self._inverse = torch.cat([torch.cos(angles), -torch.sin(angles)]).float().to(branch.cosines.device)
        # backward pass of the windows' mean removal: subtract the mean
        self._inverse -= self._inverse.mean(1, keepdim=True)

    def forward(self, sound: PaddedSpectrogram) -> tuple[torch.Tensor, RhythmTrace]:
        """Return the branch's output [batch, OUT, times] and what `backward` needs."""
        branch = self._branch
        first = Trace([], [])

        def in_groups(spectrogram: torch.Tensor) -> tuple[torch.Tensor]:
            nonlocal first
            x, first = self._first.forward(spectrogram.unsqueeze(1))
            return ((x.permute(0, 2, 3, 1).flatten(2) @ branch.groups).transpose(1, 2),)

        repeated = Repeated(sound, in_groups, field=3, stride=1)
        (x,) = repeated.outputs
        envelopes = branch.envelopes(x)
        windows = envelopes.unfold(2, WINDOW, STRIDE)
        windows = windows - windows.mean(3, keepdim=True)
        spectrum = torch.view_as_real(torch.fft.rfft(windows, n=FFT_LENGTH))
        real, imaginary = spectrum.unbind(-1)
        products = real.square().addcmul_(imaginary, imaginary) @ branch.cosines
        energy = products[..., 0] / WINDOW
        autocorrelation = products[..., 1:] * branch.unbiased / (products[..., :1] + ENERGY_FLOOR * WINDOW)
        lags, lags_trace = self._lags.forward(autocorrelation.transpose(2, 3))
        along, along_trace = self._along.forward(x)
        times = autocorrelation.shape[2]
        begin = (along.shape[2] - times) // 2
        parts = [
            global_max(lags, 2),
            global_mean(lags, 2),
            autocorrelation.mean(1).transpose(1, 2),
            along[:, :, begin : begin + times],
            torch.log(energy + ENERGY_FLOOR),
        ]
        out, out_trace = self._out.forward(torch.cat(parts, 1))
        trace = RhythmTrace(
            sound=sound,
            repeated=repeated,
            first=first,
            frames=x.shape[2],
            along=along_trace,
            along_begin=begin,
            along_length=along.shape[2],
            lags=lags_trace,
            largest_lag=largest(lags, 2),
            windows=windows,
            spectrum=spectrum,
            autocorrelation=autocorrelation,
            energy=energy,
            out=out_trace,
        )
        return out, trace

    def backward(self, gradient: torch.Tensor, trace: RhythmTrace, total: SpectrogramGradient) -> None:
        """Add the gradient with respect to the spectrogram; gradient: [features * samples, OUT, times]."""
        samples_per_gate, samples = self._samples_per_gate, len(trace.autocorrelation)
        features = len(gradient) // samples
        gradient = self._out.backward(gradient, trace.out)
        n_lags = trace.autocorrelation.shape[3]
        channels = trace.largest_lag.shape[1]
        sizes = (channels, channels, n_lags, self._along_channels, trace.autocorrelation.shape[1])
        by_largest, by_mean, by_autocorrelation, by_along, by_energy = gradient.split(sizes, 1)
        by_mean, by_autocorrelation, by_along = (
            mean_of_samples(part, features, samples_per_gate) for part in (by_mean, by_autocorrelation, by_along)
        )
        to_lags = to_largest(by_largest, trace.largest_lag, 2, samples_per_gate)
        to_lags += (by_mean / n_lags).unsqueeze(2)
        to_autocorrelation = self._lags.backward(to_lags, trace.lags).transpose(2, 3)  # [n, 12, times, lags]
        by_autocorrelation = by_autocorrelation / trace.autocorrelation.shape[1]
        to_autocorrelation = to_autocorrelation + by_autocorrelation.transpose(1, 2).unsqueeze(1)
        groups = self._through_autocorrelation(to_autocorrelation, by_energy, trace)
        after = trace.along_length - trace.along_begin - by_along.shape[2]
        along = functional.pad(by_along, (trace.along_begin, after))
        groups = groups + self._along.backward(along, trace.along)
        (groups,) = trace.repeated.backward((groups,))
        for part, (gradient,) in total.by_feature(groups):
            self._to_spectrogram(gradient, trace, part)

    @property
    def _along_channels(self) -> int:
        last = self._branch.along[-2]
        assert isinstance(last, nn.Conv1d)
        return last.out_channels

    def _through_autocorrelation(
        self, to_autocorrelation: torch.Tensor, by_energy: torch.Tensor, trace: RhythmTrace
    ) -> torch.Tensor:
        """Gradient with respect to the groups of bands [n, groups * channels, frames]."""
        branch, samples_per_gate = self._branch, self._samples_per_gate
        channels, times, lags = trace.autocorrelation.shape[1:]
        features = len(by_energy) // len(trace.autocorrelation)
        # With respect to the products at the lags: [features, batch * 12 * times, lags].
        to_lags = (to_autocorrelation.reshape(features, -1, lags)) * branch.unbiased
        # With respect to the product at lag 0 of each sample of a group, [rows, features, samples_per_gate].
        autocorrelations, energy, windows = (
            x.reshape(samples_per_gate, -1, *x.shape[3:]).transpose(0, 1)
            for x in (trace.autocorrelation, trace.energy, trace.windows)
        )  # [rows, samples_per_gate, ...]
        divisor = (energy + ENERGY_FLOOR) * WINDOW
        by_divisor = torch.bmm(autocorrelations / (branch.unbiased * divisor.unsqueeze(-1)), to_lags.permute(1, 2, 0))
        by_energy = by_energy.reshape(features, samples_per_gate, -1).transpose(1, 2)
        to_first = by_energy / divisor - by_divisor.permute(2, 0, 1)
        # (the product at lag 0 is the sum of squares)
        to_first *= 2 / samples_per_gate
        samples = to_first[:, :, :1] * windows[:, 0]  # [features, rows, WINDOW]
        for sample in range(1, samples_per_gate):
            samples.addcmul_(to_first[:, :, sample, None], windows[:, sample])
        # The other products, through the mean of the spectra.
        spectrum = trace.spectrum.reshape(samples_per_gate, -1, *trace.spectrum.shape[3:])
        inverse = (1 / (samples_per_gate * divisor)).T[..., None, None]  # [samples_per_gate, rows, 1, 1]
        mean = spectrum[0] * inverse[0]
        for sample in range(1, samples_per_gate):
            mean.addcmul_(spectrum[sample], inverse[sample])
        mean = mean.transpose(1, 2).contiguous()  # [rows, 2, frequencies]
        to_power = to_lags @ (2 * branch.cosines[:, 1:].T)
        for feature in range(features):  # (one at a time fits into a cache)
            to_spectrum = to_power[feature].unsqueeze(1) * mean
            samples[feature].addmm_(to_spectrum.flatten(1), self._inverse)
        windows = samples.view(features, -1, channels, times, WINDOW)
        envelopes = windows.new_zeros(*windows.shape[:3], trace.frames)
        for start in range(0, WINDOW, STRIDE):
            stretch = envelopes[..., start : start + times * STRIDE].view(*windows.shape[:4], STRIDE)
            stretch += windows[..., start : start + STRIDE]
        return through_weights(branch.envelopes[0], envelopes.flatten(0, 1))

    def _to_spectrogram(self, groups: torch.Tensor, trace: RhythmTrace, total: SpectrogramGradient) -> None:
        by_frame = groups.view(groups.shape[0], -1, len(self._sizes), groups.shape[2]).permute(0, 3, 2, 1)
        wide = torch.cat(
            [
                (by_frame[:, :, group : group + 1] / size).expand(-1, -1, size, -1)
                for group, size in enumerate(self._sizes)
            ],
            2,
        )  # [n, frames, bands, channels]
        total.add(trace.sound, self._first.backward(wide.permute(0, 3, 1, 2), trace.first).squeeze(1))
