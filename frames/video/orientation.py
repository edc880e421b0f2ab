"""Turning of frames with a rotation or mirror tag, as phones write it."""

from __future__ import annotations

import math
from typing import Any

import av
import numpy as np

from frames.orientation import turned


def orientation_of(frame: av.VideoFrame) -> tuple[bool, int]:
    """How to turn a frame upright: (mirror left to right first, then quarter turns counter-clockwise).

    The display matrix (ISO/IEC 14496-12, tkhd) takes a pixel (x, y) to (a x + c y, b x + d y); angles between the
    quarter turns are rounded to the nearest.
    """
    side_data: Any = frame.side_data  # PyAV types it as if it held motion vectors alone
    try:
        matrix = np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32).astype(float)
    except KeyError:
        return False, 0
    a, b, c, d = matrix[[0, 1, 3, 4]]
    mirrored = a * d - b * c < 0
    angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)
    return bool(mirrored), round(-angle / (math.pi / 2)) % 4


def upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    """(height, width) of the upright picture."""
    return (frame.width, frame.height) if orientation_of(frame)[1] % 2 else (frame.height, frame.width)


def upright(pixels: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """Turn the (H, W, 3) pixels of a frame upright; C-contiguous."""
    return np.ascontiguousarray(turned(pixels, *orientation_of(frame)))
