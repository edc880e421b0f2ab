"""Random shifts and sizes for what perceptual networks see, the same for SR and GT."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

SHIFT = 16  # pixels: the coarsest stride of the features in LPIPS and DISTS
SCALES = (0.75, 1.25)
RESIZE_PROB = 0.5


def jittered(sr: Tensor, gt: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Cut both frames, (N, 3, H, W), to a window 16 pixels smaller at a random place; in half the cases resize it.

    Networks look at pictures in strides of 4 to 16 pixels, and crops begin at LR pixels: without a shift, a pattern
    made for those places alone lowers their distance. After E-LPIPS (Kettunen et al. 2019, arXiv 1906.03973).
    """
    top, left = rng.integers(0, SHIFT, 2)
    height, width = (side - SHIFT for side in sr.shape[-2:])
    sr, gt = (x[..., top : top + height, left : left + width] for x in (sr, gt))
    if rng.random() < RESIZE_PROB:
        size = [round(side * rng.uniform(*SCALES)) for side in (height, width)]
        sr, gt = (F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False) for x in (sr, gt))
    return sr, gt
