"""The residual dense network with the upsampling of the ISR library: repeated pixels and one convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Block(nn.Module):
    """x + fuse(x, relu(grow(x))): one growing convolution a block in both sizes."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.grow = _conv3(channels, growth)
        self.fuse = nn.Conv2d(channels + growth, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fuse(torch.cat((x, F.relu(self.grow(x))), dim=1)).add_(x)


class Network(nn.Module):
    """float (N, 3, H, W) RGB in [0, 1] -> (N, 3, scale*H, scale*W).

    Args:
        channels: of the features.
        growth: channels that a block adds.
        blocks: how many there are.
        scale: of the upsampling.
    """

    def __init__(self, channels: int, growth: int, blocks: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.enter = _conv3(3, channels)
        self.deepen = _conv3(channels, channels)
        self.blocks = nn.ModuleList(Block(channels, growth) for _ in range(blocks))
        self.fuse = nn.Conv2d(blocks * channels, channels, 1)
        self.leave = _conv3(channels, channels)
        self.up1 = nn.Conv2d(channels, 64, 5, padding=2)
        self.up2 = _conv3(64, 32)
        self.up3 = _conv3(32, 3 * scale**2)
        self.to_rgb = _conv3(3 * scale**2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        entered = self.enter(x)
        x, results = self.deepen(entered), []
        for block in self.blocks:
            x = block(x)
            results.append(x)
        x = self.leave(self.fuse(torch.cat(results, dim=1))).add_(entered)
        x = self.up3(F.relu_(self.up2(F.relu_(self.up1(x)))))
        return self.to_rgb(F.interpolate(x, scale_factor=self.scale, mode="nearest"))
