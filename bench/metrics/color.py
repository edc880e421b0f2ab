"""Luma as the super-resolution literature takes it."""

import numpy as np

# ITU-R BT.601, studio range: Y = 16 + 65.481 R + 128.553 G + 24.966 B with R, G, B in [0, 1] (MATLAB's rgb2ycbcr).
_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255.0


def luma(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float64 (H, W) Y in [16, 235], not rounded (as BasicSR and MMagic score)."""
    return frame @ _WEIGHTS + 16.0


def cropped(frame: np.ndarray, crop: int) -> np.ndarray:
    """The frame without `crop` pixels on each side."""
    return frame[crop:-crop, crop:-crop] if crop else frame
