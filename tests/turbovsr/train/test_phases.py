import copy

import pytest
import torch
from torch import nn

from turbovsr.rearrange import pixel_shuffle
from turbovsr.train.phases import even_out


def head() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(6, 48, 3, padding=1)


def evened(network: nn.Conv2d) -> nn.Conv2d:
    even_out(other := copy.deepcopy(network))
    return other


def pattern(network: nn.Conv2d, features: torch.Tensor, axis: int) -> torch.Tensor:
    """What the SR pixels vary by along an axis, away from the edges."""
    pixels = pixel_shuffle(network(features))[..., 8:-8, 8:-8]
    return (pixels - pixels.mean(dim=axis, keepdim=True)).abs().max().detach()


@pytest.mark.parametrize("axis", [2, 3])
def test_features_that_stay_the_same_along_an_axis_leave_no_pattern_along_it(axis):
    constant = [2, 6, 12, 12]
    constant[axis] = 1
    features = torch.randn(constant).expand(2, 6, 12, 12)
    assert pattern(head(), features, axis) > 0.1
    assert pattern(evened(head()), features, axis) < 1e-5


def test_it_takes_nothing_twice():
    once = evened(head())
    twice = evened(once)
    assert torch.allclose(twice.weight, once.weight, atol=1e-6) and torch.allclose(twice.bias, once.bias, atol=1e-6)


def test_the_mean_of_each_lr_pixel_stays():
    features = torch.randn(1, 6, 8, 8)
    means = [torch.nn.functional.avg_pool2d(pixel_shuffle(one(features)), 4) for one in (head(), evened(head()))]
    assert torch.allclose(*means, atol=1e-5)
