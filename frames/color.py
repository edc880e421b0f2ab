"""Luma and chroma as defined in the super-resolution literature."""

import numpy as np

# ITU-R BT.601, studio range: Y = 16 + 65.481 R + 128.553 G + 24.966 B with R, G, B in [0, 1] (MATLAB's rgb2ycbcr).
_WEIGHTS = np.array([65.481, 128.553, 24.966]) / 255.0
_CHROMA = np.array([[-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]).T / 255.0  # Cb and Cr of the same
_FULL = np.array([0.299, 0.587, 0.114])  # the same in full range, without offset: the Y of YIQ


def luma(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float64 (H, W) Y in [16, 235], not rounded (as BasicSR and MMagic score)."""
    return frame @ _WEIGHTS + 16.0


def chroma(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float64 (H, W, 2) Cb and Cr in [16, 240], not rounded."""
    return frame @ _CHROMA + 128.0


def full_luma(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) RGB -> float64 (H, W) Y in [0, 255], not rounded (pyiqa's default colour space, YIQ)."""
    return frame @ _FULL


def planes(frame: np.ndarray, color: str, rounding: str = "none") -> list[np.ndarray]:
    """The planes that a metric compares, each (H, W) with values in [0, 255].

    Args:
        frame: uint8 (H, W, 3) RGB.
        color: one of `bench.metrics.protocol.COLORS`, or "cbcr".
        rounding: "uint8" rounds Y to whole levels (studio range: halves up, as MATLAB; full range: as pyiqa, whose
            single precision decides the halves); "none" does not. Cb and Cr are never rounded.
    """
    if color == "rgb":
        return [frame[..., channel] for channel in range(3)]
    if color == "cbcr":
        return list(np.moveaxis(chroma(frame), -1, 0))
    if rounding == "uint8":
        return [np.floor(luma(frame) + 0.5) if color == "y" else _rounded_full_luma(frame)]
    return [luma(frame) if color == "y" else full_luma(frame)]


def _rounded_full_luma(frame: np.ndarray) -> np.ndarray:
    """Full-range Y in whole levels, float32 (H, W), computed in single precision as pyiqa does.

    One Y in a thousand is a half, and rounding these otherwise changes SSIM by 1e-5.
    """
    red, green, blue = np.moveaxis(frame.astype(np.float32) / np.float32(255), -1, 0)
    weights = _FULL.astype(np.float32)
    return np.rint((red * weights[0] + green * weights[1] + blue * weights[2]) * np.float32(255))


def color_token(color: str, rounding: str) -> str:
    """The token for luma or chroma in a metric's signature."""
    if color == "cbcr":
        return "cbcr-bt601-studio"
    return ("y-bt601-studio" if color == "y" else "y-bt601-full") + ("-rounded" if rounding == "uint8" else "")


def cropped(frame: np.ndarray, crop: int) -> np.ndarray:
    """The frame without `crop` pixels on each side."""
    return frame[crop:-crop, crop:-crop] if crop else frame
