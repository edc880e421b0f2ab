"""Colour fixes: the colours of the LR frames for SR frames of networks whose colours drift.

Both compare the SR frame, averaged over the 4x4 pixels of each LR pixel, with the LR frame: at that size both should be
equal, and there is little to compute.

- wavelet: the coarse band of the SR frame is replaced by that of the LR frame, the fine bands stay (as the wavelet
  colour fix of StableSR: an a trous decomposition with the kernel 1 2 1). Corrects local blotches too.
- adain: each colour's mean and deviation become those of the LR frame (as AdaIN, arXiv 1703.06868). Corrects a cast of
  the whole frame only.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from turbovsr.geometry import SCALE

LEVELS = 3  # with dilations 1, 2, 4 at the LR size; structures wider than about 8 LR pixels stay in the coarse band


def coarse_band(frame: Tensor) -> Tensor:
    """Low-pass a frame (3, h, w), edges repeated."""
    for level in range(LEVELS):
        reach = 2**level
        x = F.pad(frame, (reach, reach, reach, reach), mode="replicate")
        for dim in (-2, -1):  # the kernel 1 2 1 with holes, as sums of slices: quicker than a convolution
            before, here, after = (x.narrow(dim, i * reach, x.shape[dim] - 2 * reach) for i in range(3))
            x = (before + after).mul_(0.25).add_(here, alpha=0.5)
        frame = x
    return frame


def wavelet(sr: Tensor, lr: Tensor) -> None:
    """Replace the coarse band of `sr` by that of `lr`, in place."""
    missing = coarse_band(lr - F.avg_pool2d(sr, SCALE))
    sr += F.interpolate(missing.unsqueeze(0), scale_factor=SCALE, mode="bilinear", align_corners=False)[0]


def adain(sr: Tensor, lr: Tensor) -> None:
    """Give each colour of `sr` the mean and deviation that it has in `lr`, in place."""
    (deviation, mean), (wanted_deviation, wanted_mean) = (
        torch.std_mean(x.flatten(1), dim=1, correction=0) for x in (F.avg_pool2d(sr, SCALE), lr)
    )
    gain = torch.where(deviation > 0, wanted_deviation / deviation.clamp(min=1e-6), torch.ones_like(deviation))
    sr.mul_(gain.view(3, 1, 1)).add_((wanted_mean - gain * mean).view(3, 1, 1))


def unchanged(sr: Tensor, lr: Tensor) -> None:
    """Leave `sr` as it is."""


COLOR_FIXES = {"none": unchanged, "wavelet": wavelet, "adain": adain}
"""fix(sr, lr): correct `sr`, float levels (3, 4h, 4w), in place, after `lr`, float levels (3, h, w)."""
