"""The recurrent part of BasicVSR: propagation of features in both directions of time, and reconstruction."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from baselines.basicvsr.flow import SPyNet, warp

CHANNELS = 64
BLOCKS = 30
SCALE = 4


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), without normalisation."""

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(F.relu_(self.conv1(x))).add_(x)


class Residuals(nn.Module):
    """A convolution, a leaky ReLU, residual blocks: (N, inputs, H, W) -> (N, channels, H, W)."""

    def __init__(self, inputs: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(inputs, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.blocks(F.leaky_relu_(self.enter(x), 0.1))


class Trunk(Residuals):
    """Propagation in one direction of time, from an LR frame and its neighbour's feature to the frame's feature."""

    def __init__(self, blocks: int = BLOCKS) -> None:
        super().__init__(3 + CHANNELS, CHANNELS, blocks)

    def step(self, frame: torch.Tensor, feature: torch.Tensor, flow: torch.Tensor | None) -> torch.Tensor:
        """Compute the feature of one frame.

        Args:
            frame: (1, 3, H, W) RGB in [0, 1].
            feature: (1, 64, H, W), the neighbour's.
            flow: float32 (1, 2, H, W) from this frame to the neighbour, or None where there is none.
        Returns:
            (1, 64, H, W).
        """
        if flow is not None:
            # In float32 whatever the network's precision: bfloat16 cannot hold positions above 256 pixels.
            feature = warp(feature.float(), flow, padding="zeros").to(frame.dtype)
        x = torch.cat((frame, feature), dim=1).contiguous(memory_format=torch.channels_last)
        return self(x)


class Reconstruction(nn.Module):
    """Reconstruction of an SR frame from the features of both directions and the LR frame."""

    def __init__(self) -> None:
        super().__init__()
        self.fuse = nn.Conv2d(2 * CHANNELS, CHANNELS, 1)
        self.up1 = nn.Conv2d(CHANNELS, 4 * CHANNELS, 3, padding=1)
        self.up2 = nn.Conv2d(CHANNELS, 4 * CHANNELS, 3, padding=1)
        self.refine = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.to_rgb = nn.Conv2d(CHANNELS, 3, 3, padding=1)

    def forward(self, frame: torch.Tensor, backward: torch.Tensor, forward: torch.Tensor) -> torch.Tensor:
        """(1, 3, H, W) in [0, 1] and two (1, 64, H, W) -> float32 (1, 3, 4H, 4W), nominally in [0, 1]."""
        x = F.leaky_relu_(self.fuse(torch.cat((backward, forward), dim=1)), 0.1)
        # The leaky ReLU acts on each value alone, so it comes before the shuffle, where it can work in place.
        x = F.pixel_shuffle(F.leaky_relu_(self.up1(x), 0.1), 2)
        x = F.pixel_shuffle(F.leaky_relu_(self.up2(x), 0.1), 2)
        x = self.to_rgb(F.leaky_relu_(self.refine(x), 0.1)).float()
        return x + F.interpolate(frame.float(), scale_factor=SCALE, mode="bilinear", align_corners=False)


class Network(nn.Module):
    """All the weights of BasicVSR: 6.3 million parameters, 1.44 million of them SPyNet's.

    Args:
        blocks: residual blocks in each direction.
    """

    def __init__(self, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.flow = SPyNet()
        self.backward_trunk = Trunk(blocks)
        self.forward_trunk = Trunk(blocks)
        self.reconstruction = Reconstruction()
