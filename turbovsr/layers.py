"""Parts of several networks: a residual block, and parameters with random starting values."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.rearrange import space_to_depth

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


class SmallerSizes(nn.Module):
    """Residual blocks at half the size and, within them, at a quarter; (N, C, H, W), H and W multiples of
    `multiple`.

    A U-Net's inner levels (Ronneberger et al. 2015, arXiv 1505.04597): at half the size twice the channels take the
    same arithmetic and see twice as far. Enlargement is bilinear, which leaves no lattice. It starts as the identity.

    Args:
        channels: of the input; the blocks at half the size have twice as many.
        blocks: numbers of blocks at each size, half of them before and half after the next smaller size.
    """

    def __init__(self, channels: int, blocks: Sequence[int]):
        super().__init__()
        inner, count = 2 * channels, blocks[0]
        self.down = nn.Conv2d(4 * channels, inner, 1)
        self.before = nn.Sequential(*(SpatialBlock(inner) for _ in range(count - count // 2)))
        self.smaller = SmallerSizes(inner, blocks[1:]) if any(blocks[1:]) else None
        self.after = nn.Sequential(*(SpatialBlock(inner) for _ in range(count // 2)))
        self.up = zero_conv(inner, channels, 1)
        self.multiple: int = 2 * (self.smaller.multiple if self.smaller else 1)  # H and W are multiples of this

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(self.down(space_to_depth(x, 2)))
        if self.smaller is not None:
            y = self.smaller(y)
        large = F.interpolate(self.up(self.after(y)), scale_factor=2.0, mode="bilinear", align_corners=False)
        return large.add_(x)  # in place: of a large frame each of these takes a quarter of a gigabyte


SLOPE = 0.1


def leaky_(x: Tensor) -> Tensor:
    """LeakyReLU in place. Plain layers learn motion better with it than with ReLU."""
    return F.leaky_relu_(x, SLOPE)


class PlainLayer(nn.Module):
    """A 3x3 convolution and a LeakyReLU in place, (N, C, H, W) -> the same.

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
