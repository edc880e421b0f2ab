"""The degradation `given`: LR frames come from the data set, none are made."""

from __future__ import annotations

from numbers import Integral

import numpy as np

NOT_MADE = "degradation=given reads LR frames and makes none"


class Given:
    """Placeholder for a degradation, for data sets that contain LR frames (real-world sets, shared LR packs).

    Args:
        scale: LR to GT; 1 where both have one size.
    """

    signature = "given"

    def __init__(self, scale: int, name: str = "given") -> None:
        if isinstance(scale, bool) or not isinstance(scale, Integral) or scale < 1:
            raise ValueError(f"scale={scale}: a scale is a whole number from 1 up")
        self.name, self.scale = name, scale

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        """Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError(NOT_MADE)
