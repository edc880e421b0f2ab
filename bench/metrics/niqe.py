"""NIQE (Mittal et al., IEEE SPL 2013): how far a frame's statistics are from those of natural photographs.

It needs no reference. The pristine model is that of the authors' MATLAB release, as basicsr's wheel carries it.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from scipy.special import gammaln

from bench import assets
from bench.metrics.base import Kind, check_pair

_BLOCK = 96
_GREY = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])  # MATLAB's rgb2gray
_WINDOW = cv2.getGaussianKernel(7, 7 / 6, cv2.CV_64F)
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # (down, right): the neighbours whose products are used
_SHAPES = np.arange(200, 10001) / 1000  # the grid on which alpha is sought
_RATIOS = np.exp(2 * gammaln(2 / _SHAPES) - gammaln(1 / _SHAPES) - gammaln(3 / _SHAPES))  # rises with alpha
# MATLAB's imresize by 1/2: the cubic kernel (a = -1/2) stretched by two, at distances 3.5, 2.5, 1.5, 0.5.
_HALF = np.array([-3, -9, 29, 111]) / 256


class Niqe:
    """One number a frame, from SR alone; whole blocks of 96x96 are used, a rest at the right and bottom is ignored."""

    kind = Kind("NIQE", "", "lower", 3, reference=False)
    signature = "niqe|matlab-release-model|rgb2gray|crop0|block96|mean-frames,clips|v1"

    def __init__(self) -> None:
        self._mean, self._covariance = _pristine()

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """Distance >= 0 of a uint8 (H, W, 3) RGB frame of at least 96x192 or 192x96; `gt` is ignored.

        Raises:
            ValueError: fewer than two whole blocks, or none with any structure (a blank frame).
        """
        check_pair(sr, sr, minimum=_BLOCK)
        rows, columns = (side // _BLOCK for side in sr.shape[:2])
        plane = np.floor(sr[: rows * _BLOCK, : columns * _BLOCK] @ _GREY + 0.5)
        features = np.hstack([_features(plane, _BLOCK), _features(_halved(plane), _BLOCK // 2)])
        whole = features[np.isfinite(features).all(1)]
        if len(whole) < 2:
            size = f"{sr.shape[1]}x{sr.shape[0]}"
            raise ValueError(f"NIQE needs two blocks of 96x96 with structure; this frame of {size} has {len(whole)}")
        difference = self._mean - np.nanmean(features, 0)
        inverse = np.linalg.pinv((self._covariance + np.cov(whole, rowvar=False)) / 2)  # equation 10
        return float(np.sqrt(difference @ inverse @ difference))


def _features(plane: np.ndarray, block: int) -> np.ndarray:
    """18 features of each block, (blocks, 18), from mean-subtracted contrast-normalised coefficients (equation 1)."""
    mean = _blurred(plane)
    normalised = (plane - mean) / (np.sqrt(np.abs(_blurred(plane * plane) - mean * mean)) + 1)
    # A flat area is 0 up to the filter's rounding. Left as it is, the sign of that rounding decides the features: with
    # MATLAB's order of sums, two orders of ours and pyiqa's, a picture with flat areas scores 8.64, 8.58, 9.09, 9.07.
    normalised[np.abs(normalised) < 1e-9] = 0
    rows, columns = plane.shape[0] // block, plane.shape[1] // block
    blocks = normalised.reshape(rows, block, columns, block).swapaxes(1, 2).reshape(-1, block, block)
    alpha, left, right = _asymmetric_gaussian(blocks)
    found = [alpha, (left + right) / 2]
    for shift in _SHIFTS:
        alpha, left, right = _asymmetric_gaussian(blocks * np.roll(blocks, shift, (1, 2)))
        mean = (right - left) * np.exp(gammaln(2 / alpha) - gammaln(1 / alpha))  # equation 8
        found += [alpha, mean, left, right]
    return np.stack(found, 1)


def _asymmetric_gaussian(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shape, left and right scale of each block's values by moment matching (equations 4 to 7); NaN for a blank one."""
    squares = blocks * blocks
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (np.sqrt((squares * side).sum((1, 2)) / side.sum((1, 2))) for side in (blocks < 0, blocks > 0))
        gamma = left / right
        ratio = np.abs(blocks).mean((1, 2)) ** 2 / squares.mean((1, 2))
        ratio = ratio * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    above = np.clip(np.searchsorted(_RATIOS, ratio), 1, len(_RATIOS) - 1)
    nearest = np.where(ratio - _RATIOS[above - 1] <= _RATIOS[above] - ratio, above - 1, above)
    alpha = np.where(np.isfinite(ratio), _SHAPES[nearest], np.nan)
    scale = np.exp((gammaln(1 / alpha) - gammaln(3 / alpha)) / 2)
    return alpha, left * scale, right * scale


def _blurred(plane: np.ndarray) -> np.ndarray:
    return cv2.sepFilter2D(plane, cv2.CV_64F, _WINDOW, _WINDOW, borderType=cv2.BORDER_REPLICATE)


def _halved(plane: np.ndarray) -> np.ndarray:
    """Half the size, antialiased bicubic as MATLAB's imresize, borders mirrored."""
    taps = np.concatenate([_HALF, _HALF[::-1]])
    for _ in range(2):  # rows, then columns
        padded = np.pad(plane, ((3, 3), (0, 0)), "symmetric")
        count = plane.shape[0] // 2
        plane = sum(tap * padded[i : i + 2 * count : 2] for i, tap in enumerate(taps)).T
    return plane


@cache
def _pristine() -> tuple[np.ndarray, np.ndarray]:
    with np.load(assets.path("niqe/pristine.npz"), allow_pickle=False) as model:
        return model["mu_pris_param"].ravel(), model["cov_pris_param"]
