"""Linear maps between the HR detail inside latent cells and the latent.

A cell is 32x32 HR pixels, 3072 numbers a frame, in the order (LR row, LR column, colour, row, column within the LR
pixel); 128 principal components hold over 40 % of the power of what a
regression network misses there. Training starts from those components (`turbovsr.train.components`): an encoder left to
find them by gradient descent alone stuck to some sixteen directions. See docs/decisions/turbovsr-latent.md.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.shuffle import grow, shrink

CELL_HR = 32
CELL_LR = 8
GROUP = 8  # frames of a latent frame after the first
NUMBERS = 3 * CELL_HR**2
PER_LR_PIXEL = 48  # HR numbers at one LR pixel: 3 colours, 4x4 places
# The basis is stored with entries near 1 and scaled here, so that one learning rate suits it and everything else.
BASIS_SCALE = 1 / math.sqrt(NUMBERS)


class CellAnalysis(nn.Module):
    """HR detail as `to_cells` gives it, (B*(1+8k), 48, 8h, 8w) -> latent (B, C, 1+k, h, w)."""

    def __init__(self, channels: int):
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, NUMBERS))
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.rest = nn.Conv2d(GROUP * channels, channels, 1, bias=False)

    def forward(self, detail: Tensor, batch: int) -> Tensor:
        cells = shrink(detail, CELL_LR)
        coefficients = F.conv2d(cells, BASIS_SCALE * self.basis[:, :, None, None]).unflatten(0, (batch, -1))
        frames = coefficients.shape[1]
        latent = self.first(coefficients[:, 0]).unsqueeze(1)
        if frames > 1:
            groups = coefficients[:, 1:].unflatten(1, (-1, GROUP)).flatten(2, 3).flatten(0, 1)
            latent = torch.cat([latent, self.rest(groups).unflatten(0, (batch, -1))], dim=1)
        return latent.transpose(1, 2)


class CellSynthesis(nn.Module):
    """Latent -> HR detail, in two steps so that the second, larger one can go frame by frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.basis = nn.Parameter(torch.zeros(NUMBERS, channels))  # until components are known
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.rest = nn.Conv2d(channels, GROUP * channels, 1, bias=False)

    def coefficients(self, latent: Tensor) -> Tensor:
        """(B, C, 1+k, h, w) -> (B*(1+8k), C, h, w)."""
        batch = latent.shape[0]
        coefficients = self.first(latent[:, :, 0]).unsqueeze(1)
        if latent.shape[2] > 1:
            rest = self.rest(latent[:, :, 1:].transpose(1, 2).flatten(0, 1))
            rest = rest.unflatten(1, (GROUP, -1)).unflatten(0, (batch, -1)).flatten(1, 2)
            coefficients = torch.cat([coefficients, rest], dim=1)
        return coefficients.flatten(0, 1)

    def detail(self, coefficients: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, 48, 8h, 8w): at each LR pixel its 4x4 HR pixels, as `to_pixels` takes them."""
        return grow(F.conv2d(BASIS_SCALE * coefficients, self.basis[:, :, None, None]), CELL_LR)
