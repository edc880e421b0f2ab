"""Parts of several networks: a residual block, and parameters with random starting values."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RANDOM_SHARE = 0.3  # of the usual random weights, in a layer that starts near the identity


class SpatialBlock(nn.Module):
    """Residual pair of 3x3 convolutions within each frame, (N, C, H, W) -> the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = zero_conv(
            channels, channels, 3, padding=1
        )  # starts as the identity: deep stacks then train at once

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


SLOPE = 0.1


def leaky_(x: Tensor) -> Tensor:
    """LeakyReLU in place. Plain layers learn motion better with it than with ReLU."""
    return F.leaky_relu_(x, SLOPE)


class PlainLayer(nn.Module):
    """A 3x3 convolution and a LeakyReLU, (N, C, H, W) -> the same, with as little memory traffic as that takes.

    The convolution starts near the identity, which is what a residual connection would add to it (Zagoruyko and
    Komodakis 2017, "DiracNets", arXiv 1706.00388).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            weight, bias = self.conv.weight, self.conv.bias
            assert bias is not None
            bias.zero_()
            if not weight.is_meta:
                weight.mul_(RANDOM_SHARE).add_(nn.init.dirac_(torch.empty_like(weight)))

    def forward(self, x: Tensor) -> Tensor:
        return leaky_(self.conv(x))


def normal_parameter(*shape: int, divisor: float = 1.0) -> nn.Parameter:
    """Standard normal values divided by `divisor`; none are drawn on the meta device, where it would cost seconds."""
    values = torch.empty(shape)
    return nn.Parameter(values if values.is_meta else values.normal_().div_(divisor))


def zero_conv(in_channels: int, out_channels: int, kernel: int, padding: int = 0) -> nn.Conv2d:
    """A convolution whose weights and biases start at zero."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=padding)
    for parameter in conv.parameters():
        nn.init.zeros_(parameter)
    return conv
