"""A network's prediction is the mean of its local outputs, and these see exactly what the geometry says."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.models.common.constants import N_BANDS
from moodfader.models.inference.fast_backward import InputConv2d
from moodfader.models.inference.fold import optimise_for_inference
from moodfader.models.network.architectures import ARCHITECTURES
from moodfader.models.network.layers import soft_limit
from moodfader.models.network.model import MidlevelNetwork
from torch import nn


def lively(architecture: str) -> MidlevelNetwork:
    """A network whose normalisation and band biases are not at their neutral start."""
    torch.manual_seed(1)
    network = MidlevelNetwork(architecture)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and ("running" in name or "bias" in name):
                tensor.add_(torch.rand_like(tensor))
    return network.eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("frames", "positions"), [(313, 40), (312, 39), (7, 1)])
def test_prediction_is_the_mean_of_local_outputs_and_linear_in_them(architecture, frames, positions):
    """Of the extended sound; the prediction itself computes what is repeated only once. Beyond the knees it bends."""
    network = lively(architecture)
    x = torch.rand(2, frames, N_BANDS)
    with torch.inference_mode():
        midlevel, emotions = network(x)
        local = network.local(network.pad(x))
        assert local.shape[2] == network.geometry.positions(frames) == positions
        assert local.shape[3] == network.geometry.columns
        torch.testing.assert_close(midlevel, soft_limit(local.mean((2, 3))))
        linear = midlevel @ network.emotions.weight.T + network.emotions.bias
        torch.testing.assert_close(emotions, soft_limit(linear))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_folding_the_normalisation_changes_nothing(architecture):
    network = lively(architecture)
    x = torch.rand(1, 100, N_BANDS)
    with torch.inference_mode():
        before = network(x)[0]
        optimise_for_inference(network)
        torch.testing.assert_close(network(x)[0], before, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("frames", [100, 163])
def test_the_quick_way_back_is_the_way_back(architecture, frames):
    """Slopes in every pixel, against autograd's own through the network as it was learned."""
    network = lively(architecture).double()  # in single precision a rectifier near 0 may turn over
    x = torch.rand(2, frames, N_BANDS, dtype=torch.float64)
    weights = torch.rand(2, 7)

    def slopes():
        picture = network.pad(x).requires_grad_()
        midlevel = sum(part.mean((2, 3)) for part in network.branch_outputs(picture))
        return torch.autograd.grad((midlevel * weights).sum(), picture)[0]

    before = slopes()
    optimise_for_inference(network)
    torch.testing.assert_close(slopes(), before, atol=1e-9 * float(before.abs().max()), rtol=1e-7)


@given(
    kernel=st.tuples(st.integers(1, 6), st.integers(1, 9)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 5)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 4)),
    size=st.tuples(st.integers(6, 30), st.integers(9, 40)),
)
@settings(max_examples=60, deadline=None)
def test_the_way_back_of_any_first_convolution(kernel, stride, padding, size):
    torch.manual_seed(3)
    convolution = nn.Conv2d(1, 3, kernel, stride, padding)
    x = torch.rand(2, 1, *size, requires_grad=True)
    output = convolution(x)
    further = torch.rand_like(output)
    (wanted,) = torch.autograd.grad(output, x, further)
    quick = InputConv2d(convolution)(x)
    torch.testing.assert_close(quick, output)
    torch.testing.assert_close(torch.autograd.grad(quick, x, further)[0], wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("architecture", ["context", "modulation", "small"])
def test_a_long_sound_may_be_cut_anywhere(architecture):
    network = lively(architecture)
    geometry = network.geometry
    x = torch.rand(1, 777, N_BANDS)
    with torch.inference_mode():
        extended = network.pad(x)
        whole = network.local(extended)
        for first, last in ((0, 3), (11, 12), (40, 98)):
            begin, end = geometry.frame_range(first, last)
            part = network.local(extended[:, begin + geometry.left_context : end + geometry.left_context])
            torch.testing.assert_close(part, whole[:, :, first:last], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_where_a_circular_sound_begins_does_not_matter(architecture):
    network = lively(architecture)
    x = torch.rand(1, 30 * network.geometry.stride, N_BANDS)
    with torch.inference_mode():
        turned = x.roll(11 * network.geometry.stride, 1)
        torch.testing.assert_close(network(turned), network(x), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(network(torch.cat([x, x], 1)), network(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_predictions_are_within_0_and_1_whatever_the_sound(architecture):
    network = lively(architecture)
    with torch.no_grad():
        network.midlevel.weight.mul_(1000)
    for sound in (torch.zeros(1, 40, N_BANDS), torch.rand(1, 40, N_BANDS), torch.full((1, 40, N_BANDS), 4.0)):
        with torch.inference_mode():
            for values in network(sound):
                assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_local_output_sees_its_field_and_nothing_else(architecture):
    """Gradients say which pixels matter: none outside of the geometry's sight, and the corners inside do."""
    network = lively(architecture)
    geometry = network.geometry
    padded = torch.rand(1, geometry.field + 4 * geometry.stride, N_BANDS, requires_grad=True)
    time = 2
    for column in {geometry.positions_bands // 2, geometry.columns - 1}:
        padded.grad = None
        network.local(padded)[0, :, time, column].sum().backward()
        size = padded.grad[0].abs().numpy()
        seen = size > 1e-9 * size.max()  # (sums that run on leave a last bit where nothing is seen)
        frames, bands = np.nonzero(seen.any(1))[0], np.nonzero(seen.any(0))[0]
        begin, end, low, high = geometry.extent(column)
        assert time * geometry.stride + begin <= frames.min()
        assert frames.max() < time * geometry.stride + end
        assert low <= bands.min()
        assert bands.max() < high
        # dead units may hide the outermost pixels, not whole strides of them
        assert frames.max() - frames.min() >= end - begin - geometry.stride
        assert bands.max() - bands.min() >= high - low - geometry.stride
