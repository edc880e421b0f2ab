"""Second-order deformable alignment: two earlier features fetched by flow plus learned offsets."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.ops import deform_conv2d

GROUPS = 16
LARGEST_RESIDUE = 10
"""Pixels that an offset may differ from the flow (equation 6 of the paper)."""


class Alignment(nn.Module):
    """A modulated deformable 3x3 convolution over two features, its offsets around their flows.

    Args:
        channels: of a feature, a multiple of 8: the two features together are cut into 16 groups.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, 2 * channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(channels))
        layers: list[nn.Module] = []
        for inputs in (3 * channels + 4, channels, channels):
            layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.LeakyReLU(0.1, inplace=True)]
        self.offsets = nn.Sequential(*layers, nn.Conv2d(channels, 27 * GROUPS, 3, padding=1))

    def forward(self, features: torch.Tensor, seen: torch.Tensor, first: torch.Tensor, second: torch.Tensor):
        """Align two features to a frame.

        Args:
            features: (N, 2*C, H, W), the neighbour's and that of the frame behind it.
            seen: (N, 3*C, H, W): the neighbour's feature warped, the frame's own, the other's warped.
            first, second: (N, 2, H, W), flow from the frame to the two others, (x, y) in pixels.
        Returns:
            (N, C, H, W).
        """
        rows, columns, mask = self.offsets(torch.cat((seen, first, second), dim=1)).chunk(3, dim=1)
        residues = LARGEST_RESIDUE * torch.tanh(torch.cat((rows, columns), dim=1))
        # Half of the groups follow the first flow, half the second; offsets are (y, x) pairs, flow is (x, y).
        flows = [flow.flip(1).repeat(1, residues.shape[1] // 4, 1, 1) for flow in (first, second)]
        offset = residues + torch.cat(flows, dim=1)
        return deform_conv2d(features, offset, self.weight, self.bias, padding=1, mask=torch.sigmoid(mask))
