"""Optical flow by SPyNet (Ranjan and Black, "Optical Flow Estimation using a Spatial Pyramid Network", CVPR 2017)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

LEVELS = 6
_MULTIPLE = 2 ** (LEVELS - 1)  # the pyramid halves the frame LEVELS - 1 times


def warp(image: torch.Tensor, flow: torch.Tensor, padding: str) -> torch.Tensor:
    """Fetch, for each pixel p, the bilinear sample of `image` at p + flow(p).

    Args:
        image: (N, C, H, W) of the dtype of `flow`.
        flow: (N, 2, H, W) in pixels; channel 0 is x (to the right), channel 1 is y (down).
        padding: what lies outside the image: "zeros" or "border".
    """
    height, width = image.shape[-2:]
    x = torch.arange(width, dtype=flow.dtype, device=flow.device)
    y = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    # grid_sample with align_corners=True wants 0 .. size-1 as -1 .. 1.
    grid = torch.stack(
        ((x + flow[:, 0]) * (2 / max(width - 1, 1)) - 1, (y + flow[:, 1]) * (2 / max(height - 1, 1)) - 1), dim=-1
    )
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding, align_corners=True)


def _level() -> nn.Sequential:
    """The network of one level: 8 channels (two RGB images and a flow) in, a correction of the flow out."""
    channels = (8, 32, 64, 32, 16, 2)
    layers: list[nn.Module] = []
    for before, after in zip(channels, channels[1:]):
        layers += [nn.Conv2d(before, after, 7, padding=3), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class SPyNet(nn.Module):
    """Coarse-to-fine flow: each level warps by the flow so far and adds a correction."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(_level() for _ in range(LEVELS))
        # ImageNet statistics of RGB in [0, 1].
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def forward(self, reference: torch.Tensor, support: torch.Tensor) -> torch.Tensor:
        """Estimate the flow that maps `support` onto `reference`: reference(p) ~ support(p + flow(p)).

        Args:
            reference, support: float32 (N, 3, H, W) RGB in [0, 1], any size: the pyramid works at the next multiples
                of 32 and the flow is brought back, in pixels of the given size.
        Returns:
            float32 (N, 2, H, W).
        """
        height, width = reference.shape[-2:]
        inner = (math.ceil(height / _MULTIPLE) * _MULTIPLE, math.ceil(width / _MULTIPLE) * _MULTIPLE)
        references, supports = self._pyramid(reference, inner), self._pyramid(support, inner)

        flow = torch.zeros_like(references[0][:, :2])
        warped = supports[0]
        for level, network in enumerate(self.levels):
            if level > 0:
                flow = 2 * F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=True)
                warped = warp(supports[level], flow, padding="border")
            flow = flow + network(torch.cat((references[level], warped, flow), dim=1))

        flow = F.interpolate(flow, size=(height, width), mode="bilinear", align_corners=False)
        return flow * flow.new_tensor((width / inner[1], height / inner[0])).view(1, 2, 1, 1)

    def _pyramid(self, image: torch.Tensor, inner: tuple[int, int]) -> list[torch.Tensor]:
        """Normalised copies of `image`, the coarsest first."""
        image = F.interpolate(image, size=inner, mode="bilinear", align_corners=False)
        images = [(image - self.mean) / self.std]
        for _ in range(LEVELS - 1):
            images.append(F.avg_pool2d(images[-1], 2))
        return images[::-1]
