"""SSIM of Wang et al. 2004 as MATLAB and BasicSR compute it: 11x11 Gaussian, sigma 1.5, valid region, L = 255."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.color import color_token, cropped, planes
from bench.metrics.protocol import Protocol

_RADIUS = 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_GAUSS = cv2.getGaussianKernel(2 * _RADIUS + 1, 1.5, cv2.CV_64F)
_STRIP = 32  # rows at a time: the five working planes stay in the cache


@dataclass(frozen=True)
class Ssim:
    color: str
    protocol: Protocol
    kind = Kind("SSIM", "", "higher", 4)

    @property
    def signature(self) -> str:
        y = color_token(self.color, self.protocol.y_rounding("ssim"))
        color = "rgb-mean-of-channels" if self.color == "rgb" else y
        crop = f"crop{self.protocol.crop}" + ("|pyiqa-cs>=0" if self.protocol.definition == "pyiqa" else "")
        return self.protocol.signed(f"ssim|{color}|gauss11-1.5-valid|uint8|{crop}|mean-frames,clips|v1")

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """In [-1, 1]; RGB: the mean of the channels' SSIM."""
        check_pair(sr, gt, self.protocol.crop, minimum=2 * _RADIUS + 1)
        sr, gt = cropped(sr, self.protocol.crop), cropped(gt, self.protocol.crop)
        pairs = zip(*(planes(frame, self.color, self.protocol.y_rounding("ssim")) for frame in (sr, gt)))
        return float(np.mean([plane_ssim(x, y, self.protocol.definition == "pyiqa") for x, y in pairs]))


def plane_ssim(x: np.ndarray, y: np.ndarray, clamped: bool = False) -> float:
    """SSIM of two planes (H, W) with values in [0, 255]; `clamped` sets negative contrast-structure terms to 0.

    Four separable filters instead of five: SSIM needs the variances only as their sum. The planes are shifted by -128
    first (variances do not change), which keeps single precision within 1e-6 of the double-precision definition.
    """
    x, y = x.astype(np.float32) - 128, y.astype(np.float32) - 128
    height, width = x.shape
    total = 0.0
    for top in range(0, height - 2 * _RADIUS, _STRIP):
        rows = slice(top, min(top + _STRIP + 2 * _RADIUS, height))
        a, b = x[rows], y[rows]
        mu_a, mu_b = _blur(a), _blur(b)
        product = mu_a * mu_b
        squares = mu_a * mu_a + mu_b * mu_b
        covariance = _blur(a * b) - product
        variances = _blur(a * a + b * b) - squares
        # Means in the original range: (m + 128): their products follow from the shifted ones.
        shift = 128.0 * (mu_a + mu_b)
        luminance = (2 * (product + shift + 128.0**2) + _C1) / (squares + 2 * shift + 2 * 128.0**2 + _C1)
        structure = (2 * covariance + _C2) / (variances + _C2)
        if clamped:
            structure = np.maximum(structure, 0)
        total += float(np.sum(luminance * structure, dtype=np.float64))
    return total / ((height - 2 * _RADIUS) * (width - 2 * _RADIUS))


def _blur(plane: np.ndarray) -> np.ndarray:
    blurred = cv2.sepFilter2D(plane, cv2.CV_32F, _GAUSS, _GAUSS, borderType=cv2.BORDER_REFLECT)
    return blurred[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def build(color: str, protocol: Protocol) -> Ssim:
    return Ssim(color, protocol)
