"""The reverse pass of the rhythm branch (`network/rhythm_branch.py`)."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ...network.layers import global_max, global_mean
from ...network.padding import PaddedSpectrogram
from ...network.rhythm_branch import ENERGY_FLOOR, GROUPS, STRIDE, TURN, WINDOW, RhythmBranch
from .parts import PixelGradient, Repeated, largest, mean_of_samples, through_weights, to_largest
from .stack import Stack, Trace


@dataclass
class RhythmTrace:
    """What the forward pass leaves."""

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
    like: torch.Tensor
    energy: torch.Tensor
    out: Trace


class RhythmReverse:
    """Runs a rhythm branch forward and back.

    Parameters
    ----------
    branch
        The branch, optimised for inference.
    together
        As of `Stack`.
    """

    def __init__(self, branch: RhythmBranch, together: int) -> None:
        self._branch, self._together = branch, together
        self._first = Stack(branch.first, together)
        self._lags = Stack(branch.lags, together)
        self._along = Stack(branch.along, together)
        self._out = Stack(branch.out)
        first = branch.first[0].weight
        assert isinstance(first, torch.Tensor)
        bands = branch.groups.view(-1, len(first), branch.groups.shape[1])
        share = bands[:, 0, :GROUPS]  # [bands, groups]: 1 / size of the group, for the first channel
        self._sizes = [int((column > 0).sum()) for column in share.T]
        turns = torch.arange(TURN // 2 + 1, dtype=torch.float64)[:, None] * torch.arange(WINDOW)
        angles = turns * (2 * torch.pi / TURN)
        # from the gradient with respect to real and imaginary parts to that of the samples
        self._inverse = torch.cat([torch.cos(angles), -torch.sin(angles)]).float().to(branch.cosines.device)
        # (what is taken from the mean of a window is taken from each of its samples)
        self._inverse -= self._inverse.mean(1, keepdim=True)

    def forward(self, sound: PaddedSpectrogram) -> tuple[torch.Tensor, RhythmTrace]:
        """Return the branch's output [batch, OUT, times] and what `reverse` needs."""
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
        spectrum = torch.view_as_real(torch.fft.rfft(windows, n=TURN))
        products = spectrum.square().sum(-1) @ branch.cosines
        energy = products[..., 0] / WINDOW
        like = products[..., 1:] * branch.unbiased / (products[..., :1] + ENERGY_FLOOR * WINDOW)
        lags, lags_trace = self._lags.forward(like.transpose(2, 3))
        along, along_trace = self._along.forward(x)
        times = like.shape[2]
        begin = (along.shape[2] - times) // 2
        parts = [
            global_max(lags, 2),
            global_mean(lags, 2),
            like.mean(1).transpose(1, 2),
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
            like=like,
            energy=energy,
            out=out_trace,
        )
        return out, trace

    def reverse(self, gradient: torch.Tensor, trace: RhythmTrace, pixels: PixelGradient) -> None:
        """Add the gradient with respect to the spectrogram; gradient: [features * samples, OUT, times]."""
        together, samples = self._together, len(trace.like)
        features = len(gradient) // samples
        gradient = self._out.reverse(gradient, trace.out)
        n_lags = trace.like.shape[3]
        channels = trace.largest_lag.shape[1]
        sizes = (channels, channels, n_lags, self._along_channels, trace.like.shape[1])
        by_largest, by_mean, by_like, by_along, by_energy = gradient.split(sizes, 1)
        by_mean, by_like, by_along = (
            mean_of_samples(part, features, together) for part in (by_mean, by_like, by_along)
        )
        to_lags = to_largest(by_largest, trace.largest_lag, 2, together)
        to_lags += (by_mean / n_lags).unsqueeze(2)
        to_like = self._lags.reverse(to_lags, trace.lags).transpose(2, 3)  # [n, 12, times, lags]
        to_like = to_like + (by_like / trace.like.shape[1]).transpose(1, 2).unsqueeze(1)
        groups = self._through_autocorrelation(to_like, by_energy, trace)
        after = trace.along_length - trace.along_begin - by_along.shape[2]
        along = functional.pad(by_along, (trace.along_begin, after))
        groups = groups + self._along.reverse(along, trace.along)
        (groups,) = trace.repeated.reverse((groups,))
        for part, (gradient,) in pixels.by_feature(groups):
            self._to_pixels(gradient, trace, part)

    @property
    def _along_channels(self) -> int:
        last = self._branch.along[-2]
        assert isinstance(last, nn.Conv1d)
        return last.out_channels

    def _through_autocorrelation(
        self, to_like: torch.Tensor, by_energy: torch.Tensor, trace: RhythmTrace
    ) -> torch.Tensor:
        """Gradient with respect to the groups of bands [n, groups * channels, frames]."""
        branch, together = self._branch, self._together
        channels, times, lags = trace.like.shape[1:]
        features = len(by_energy) // len(trace.like)
        # With respect to the products at the lags: [features, batch * 12 * times, lags].
        to_lags = (to_like.reshape(features, -1, lags)) * branch.unbiased
        # With respect to the product at lag 0 of each of the samples that go together, [rows, features, together].
        alike, energy, windows = (
            x.reshape(together, -1, *x.shape[3:]).transpose(0, 1) for x in (trace.like, trace.energy, trace.windows)
        )  # [rows, together, ...]
        divisor = (energy + ENERGY_FLOOR) * WINDOW
        by_divisor = torch.bmm(alike / (branch.unbiased * divisor.unsqueeze(-1)), to_lags.permute(1, 2, 0))
        to_first = by_energy.reshape(features, together, -1).transpose(1, 2) / divisor - by_divisor.permute(2, 0, 1)
        # (the product at lag 0 is the sum of squares)
        to_first *= 2 / together
        samples = to_first[:, :, :1] * windows[:, 0]  # [features, rows, WINDOW]
        for sample in range(1, together):
            samples.addcmul_(to_first[:, :, sample, None], windows[:, sample])
        # The other products, through the mean of the spectra.
        spectrum = trace.spectrum.reshape(together, -1, *trace.spectrum.shape[3:])
        spectrum = (spectrum / divisor.T[..., None, None]).mean(0).transpose(1, 2)  # [rows, 2, frequencies]
        to_power = to_lags @ (2 * branch.cosines[:, 1:].T)
        to_spectrum = to_power.unsqueeze(2) * spectrum.contiguous()
        samples = torch.baddbmm(samples, to_spectrum.flatten(2), self._inverse.expand(features, -1, -1))
        windows = samples.view(features, -1, channels, times, WINDOW)
        envelopes = windows.new_zeros(*windows.shape[:3], trace.frames)
        for start in range(0, WINDOW, STRIDE):
            stretch = envelopes[..., start : start + times * STRIDE].view(*windows.shape[:4], STRIDE)
            stretch += windows[..., start : start + STRIDE]
        return through_weights(branch.envelopes[0], envelopes.flatten(0, 1))

    def _to_pixels(self, groups: torch.Tensor, trace: RhythmTrace, pixels: PixelGradient) -> None:
        by_frame = groups.view(groups.shape[0], -1, len(self._sizes), groups.shape[2]).permute(0, 3, 2, 1)
        wide = torch.cat(
            [
                (by_frame[:, :, group : group + 1] / size).expand(-1, -1, size, -1)
                for group, size in enumerate(self._sizes)
            ],
            2,
        )  # [n, frames, bands, channels]
        pixels.add(trace.sound, self._first.reverse(wide.permute(0, 3, 1, 2), trace.first).squeeze(1))
