"""Linear transforms between the HR detail in latent cells and the latent: analysis and synthesis, as in a codec.

A latent cell is 32x32 HR pixels, 3072 values a frame, in the order (LR row, LR column, colour, row, column in the LR
pixel). 128 principal components hold over 40 % of the power that a regression network misses. Training starts from them
(`turbovsr.train.components`): gradient descent alone found only some sixteen directions. See
docs/decisions/turbovsr-latent.md.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.geometry import CELL, SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION
from turbovsr.layers import normal_parameter
from turbovsr.rearrange import space_to_depth

CELL_VALUES = 3 * SPATIAL_COMPRESSION**2
# The basis is stored with entries near 1 and scaled here, so that one learning rate suits it and everything else.
BASIS_SCALE = 1 / math.sqrt(CELL_VALUES)


class AnalysisTransform(nn.Module):
    """HR detail, pixel-unshuffled, to latent, (B*(1+8k), 48, 8h, 8w) -> (B, C, 1+k, h, w)."""

    def __init__(self, channels: int):
        super().__init__()
        self.basis = normal_parameter(channels, CELL_VALUES)
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.rest = nn.Conv2d(TEMPORAL_COMPRESSION * channels, channels, 1, bias=False)

    def forward(self, detail: Tensor, batch: int) -> Tensor:
        cells = space_to_depth(detail, CELL)
        coefficients = F.conv2d(cells, BASIS_SCALE * self.basis[:, :, None, None]).unflatten(0, (batch, -1))
        frames = coefficients.shape[1]
        latent = self.first(coefficients[:, 0]).unsqueeze(1)
        if frames > 1:
            groups = coefficients[:, 1:].unflatten(1, (-1, TEMPORAL_COMPRESSION)).flatten(2, 3).flatten(0, 1)
            latent = torch.cat([latent, self.rest(groups).unflatten(0, (batch, -1))], dim=1)
        return latent.transpose(1, 2)


class SynthesisTransform(nn.Module):
    """Latent to HR detail in two steps, `coefficients` and then the larger `detail`, which can run frame by frame.

    Args:
        detail: whether there is a second step.
    """

    basis: nn.Parameter | None

    def __init__(self, channels: int, detail: bool = True):
        super().__init__()
        basis = nn.Parameter(torch.zeros(CELL_VALUES, channels)) if detail else None  # zero until components are known
        self.register_parameter("basis", basis)
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.rest = nn.Conv2d(channels, TEMPORAL_COMPRESSION * channels, 1, bias=False)

    def coefficients(self, latent: Tensor) -> Tensor:
        """Coefficients of the basis for each frame, (B, C, 1+k, h, w) -> (B*(1+8k), C, h, w)."""
        batch = latent.shape[0]
        coefficients = self.first(latent[:, :, 0]).unsqueeze(1)
        if latent.shape[2] > 1:
            rest = self.rest(latent[:, :, 1:].transpose(1, 2).flatten(0, 1))
            rest = rest.unflatten(1, (TEMPORAL_COMPRESSION, -1)).unflatten(0, (batch, -1)).flatten(1, 2)
            coefficients = torch.cat([coefficients, rest], dim=1)
        return coefficients.flatten(0, 1)

    def coefficients_of_frame(self, latent: Tensor, frame: int) -> Tensor:
        """Coefficients of the basis for one frame of one clip, (1, C, 1+k, h, w) -> (1, C, h, w)."""
        if frame == 0:
            return self.first(latent[:, :, 0])
        group, place = divmod(frame - 1, TEMPORAL_COMPRESSION)
        weight = self.rest.weight.unflatten(0, (TEMPORAL_COMPRESSION, -1))[place]
        return F.conv2d(latent[:, :, 1 + group], weight)

    def detail(self, coefficients: Tensor) -> Tensor:
        """HR detail of frames from their coefficients, (N, C, h, w) -> (N, 3072, h, w), for `depth_to_space` by 8."""
        assert self.basis is not None
        return F.conv2d(BASIS_SCALE * coefficients, self.basis[:, :, None, None])
