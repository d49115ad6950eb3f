"""What the branches of a network compute the quick way, against slow references."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.models.inference.circulant_conv import FourierCircularConv2d
from moodfader.models.network.layers import CircularConv2d, global_max, global_mean, moving_mean
from moodfader.models.network.padding import PaddedSpectrogram, circular_frames
from moodfader.models.network.rhythm_branch import RhythmBranch
from torch import nn


@given(
    places=st.integers(1, 12).map(lambda half: 2 * half),
    channels=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    size=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    biased=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_circle_pair_by_pair_is_the_circle(places, channels, size, biased):
    """Place by place, and on the way back."""
    torch.manual_seed(places)
    convolution = CircularConv2d(*channels, places).double()
    if biased:
        convolution.bias = nn.Parameter(torch.randn(channels[1], dtype=torch.float64))
    x = torch.randn(size[0], channels[0], size[1], places, dtype=torch.float64, requires_grad=True)
    wanted = torch.zeros(size[0], channels[1], size[1], places, dtype=torch.float64)
    for step in range(places):
        wanted = wanted + torch.einsum("oc,bctp->botp", convolution.weight[:, :, 0, step], x.roll(-step, 3))
    if biased:
        wanted = wanted + convolution.bias[:, None, None]
    further = torch.randn_like(wanted)
    (slopes,) = torch.autograd.grad(wanted, x, further, retain_graph=True)
    for quick in (convolution, FourierCircularConv2d(convolution)):
        output = quick(x)
        torch.testing.assert_close(output, wanted)
        torch.testing.assert_close(torch.autograd.grad(output, x, further)[0], slopes)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_is_means_and_maxima(layout):
    torch.manual_seed(2)
    x = torch.randn(2, 5, 30, 12, dtype=torch.float64).contiguous(memory_format=layout)
    for axis in (2, 3):
        torch.testing.assert_close(global_mean(x, axis), x.mean(axis))
        torch.testing.assert_close(global_max(x, axis), x.amax(axis))
    for count in (1, 7, 30):
        torch.testing.assert_close(moving_mean(x, count), x.unfold(2, count, 1).mean(4))
    for count, apart in ((10, 3), (3, 10), (4, 7)):
        torch.testing.assert_close(
            moving_mean(moving_mean(x, apart), count, apart=apart), moving_mean(x, count * apart)
        )
    assert moving_mean(x.to(torch.bfloat16), 7).dtype == torch.float32


def test_envelopes_are_compared_with_themselves_later():
    """Lags 6 to 48 of windows of 112 frames without their mean, each against as many products as it has."""
    frames = 112 + 3 * 8
    envelopes = np.random.default_rng(4).random((2, 12, frames))
    like, energy = RhythmBranch(nn.Identity()).double()._alike(torch.from_numpy(envelopes))
    assert like.shape == (2, 12, 43, 4)
    for time in range(4):
        window = envelopes[:, :, 8 * time : 8 * time + 112]
        window = window - window.mean(2, keepdims=True)
        power = (window**2).sum(2)
        np.testing.assert_allclose(energy[:, :, time], power / 112, rtol=1e-5)
        for lag in range(6, 49):
            product = (window[:, :, lag:] * window[:, :, :-lag]).sum(2) * 112 / (112 - lag)
            np.testing.assert_allclose(like[:, :, lag - 6, time], product / (power + 0.112), atol=1e-6)


@given(
    field=st.integers(1, 9),
    stride=st.integers(1, 9),
    turn=st.integers(1, 12),
    start=st.integers(-100, 100),
    steps=st.tuples(st.integers(0, 40), st.integers(0, 6)),
)
@settings(max_examples=200, deadline=None)
def test_a_circular_sound_is_computed_once_round(field, stride, turn, start, steps):
    """As if each repeated frame were written out."""
    stride = min(stride, field)
    spare = steps[1] * stride
    length = field + steps[0] * stride + spare
    torch.manual_seed(length)
    weight, computed = torch.randn(3, field, 2, dtype=torch.float64), []

    def stack(x):
        computed.append(x.shape[1])
        output = torch.einsum("bpcf,ofc->bop", x.unfold(1, field, stride), weight) + 0.7
        return output, output[..., None].relu()

    sound = torch.randn(2, turn * stride, 2, dtype=torch.float64)
    whole = sound[:, np.arange(start, start + length) % (turn * stride)]
    surrounded = PaddedSpectrogram(sound, start, length)
    torch.testing.assert_close(surrounded.materialise().sound, whole)
    slow = stack(whole[:, spare // 2 : length - (spare - spare // 2)])
    computed.clear()
    quick = surrounded.crop(spare).apply(stack, field=field, stride=stride)
    for one, other in zip(quick, slow, strict=True):
        torch.testing.assert_close(one, other)
    assert computed[0] <= (turn - 1) * stride + field


@given(frames=st.integers(1, 40), stride=st.integers(1, 9), begin=st.integers(-90, 90), count=st.integers(0, 120))
def test_a_turn_is_the_sound_and_its_end_in_reverse(frames, stride, begin, count):
    turn = [*range(frames), *(max(frames - 2 - back, 0) for back in range(-frames % stride))]
    assert len(turn) % stride == 0
    found = circular_frames(frames, stride, begin, begin + count)
    assert found.tolist() == [turn[at % len(turn)] for at in range(begin, begin + count)]
