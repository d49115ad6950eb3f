"""The backward pass for explanations against automatic differentiation."""

import pytest
import torch
from moodfader.models.inference.backward.network import BackwardPass, feature_gradients
from moodfader.models.inference.backward.parts import moving_mean_1d_backward, moving_mean_backward
from moodfader.models.inference.backward.stack import ConvBackward, PoolBackward
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.inference.fold import optimise_for_inference
from moodfader.models.network.layers import moving_mean
from moodfader.models.network.model import MidlevelNetwork
from moodfader.models.network.padding import PaddedSpectrogram
from torch import nn


@pytest.fixture(scope="module")
def network():
    return load_model().network


def gradient_of(layer, x, further):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(layer(x), x, further)[0]


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv1d(3, 4, 5, 2),
        nn.Conv1d(3, 4, 5),
        nn.Conv1d(6, 2, 1),
        nn.Conv2d(3, 5, 3, 2, (0, 1)),
        nn.Conv2d(3, 5, 3, 1, (0, 1), (2, 1)),
        nn.Conv2d(1, 8, (5, 9), (4, 1), (0, 4)),
        nn.Conv2d(1, 8, (3, 9), (1, 4), (0, 4)),
        nn.Conv2d(4, 6, (5, 1), padding=(2, 0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [(24, 21), (31, 30)])
def test_backward_of_convolutions(convolution, size):
    torch.manual_seed(1)
    flat = isinstance(convolution, nn.Conv1d)
    x = torch.randn(2, convolution.in_channels, *size[: 1 if flat else 2])
    further = torch.randn_like(convolution(x))
    with torch.no_grad():
        found = ConvBackward(convolution)(further, x.shape)
    torch.testing.assert_close(found, gradient_of(convolution, x, further), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(8, 6), (9, 7)])
def test_backward_of_means(size):
    torch.manual_seed(2)
    pool = nn.AvgPool2d((2, 3))
    x = torch.randn(2, 3, *size)
    further = torch.randn_like(pool(x))
    torch.testing.assert_close(PoolBackward(pool)(further, x.shape), gradient_of(pool, x, further))
    x = torch.randn(2, 3, 40, 4)
    for count, apart in ((4, 1), (3, 4), (7, 4)):
        further = torch.randn(2, 3, 40 - apart * (count - 1), 4)
        wanted = gradient_of(lambda x, c=count, a=apart: moving_mean(x, c, apart=a), x, further)
        torch.testing.assert_close(moving_mean_backward(further, count, apart=apart), wanted)
    x = torch.randn(2, 3, 40)
    further = torch.randn(2, 3, 36)
    wanted = gradient_of(lambda x: nn.functional.avg_pool1d(x, 5, 1), x, further)
    torch.testing.assert_close(moving_mean_1d_backward(further, 5), wanted)


@pytest.mark.parametrize(
    ("rows", "start", "length"),
    [(320, 200, 229 + 39 * 8), (325, 0, 325), (64, 10, 229 + 7 * 8), (400, 60, 300)],
    ids=["once round and more", "no circle", "many times round", "a part of a circle"],
)
def test_all_gradients_equal_those_of_automatic_differentiation(network, rows, start, length):
    torch.manual_seed(rows)
    sound = PaddedSpectrogram(1.5 * torch.rand(3, rows, 149), start, length)
    backward_pass = BackwardPass(network)
    with torch.inference_mode():
        midlevel, trace = backward_pass.forward(sound)
        found = backward_pass.backward(trace)
    wanted_midlevel, wanted = feature_gradients(network, sound)
    torch.testing.assert_close(midlevel, wanted_midlevel, atol=1e-6, rtol=1e-5)
    for feature, gradient in enumerate(wanted):
        error = (found[feature] - gradient).norm() / gradient.norm()
        assert float(error) < 1e-5, feature


def test_silence_has_a_gradient(network):
    """Where all twelve transpositions fit alike."""
    sound = PaddedSpectrogram(torch.zeros(1, 325, 149))
    with torch.inference_mode():
        backward_pass = BackwardPass(network)
        found = backward_pass.backward(backward_pass.forward(sound)[1])
    for gradient, wanted in zip(found, feature_gradients(network, sound)[1], strict=True):
        assert torch.isfinite(gradient).all()
        torch.testing.assert_close(gradient.sum(), wanted.sum(), rtol=1e-3, atol=1e-4)


def test_other_networks_are_left_to_automatic_differentiation(network):
    assert BackwardPass.supports(network)
    for architecture in ("small", "context"):
        other = MidlevelNetwork(architecture)
        optimise_for_inference(other)
        assert not BackwardPass.supports(other)
    assert not BackwardPass.supports(MidlevelNetwork("modulation")), "not optimised for inference"


def test_means_of_gates_of_equal_samples_are_their_gates(network):
    """Four samples that are the same: their mean gradient is that of each."""
    torch.manual_seed(4)
    sound = PaddedSpectrogram(torch.rand(2, 325, 149).repeat(4, 1, 1))
    single, together = BackwardPass(network), BackwardPass(network, samples_per_gate=4)
    with torch.inference_mode():
        wanted = single.backward(single.forward(sound)[1])[:, :2]
        found = together.backward(together.forward(sound)[1])
    assert found.shape == (7, 2, 325, 149)
    assert float((found - wanted).norm() / wanted.norm()) < 1e-5


def test_means_of_gates_give_about_the_mean_gradient(network):
    """Of samples that differ by up to 6 dB, and nearer to it than any sample's own gradient."""
    torch.manual_seed(5)
    loud = torch.rand(1, 325, 149).repeat_interleave(5, 1)[:, :325] + 0.3
    sound = PaddedSpectrogram(loud * (1 + 0.3 * torch.randn(8, 325, 149)).clamp(0.3, 2))
    single, together = BackwardPass(network), BackwardPass(network, samples_per_gate=8)
    with torch.inference_mode():
        each = single.backward(single.forward(sound)[1])
        found = together.backward(together.forward(sound)[1])[:, 0]
    wanted = each.mean(1)
    for feature in range(7):
        error = (found[feature] - wanted[feature]).norm()
        assert float(error) < 0.5 * float((each[feature] - wanted[feature]).flatten(1).norm(dim=1).min())
