"""SPAN for inference: each convolution is one 3x3, into which the branches of training are summed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from baselines.ncnn import Constant

BLOCKS = 6


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Block(nn.Module):
    """Three convolutions; the last result is also the attention, by an odd function without parameters."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv3(channels, channels) for _ in range(3))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, C, H, W) -> the result, and the activation after the first convolution, both (N, C, H, W)."""
        first = F.silu(self.convs[0](x))
        last = self.convs[2](F.silu(self.convs[1](first)))
        return (last + x) * (torch.sigmoid(last) - 0.5), first


class SPAN(nn.Module):
    """float (N, 3, H, W) RGB in [0, 1] -> (N, 3, scale*H, scale*W)."""

    context = 22  # one for each 3x3 convolution in a row: tiles are exact

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.mean = Constant(3)
        self.enter = _conv3(3, channels)
        self.blocks = nn.ModuleList(Block(channels) for _ in range(BLOCKS))
        self.leave = _conv3(channels, channels)
        self.fuse = nn.Conv2d(4 * channels, channels, 1)
        self.to_rgb = _conv3(channels, 3 * scale**2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        entered = self.enter((x - self.mean.weight.view(1, 3, 1, 1)) * 255)
        x, results = entered, []
        for block in self.blocks:
            x, first = block(x)
            results.append(x)
        x = self.fuse(torch.cat((entered, self.leave(x), results[0], first), dim=1))
        return F.pixel_shuffle(self.to_rgb(x), self.scale)
