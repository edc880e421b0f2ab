"""Interpolation kernels."""

from __future__ import annotations

import numpy as np


def keys_cubic(x: np.ndarray | float) -> np.ndarray:
    """Keys, "Cubic convolution interpolation for digital image processing" (IEEE TASSP 1981), equation 15, a = -1/2.

    The kernel of MATLAB's bicubic. `x` are distances in pixels, of any shape; float64 of the same shape comes back.
    """
    x = np.abs(x)
    return np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))
