"""MATLAB's imresize with the bicubic kernel, for tensors."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def bicubic(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (N, C, H, W) float frames to `size` = (height, width), antialiased when shrinking.

    Equal to MATLAB's imresize, borders included: torch's antialiased bicubic has the same kernel (a = -0.5), and
    mirroring the frame beyond its edges, the edge pixel repeated, gives it MATLAB's border rule. The pad is taken in
    whole input pixels that map to whole output pixels, so the grid keeps its phase. Needs an integer scale or its
    inverse; both sides must have the same one.
    """
    height, width = frames.shape[-2:]
    shrink_y, shrink_x = height / size[0], width / size[1]
    factor = max(shrink_y, 1 / shrink_y)
    if shrink_y != shrink_x or factor != int(factor) or (shrink_y > 1 and height % size[0]):
        raise ValueError(f"cannot resize {height}x{width} to {size[0]}x{size[1]}: the scale must be an integer")
    factor = int(factor)
    # The kernel reaches 2 output pixels of input when shrinking and 2 input pixels when growing.
    pad = 3 * factor if shrink_y > 1 else 3
    padded = symmetric_pad(frames, pad)
    grow = (lambda n: (n + 2 * pad) // factor) if shrink_y > 1 else (lambda n: (n + 2 * pad) * factor)
    out = F.interpolate(padded, size=(grow(height), grow(width)), mode="bicubic", antialias=True, align_corners=False)
    crop = pad // factor if shrink_y > 1 else pad * factor
    return out[..., crop : crop + size[0], crop : crop + size[1]]


def symmetric_pad(frames: Tensor, pad: int) -> Tensor:
    """Mirror (N, C, H, W) frames by `pad` pixels on each side, the edge pixel repeated; small frames mirror again."""
    for dim in (-2, -1):
        length = frames.shape[dim]
        index = [i % (2 * length) for i in range(-pad, length + pad)]
        index = [i if i < length else 2 * length - 1 - i for i in index]
        frames = frames.index_select(dim, frames.new_tensor(index).long())
    return frames
