"""The degradations of benchmarks. A degradation has `name`, `scale`, `signature`, and is called with a frame.

lr = degradation(gt)    # uint8 (H, W, 3) -> uint8 (H / scale, W / scale, 3), H and W multiples of the scale
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Protocol

import cv2
import numpy as np

from frames.resize import bicubic_down


class Degradation(Protocol):
    """A way to make an LR frame from a GT frame."""

    name: str
    scale: int
    signature: str  # goes into records, e.g. "bi-x4"

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) RGB -> uint8 (H / scale, W / scale, 3)."""
        ...


class Bicubic:
    """BI: MATLAB's antialiased bicubic. Made from the GT of Vid4 it equals the circulated BIx4 frames bit for bit."""

    def __init__(self, scale: int, name: str = "bi") -> None:
        self.name = name
        self.scale = checked_scale(scale)
        self.signature = f"{name}-x{scale}"

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        return bicubic_down(gt, self.scale)


LARGEST_KERNEL = 999


class BlurDown:
    """BD: 13x13 Gaussian of sigma 1.6 (borders reflected without repeating the edge), then every scale-th pixel from
    index 0, rounded to 8 bits. The protocol of Jo et al., "Deep Video Super-Resolution Network Using Dynamic
    Upsampling Filters" (CVPR 2018), as the later papers use it at scale 4.

    Args:
        sigma, size: deviation and edge of the Gaussian in pixels, the edge odd. BD is 1.6 and 13; other values, for
            training, appear in the signature ("bd-x4-sigma3.0-size13").
    Raises:
        ValueError: sigma, size or scale is out of range.
    """

    def __init__(self, scale: int, name: str = "bd", sigma: float = 1.6, size: int = 13) -> None:
        if not _is_number(sigma) or not 0 < sigma < float("inf"):
            raise ValueError(f"sigma={sigma}: the Gaussian of a blur needs a number above 0")
        if not _is_number(size, whole=True) or not 1 <= size <= LARGEST_KERNEL or size % 2 == 0:
            raise ValueError(f"size={size}: the edge of a kernel must be an odd whole number up to {LARGEST_KERNEL}")
        self.name, self.sigma, self.size = name, sigma, size
        self.scale = checked_scale(scale)
        blur = "" if (sigma, size) == (1.6, 13) else f"-sigma{float(sigma)}-size{size}"
        self.signature = f"{name}-x{scale}{blur}"

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        kernel = cv2.getGaussianKernel(self.size, self.sigma, cv2.CV_64F)
        blurred = cv2.sepFilter2D(gt, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
        sampled = blurred[:: self.scale, :: self.scale]
        return np.clip(np.floor(sampled + 0.5), 0, 255).astype(np.uint8)


def _is_number(value: object, whole: bool = False) -> bool:
    return isinstance(value, Integral if whole else Real) and not isinstance(value, bool)


def checked_scale(scale: int) -> int:
    """Return a scale. Raises `ValueError` if it is no whole number from 1 up."""
    if not _is_number(scale, whole=True) or scale < 1:
        raise ValueError(f"scale={scale}: a scale is a whole number from 1 up")
    return scale
