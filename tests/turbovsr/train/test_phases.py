import copy

import pytest
import torch
from torch import nn

from turbovsr.rearrange import pixel_shuffle
from turbovsr.train.phases import damp_phases


def head() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(6, 48, 3, padding=1)


def pattern(network: nn.Conv2d, features: torch.Tensor, axis: int) -> torch.Tensor:
    """What the SR pixels vary by along an axis, away from the edges."""
    pixels = pixel_shuffle(network(features))[..., 8:-8, 8:-8]
    return (pixels - pixels.mean(dim=axis, keepdim=True)).abs().max().detach()


@pytest.mark.parametrize("axis", [2, 3])
def test_features_that_stay_the_same_along_an_axis_leave_no_pattern_along_it(axis):
    constant = [2, 6, 12, 12]
    constant[axis] = 1
    features = torch.randn(constant).expand(2, 6, 12, 12)
    network = head()
    before = pattern(network, features, axis)
    damped = {share: copy.deepcopy(network) for share in (0.5, 1.0)}
    for share, one in damped.items():
        damp_phases(one, share)
    assert before > 0.1
    assert pattern(damped[1.0], features, axis) < 1e-5
    # The mean along the axis stays what it was, and a share of one half halves the rest.
    assert pattern(damped[0.5], features, axis) == pytest.approx(before.item() / 2, rel=0.4)


def test_it_takes_nothing_twice_and_nothing_for_a_share_of_zero():
    network, once = head(), head()
    damp_phases(once, 0.0)
    assert torch.equal(once.weight, network.weight) and torch.equal(once.bias, network.bias)
    damp_phases(once, 1.0)
    twice = copy.deepcopy(once)
    damp_phases(twice, 1.0)
    assert torch.allclose(twice.weight, once.weight, atol=1e-6) and torch.allclose(twice.bias, once.bias, atol=1e-6)


def test_the_mean_of_each_lr_pixel_stays():
    network, damped = head(), head()
    damp_phases(damped, 1.0)
    features = torch.randn(1, 6, 8, 8)
    means = [torch.nn.functional.avg_pool2d(pixel_shuffle(one(features)), 4) for one in (network, damped)]
    assert torch.allclose(*means, atol=1e-5)
