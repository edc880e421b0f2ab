"""The two generators of Real-ESRGAN used here. Both map float (N, 3, H, W) RGB in [0, 1] to (N, 3, 4H, 4W).

`context` of each: the LR pixels around a tile with which its result is (nearly) that of the whole frame."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

SCALE = 4


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the block's input and all results before it; then a scaled residual."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.growing = nn.ModuleList(_conv3(channels + i * growth, growth) for i in range(4))
        self.last = _conv3(channels + 4 * growth, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x
        for conv in self.growing:
            seen = torch.cat((seen, F.leaky_relu_(conv(seen), 0.2)), dim=1)
        return torch.add(x, self.last(seen), alpha=0.2)


class DenseGroup(nn.Module):
    """Three dense blocks in a scaled residual ("RRDB")."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(channels, growth) for _ in range(3)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.add(x, self.blocks(x), alpha=0.2)


class RRDBNet(nn.Module):
    """The network of ESRGAN (Wang et al., 2018), as used by `x4plus`: a pyramid of two nearest-neighbour doublings."""

    context = 32  # it sees hundreds of pixels; with 32 tiles differ from the whole frame by 1 level at seams (10: 3.5)

    def __init__(self, groups: int = 23, channels: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.enter = _conv3(3, channels)
        self.groups = nn.Sequential(*(DenseGroup(channels, growth) for _ in range(groups)))
        self.leave = _conv3(channels, channels)
        self.up1 = _conv3(channels, channels)
        self.up2 = _conv3(channels, channels)
        self.refine = _conv3(channels, channels)
        self.to_rgb = _conv3(channels, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        x = x + self.leave(self.groups(x))
        for up in (self.up1, self.up2):
            x = F.leaky_relu_(up(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.to_rgb(F.leaky_relu_(self.refine(x), 0.2))


class SRVGGNet(nn.Module):
    """The compact network of `animevideov3`: convolutions at LR size, one pixel shuffle, added to repeated pixels."""

    context = 18  # one for each convolution: tiles are exact

    def __init__(self, layers: int = 17, channels: int = 64) -> None:
        super().__init__()
        body: list[nn.Module] = []
        for i in range(layers):
            body += [_conv3(channels if i else 3, channels), nn.PReLU(channels)]
        self.body = nn.Sequential(*body, _conv3(channels, 3 * SCALE**2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = F.pixel_shuffle(self.body(x), SCALE)
        return residual.add_(F.interpolate(x, scale_factor=SCALE, mode="nearest"))
