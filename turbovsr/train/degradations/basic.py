"""The degradations of benchmarks, bicubic (BI) and Gaussian blur with subsampling (BD), on batches of clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from frames import degradations
from frames.degradations import degrade_clips

SCALE = 4


@dataclass(frozen=True, kw_only=True)
class Bicubic:
    """BI: nothing is random."""

    def __call__(self, gt: Tensor, rng: np.random.Generator) -> Tensor:
        return degrade_clips(degradations.Bicubic(SCALE), gt)


@dataclass(frozen=True, kw_only=True)
class BlurDown:
    """Gaussian blur, then every 4th pixel from index 0. Sigma 1.6 and size 13 are BD; a range of sigmas is drawn from,
    one sigma for each clip."""

    sigma: tuple[float, float] = (1.6, 1.6)
    size: int = 13

    def __post_init__(self):
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma: a range [low, high] above 0 is needed, got {list(self.sigma)}")
        if self.size < 1 or self.size % 2 == 0:
            raise ValueError(f"size: the kernel's edge must be odd, got {self.size}")

    def __call__(self, gt: Tensor, rng: np.random.Generator) -> Tensor:
        sigmas = rng.uniform(*self.sigma, size=len(gt))
        blurs = [degradations.BlurDown(SCALE, sigma=float(sigma), size=self.size) for sigma in sigmas]
        return torch.cat([degrade_clips(blur, clip[None]) for blur, clip in zip(blurs, gt)])
