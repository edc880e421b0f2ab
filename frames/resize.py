"""Exact resampling of 8-bit frames by whole factors and to given sizes."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from frames.bicubic import antialiased, symmetric_pad

ROWS_AT_ONCE = 256  # output rows a strip, so that a 4K frame does not take gigabytes in float64


def bicubic_down(frame: np.ndarray, scale: int) -> np.ndarray:
    """MATLAB's `imresize(frame, 1/scale)`: bicubic (a = -0.5), antialiased, mirrored at the borders.

    The frame is padded by its mirror image first, because torch's antialiased bicubic has another border rule. Nothing
    is rounded between the two passes. Ties are frequent, since the weights are dyadic: float64 keeps them exact, and
    halves are rounded up as in MATLAB.

    Args:
        frame: uint8 (H, W, 3), H and W multiples of the scale.
        scale: 2 or more; 1 gives the frame back.
    Returns:
        uint8 (H / scale, W / scale, 3).
    Raises:
        ValueError: a side is not a multiple of the scale.
    """
    height, width = frame.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"a frame of {width}x{height} cannot be brought down by {scale}: crop it to a multiple first")
    if scale == 1:
        return frame
    margin = 3 * scale  # the kernel reaches 2 * scale to either side; a multiple of the scale keeps the grid
    padded = symmetric_pad(_planes(frame), margin)
    size = (height // scale, width // scale)
    strips = []
    for top in range(0, size[0], ROWS_AT_ONCE):
        bottom = min(top + ROWS_AT_ONCE, size[0])
        strip = padded[..., top * scale : bottom * scale + 2 * margin, :]
        strips.append(_rounded(antialiased(strip.double(), (bottom - top + 6, size[1] + 6)))[3:-3, 3:-3])
    return np.ascontiguousarray(np.concatenate(strips))


def bicubic_shrink(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Antialiased bicubic to any size that is not larger; at the borders the weights are renormalised.

    Args:
        frame: uint8 (H, W, 3).
    Returns:
        uint8 (height, width, 3).
    Raises:
        ValueError: `height` or `width` is larger than the frame's.
    """
    if height > frame.shape[0] or width > frame.shape[1]:
        raise ValueError(f"a frame of {frame.shape[1]}x{frame.shape[0]} cannot be shrunk to {width}x{height}")
    if (height, width) == frame.shape[:2]:
        return frame
    # One plane at a time: a photograph in float64 takes eight times its size.
    planes = [_rounded(antialiased(_planes(frame[..., c : c + 1]).double(), (height, width))) for c in range(3)]
    return np.concatenate(planes, axis=2)


def _planes(frame: np.ndarray) -> Tensor:
    """uint8 (H, W, C) -> (1, C, H, W), a view where the memory allows it."""
    return torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None]


def _rounded(planes: Tensor) -> np.ndarray:
    """float64 (1, C, H, W) -> uint8 (H, W, C), halves up."""
    return planes.add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
