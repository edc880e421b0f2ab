"""SSIM of Wang et al. 2004 as MATLAB and BasicSR compute it: 11x11 Gaussian, sigma 1.5, valid region, L = 255."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.protocol import Protocol
from frames.color import color_token, cropped, planes

_RADIUS = 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_GAUSS = cv2.getGaussianKernel(2 * _RADIUS + 1, 1.5, cv2.CV_64F)
_TILE = (96, 640)  # rows, columns at a time: the working planes stay in the cache, few positions are filtered twice


@dataclass(frozen=True)
class Ssim:
    """SSIM of frames in one colour space; crop, rounding and frames are the protocol's."""

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
        """SSIM in [-1, 1] of two uint8 (H, W, 3) RGB frames; in RGB, the mean of the channels' SSIM."""
        check_pair(sr, gt, self.protocol.crop, minimum=2 * _RADIUS + 1)
        sr, gt = cropped(sr, self.protocol.crop), cropped(gt, self.protocol.crop)
        pairs = zip(*(planes(frame, self.color, self.protocol.y_rounding("ssim")) for frame in (sr, gt)))
        return float(np.mean([plane_ssim(x, y, self.protocol.definition == "pyiqa") for x, y in pairs]))


def plane_ssim(x: np.ndarray, y: np.ndarray, clamped: bool = False) -> float:
    """SSIM of two planes (H, W) with values in [0, 255]; `clamped` sets negative contrast-structure terms to 0."""
    return plane_terms(x, y, clamped)[0]


def plane_terms(x: np.ndarray, y: np.ndarray, clamped: bool = False) -> tuple[float, float]:
    """(SSIM, its contrast-structure term) of two planes, as `plane_ssim`; both are means over the valid region.

    Four separable filters instead of five: SSIM needs the variances only as their sum. Each tile is filtered about its
    own mean, which changes no variance and keeps single precision within 1e-6 of the double-precision definition on
    photographs; flat drawings with noise of one level are off by up to 8e-6 (docs/decisions/exact-metrics.md). Every
    step writes into buffers of one tile, made once: fresh memory would cost more than the arithmetic.
    """
    margin = 2 * _RADIUS
    height, width = x.shape
    rows, columns = min(_TILE[0] + margin, height), min(_TILE[1] + margin, width)
    memory = np.empty((8, rows * columns), np.float32)
    total = np.zeros(2)
    for top in range(0, height - margin, _TILE[0]):
        for left in range(0, width - margin, _TILE[1]):
            tile = slice(top, min(top + rows, height)), slice(left, min(left + columns, width))
            shape = tile[0].stop - top, tile[1].stop - left
            buffers = [plane[: shape[0] * shape[1]].reshape(shape) for plane in memory]
            total += _tile_sums(x[tile], y[tile], buffers, clamped)
    ssim, contrast = (total / ((height - margin) * (width - margin))).tolist()
    return ssim, contrast


def _tile_sums(x: np.ndarray, y: np.ndarray, buffers: list[np.ndarray], clamped: bool) -> tuple[float, float]:
    """The sums of the SSIM map and of its contrast-structure part, over positions whose window lies in the tile."""
    a, b, mean_a, mean_b, products, squares, covariance, variances = buffers
    shift_a, shift_b = (np.float32(plane[::8, ::8].mean()) for plane in (x, y))
    np.subtract(x, shift_a, out=a, casting="unsafe")
    np.subtract(y, shift_b, out=b, casting="unsafe")
    cv2.multiply(a, b, dst=products)
    cv2.multiply(a, a, dst=squares)
    cv2.accumulateSquare(b, squares)
    for plane, blurred in ((a, mean_a), (b, mean_b), (products, covariance), (squares, variances)):
        cv2.sepFilter2D(plane, cv2.CV_32F, _GAUSS, _GAUSS, dst=blurred, borderType=cv2.BORDER_REFLECT)
    cv2.multiply(mean_a, mean_b, dst=products)
    cv2.multiply(mean_a, mean_a, dst=squares)
    cv2.accumulateSquare(mean_b, squares)
    covariance -= products
    variances -= squares
    structure = covariance
    structure *= 2
    structure += np.float32(_C2)
    variances += np.float32(_C2)
    structure /= variances
    if clamped:
        np.maximum(structure, 0, out=structure)
    mean_a += shift_a
    mean_b += shift_b
    luminance = products
    cv2.multiply(mean_a, mean_b, dst=luminance, scale=2)
    cv2.multiply(mean_a, mean_a, dst=squares)
    cv2.accumulateSquare(mean_b, squares)
    luminance += np.float32(_C1)
    squares += np.float32(_C1)
    luminance /= squares
    luminance *= structure
    inner = slice(_RADIUS, -_RADIUS)
    whole, contrast = (float(np.sum(each[inner, inner], dtype=np.float64)) for each in (luminance, structure))
    return whole, contrast


def build(color: str | None, protocol: Protocol) -> Ssim:
    """The metric in a colour, or in the protocol's where that is None."""
    return Ssim(color or protocol.ssim, protocol)
