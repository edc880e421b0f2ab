"""Turning of pictures that are stored rotated or mirrored."""

from __future__ import annotations

import numpy as np

# Exif orientation -> (mirrored left to right first, then quarter turns counter-clockwise).
_EXIF = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}


def upright(frame: np.ndarray, orientation: int) -> np.ndarray:
    """Apply Exif's orientation (1 to 8) to an (H, W, ...) frame; a view."""
    mirrored, turns = _EXIF[orientation]
    return turned(frame, mirrored, turns)


def turned(frame: np.ndarray, mirrored: bool, turns: int) -> np.ndarray:
    """An (H, W, ...) frame mirrored left to right, then turned counter-clockwise by quarter turns; a view."""
    return np.rot90(frame[:, ::-1] if mirrored else frame, turns)
