"""Blur kernels of the second-order degradation: Gaussians, their generalised and plateau forms, and the sinc filter.

Formulas: Real-ESRGAN (arXiv 2107.10833) and the works it cites; with q = x^T S^-1 x for a covariance S,
Gaussian exp(-q/2), generalised exp(-q^beta / 2), plateau 1 / (1 + q^beta), sinc omega J1(omega r) / (2 pi r).
"""

from __future__ import annotations

import math

import numpy as np


def offsets(size: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a kernel's entries, 0 in the middle, each (size, size)."""
    line = np.arange(size) - (size - 1) / 2
    return np.meshgrid(line, line)


def shaped(size: int, shape: str, sigma_x: float, sigma_y: float, angle: float, beta: float) -> np.ndarray:
    """Gaussian-like blur kernel, (size, size) float32 that sums to 1.

    Args:
        shape: "gaussian", "generalised" or "plateau"; beta has no effect on the first.
        sigma_x, sigma_y: deviations in pixels along the kernel's own axes.
        angle: of its axes, in radians.
    """
    x, y = offsets(size)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    q = (along / sigma_x) ** 2 + (across / sigma_y) ** 2
    if shape == "gaussian":
        kernel = np.exp(-q / 2)
    elif shape == "generalised":
        kernel = np.exp(-(q**beta) / 2)
    elif shape == "plateau":
        kernel = 1 / (1 + q**beta)
    else:
        raise ValueError(f"unknown kernel shape {shape}: choose gaussian, generalised or plateau")
    return (kernel / kernel.sum()).astype(np.float32)


def sinc(size: int, cutoff: float) -> np.ndarray:
    """Ideal low-pass filter, which leaves ringing: (size, size) float32 that sums to 1; cutoff in radians a pixel."""
    from scipy.special import j1  # half a second to import

    x, y = offsets(size)
    radius = np.hypot(x, y)
    middle = radius == 0
    kernel = cutoff * j1(cutoff * radius) / (2 * math.pi * np.where(middle, 1, radius))
    kernel[middle] = cutoff**2 / (4 * math.pi)
    return (kernel / kernel.sum()).astype(np.float32)
