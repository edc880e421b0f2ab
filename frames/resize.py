"""Exact resampling of 8-bit frames by whole factors and to given sizes."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F

ROWS_AT_ONCE = 256  # output rows a strip, so that a 4K frame does not take gigabytes in float64


def bicubic_down(frame: np.ndarray, scale: int) -> np.ndarray:
    """MATLAB's `imresize(frame, 1/scale)`: bicubic (a = -0.5), antialiased, mirrored at the borders.

    The mirror is made by padding before torch's antialiased bicubic, whose own border rule is another. Nothing is
    rounded between the two passes; float64 keeps exact ties (frequent: the weights are dyadic) from falling the wrong
    way, after that halves go up as in MATLAB.

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
    padded = cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_REFLECT)
    strips = []
    for top in range(0, height // scale, ROWS_AT_ONCE):
        bottom = min(top + ROWS_AT_ONCE, height // scale)
        strip = padded[top * scale : bottom * scale + 2 * margin]
        strips.append(_antialiased(strip, strip.shape[0] // scale, strip.shape[1] // scale)[3:-3, 3:-3])
    return np.ascontiguousarray(np.concatenate(strips))


def bicubic_shrink(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Antialiased bicubic to any size that is not larger; at the borders the weights are renormalised.

    Args:
        frame: uint8 (H, W, 3).
    Returns:
        uint8 (height, width, 3).
    Raises:
        ValueError: it would enlarge.
    """
    if height > frame.shape[0] or width > frame.shape[1]:
        raise ValueError(f"a frame of {frame.shape[1]}x{frame.shape[0]} cannot be shrunk to {width}x{height}")
    if (height, width) == frame.shape[:2]:
        return frame
    return np.concatenate([_antialiased(frame[..., c : c + 1], height, width) for c in range(3)], axis=2)


def _antialiased(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    tensor = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].to(torch.float64)
    tensor = F.interpolate(tensor, size=(height, width), mode="bicubic", antialias=True)
    tensor = tensor.add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
    return tensor[0].permute(1, 2, 0).numpy()
