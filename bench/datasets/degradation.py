"""How LR frames are made from GT where a set has none. A degradation has `name`, `scale`, `signature`, and is called.

lr = degradation(gt)    # uint8 (H, W, 3) -> uint8 (H / scale, W / scale, 3), H and W multiples of the scale
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from frames.resize import bicubic_down


class Degradation(Protocol):
    name: str
    scale: int
    signature: str  # goes into records, e.g. "bi-x4"

    def __call__(self, gt: np.ndarray) -> np.ndarray: ...


class Bicubic:
    """BI: MATLAB's antialiased bicubic. Made from the GT of Vid4 it equals the circulated BIx4 frames bit for bit."""

    def __init__(self, scale: int, name: str = "bi") -> None:
        self.name = name
        self.scale = _checked(scale)
        self.signature = f"{name}-x{scale}"

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        return bicubic_down(gt, self.scale)


class BlurDown:
    """BD: 13x13 Gaussian of sigma 1.6 (borders reflected without repeating the edge), then every scale-th pixel from
    index 0, rounded to 8 bits. The protocol of Jo et al., "Deep Video Super-Resolution Network Using Dynamic
    Upsampling Filters" (CVPR 2018), as the later papers use it at scale 4.
    """

    size = 13
    sigma = 1.6

    def __init__(self, scale: int, name: str = "bd") -> None:
        self.name = name
        self.scale = _checked(scale)
        self.signature = f"{name}-x{scale}"

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        kernel = cv2.getGaussianKernel(self.size, self.sigma, cv2.CV_64F)
        blurred = cv2.sepFilter2D(gt, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
        sampled = blurred[:: self.scale, :: self.scale]
        return np.clip(np.floor(sampled + 0.5), 0, 255).astype(np.uint8)


def _checked(scale: int) -> int:
    if scale < 1:
        raise ValueError(f"scale={scale}: a scale is a whole number from 1 up")
    return scale
