"""The degradation `given`: LR frames come from the data set, none are made."""

from __future__ import annotations

import numpy as np

from frames.degradations.benchmark import checked_scale

NOT_MADE = "degradation=given reads LR frames and makes none"


class Given:
    """Placeholder for a degradation, for data sets that contain LR frames (real-world sets, shared LR packs).

    Args:
        scale: LR to GT; 1 where both have one size.
    """

    signature = "given"

    def __init__(self, scale: int, name: str = "given") -> None:
        self.name, self.scale = name, checked_scale(scale)

    def __call__(self, gt: np.ndarray) -> np.ndarray:
        """Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError(NOT_MADE)
