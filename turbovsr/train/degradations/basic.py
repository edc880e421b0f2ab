"""The degradations of benchmarks: bicubic (BI) and Gaussian blur with subsampling (BD)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from turbovsr.resample import bicubic

SCALE = 4


def to_8_bits(frames: Tensor) -> Tensor:
    """Round [-1, 1] to the 256 levels that a stored frame has."""
    return ((frames + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1


def degrade(gt: Tensor, scale: int = SCALE) -> Tensor:
    """MATLAB bicubic of (B, 3, T, H, W) in [-1, 1] by 1/scale, rounded to 8 bits as a stored LR frame is."""
    batch, _, frames, height, width = gt.shape
    lr = to_8_bits(bicubic(gt.transpose(1, 2).flatten(0, 1), (height // scale, width // scale)))
    return lr.unflatten(0, (batch, frames)).transpose(1, 2)


@dataclass(frozen=True, kw_only=True)
class Bicubic:
    """BI: nothing is random."""

    def __call__(self, gt: Tensor, rng: np.random.Generator) -> Tensor:
        return degrade(gt)


@dataclass(frozen=True, kw_only=True)
class BlurDown:
    """Gaussian blur, then every 4th pixel from index 0. Sigma 1.6 and size 13 are BD; a range of sigmas is drawn from,
    one sigma for each clip.

    Borders are reflected without repeating the edge pixel, as the published BD does.
    """

    sigma: tuple[float, float] = (1.6, 1.6)
    size: int = 13

    def __post_init__(self):
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma: a range [low, high] above 0 is needed, got {list(self.sigma)}")
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"size: the kernel's edge must be odd, got {self.size}")

    def __call__(self, gt: Tensor, rng: np.random.Generator) -> Tensor:
        sigmas = rng.uniform(*self.sigma, size=len(gt))
        return torch.stack([self._blur_down(clip, float(sigma)) for clip, sigma in zip(gt, sigmas)])

    def _blur_down(self, clip: Tensor, sigma: float) -> Tensor:
        """(3, T, H, W) -> (3, T, H/4, W/4)."""
        half = self.size // 2
        kernel = torch.exp(-0.5 * (torch.arange(-half, half + 1, dtype=torch.float64) / sigma) ** 2)
        kernel = (kernel / kernel.sum()).to(clip)
        x = F.pad(clip.flatten(0, 1), (half, half, half, half), mode="reflect").unsqueeze(1)
        # The rows and columns that subsampling drops are never computed.
        x = F.conv2d(x, kernel.view(1, 1, -1, 1), stride=(SCALE, 1))
        x = F.conv2d(x, kernel.view(1, 1, 1, -1), stride=(1, SCALE))
        return to_8_bits(x).view(*clip.shape[:2], *x.shape[-2:])
