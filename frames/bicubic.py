"""MATLAB's imresize with the bicubic kernel, for tensors."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def bicubic(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (N, C, H, W) float frames to `size` = (height, width), antialiased when shrinking.

    Equal to MATLAB's imresize, borders included: torch's antialiased bicubic has the same kernel (a = -0.5), and
    mirroring the frame beyond its edges, the edge pixel repeated, gives it MATLAB's border rule. The pad is taken in
    whole input pixels that map to whole output pixels, so the grid keeps its phase. The scale is one fraction for both
    sides that gives whole pixels: 4, 1/4, 3/4 of a multiple of 4. Computed in float64 for float64 frames, in float32
    for all others, and returned in the type that came in.

    Raises:
        ValueError: the sides have different scales.
    """
    height, width = frames.shape[-2:]
    scale = Fraction(size[0], height)
    if scale <= 0 or scale != Fraction(size[1], width):
        raise ValueError(f"cannot resize {height}x{width} to {size[0]}x{size[1]}: both sides need the same scale")
    if scale == 1:
        return frames
    grown, step = scale.numerator, scale.denominator  # `step` input pixels become `grown` output pixels
    reach = 2 * max(Fraction(1), 1 / scale) + 1  # of the kernel, in input pixels, and one for where its centre lies
    steps = math.ceil(reach / step)
    padded = symmetric_pad(frames, steps * step)
    out = antialiased(padded, (padded.shape[-2] // step * grown, padded.shape[-1] // step * grown)).to(frames.dtype)
    crop = steps * grown
    return out[..., crop : crop + size[0], crop : crop + size[1]]


def antialiased(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """torch's antialiased bicubic of (N, C, H, W), in float64 for float64 frames, else in float32.

    At the borders the weights are renormalised, which is not MATLAB's rule.
    """
    frames = frames if frames.dtype == torch.float64 else frames.float()
    return F.interpolate(frames, size=size, mode="bicubic", antialias=True, align_corners=False)


def symmetric_pad(frames: Tensor, pad: int) -> Tensor:
    """Mirror (N, C, H, W) frames by `pad` pixels on each side, the edge pixel repeated, as often as it takes."""
    for dim in (-2, -1):
        frames = frames.index_select(dim, _mirrored(frames.shape[dim], pad, frames.device))
    return frames


@lru_cache(maxsize=64)
def _mirrored(length: int, pad: int, device: torch.device) -> Tensor:
    """Source index of each place of a padded row; cached, because sending it to a GPU makes the host wait."""
    index = torch.arange(-pad, length + pad) % (2 * length)
    with torch.inference_mode(False):  # cached tensors must be good for training too
        return torch.where(index < length, index, 2 * length - 1 - index).clone().to(device)
