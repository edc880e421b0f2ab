"""Random shifts and sizes of the frames that perceptual networks see, the same for SR and GT."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

SHIFT = 16  # pixels: the coarsest stride of the features in LPIPS and DISTS
SCALES = (0.75, 1.25)


def jittered(
    sr: Tensor, gt: Tensor, rng: np.random.Generator, window: int = 0, resized: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Cut both frames, (N, 3, H, W), to a window at a random place; in a share `resized` of the cases resize it.

    The window's edge is `window` pixels, or with 0 the frame's less 16.

    Networks look at pictures in strides of 4 to 16 pixels, and crops begin at LR pixels: without a shift, a pattern
    made for those places alone lowers their distance. After E-LPIPS (Kettunen et al. 2019, arXiv 1906.03973).
    """
    height, width = (min(window or side - SHIFT, side) for side in sr.shape[-2:])
    top, left = (int(rng.integers(0, room)) for room in (max(sr.shape[-2] - height, 1), max(sr.shape[-1] - width, 1)))
    sr, gt = (x[..., top : top + height, left : left + width] for x in (sr, gt))
    if rng.random() < resized:
        size = [round(side * rng.uniform(*SCALES)) for side in (height, width)]
        sr, gt = (F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False) for x in (sr, gt))
    return sr, gt
