"""16-bit RGB pixels, white at 65535, to and from FFmpeg's scaler.

The scaler shifts samples instead of scaling them: white of a limited range becomes 255 * 256 = 65280 in 16-bit RGB, and
of a full range of n bits 65536 - 2^(16-n). Grey and the XYZ of cinema are of full range to it, whatever their tag.
Measured with flat frames; only RGB to RGB it scales.
"""

from __future__ import annotations

import av
import numpy as np

FULL_RANGE = 2
BAND = 64  # rows
WHITE, WHITE_OF_LIMITED = 65535, 255 * 256


def scaled_up(pixels: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """Scale uint16 pixels that FFmpeg's scaler made of `frame`, so that white is 65535."""
    if frame.format.is_rgb:
        return pixels
    components = frame.format.components
    grey = len(components) < 3  # perhaps with alpha
    full = frame.color_range == FULL_RANGE or grey or frame.format.name.startswith("xyz")
    white = 65536 - (1 << 16 - max(each.bits for each in components)) if full else WHITE_OF_LIMITED
    return _scaled(pixels, WHITE, white)


def scaled_down(pixels: np.ndarray) -> np.ndarray:
    """Scale uint16 pixels with white at 65535 to what FFmpeg's scaler expects for a limited range."""
    return _scaled(pixels, WHITE_OF_LIMITED, WHITE)


def reduced(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Scale uint16 pixels to white at 2^bits - 1, rounded, where FFmpeg's scaler would dither."""
    return _scaled(pixels, (1 << bits) - 1, WHITE)


def _scaled(pixels: np.ndarray, white: int, given: int) -> np.ndarray:
    if white == given:
        return pixels
    out = np.empty(pixels.shape, np.uint16)
    for top in range(0, len(pixels), BAND):  # 64 bits a sample: a whole frame of 7680x4320 would take 0.8 GB at a time
        scaled = (pixels[top : top + BAND].astype(np.uint64) * white + given // 2) // given
        out[top : top + BAND] = np.minimum(scaled, WHITE)
    return out
