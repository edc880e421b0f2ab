"""Cleaning of the LR frames' colours, for a decoder whose LR frames are not clean.

Codecs store colours at half the frame's size and in few bits, so stains of colour are the main fault of compressed
frames. A decoder trained by distances in RGB hardly removes them (docs/decisions/turbovsr-colours.md). Like the
image cleaning of RealBasicVSR (Chan et al., CVPR 2022, arXiv 2111.12704) these layers have a loss of their own, at the
LR size. They change only chroma; the rest of the decoder tells noise from detail in luma.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.layers import SpatialBlock, zero_conv
from turbovsr.rearrange import depth_to_space, space_to_depth

REDUCTION = 2  # LR size over the size of these layers, at which most files store colours

RED, GREEN, BLUE = 0.299, 0.587, 0.114  # luma's weights (ITU-R BT.601)


def chroma(frames: Tensor) -> Tensor:
    """Cb and Cr of RGB frames, (N, 3, H, W) -> (N, 2, H, W); for frames in [-1, 1] each in [-1, 1] (ITU-R BT.601)."""
    red, green, blue = frames.unbind(1)
    luma = RED * red + GREEN * green + BLUE * blue
    return torch.stack([(blue - luma) / (2 - 2 * BLUE), (red - luma) / (2 - 2 * RED)], dim=1)


def rgb_of_chroma(values: Tensor) -> Tensor:
    """RGB frames with this chroma and a luma of 0, (N, 2, H, W) -> (N, 3, H, W); `chroma` inverts it."""
    blue, red = (2 - 2 * BLUE) * values[:, 0], (2 - 2 * RED) * values[:, 1]
    return torch.stack([red, -(RED * red + BLUE * blue) / GREEN, blue], dim=1)


class ColourCleaning(nn.Module):
    """Layers that correct the chroma of LR frames, (N, 3, H, W) in [-1, 1] with H and W multiples of 2; luma stays.

    They start as the identity.

    Args:
        width: channels, at half the LR size.
        blocks: number of residual blocks.
    """

    multiple = REDUCTION

    def __init__(self, width: int, blocks: int):
        super().__init__()
        self.stem = nn.Conv2d(3 * REDUCTION**2, width, 3, padding=1)
        self.blocks = nn.Sequential(*(SpatialBlock(width) for _ in range(blocks)))
        self.head = zero_conv(width, 2 * REDUCTION**2, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        x = space_to_depth(frames.to(self.stem.weight.dtype), REDUCTION)
        change = self.head(F.relu(self.blocks(self.stem(x))))
        return frames + rgb_of_chroma(depth_to_space(change, REDUCTION).to(frames.dtype))
