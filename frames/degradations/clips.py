"""Degradations of whole clips for training, with parameters that may be random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from frames.degradations.benchmark import Bicubic, BlurDown


class ClipDegradation(Protocol):
    """Makes an LR clip from a GT clip. The same generator state gives the same LR."""

    @property
    def scale(self) -> int: ...

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3)."""
        ...


@dataclass(frozen=True, kw_only=True)
class ClipBicubic:
    """BI of benchmarks, frame by frame; nothing is random."""

    scale: int = 4

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _each_frame(Bicubic(self.scale), clip)


@dataclass(frozen=True, kw_only=True)
class ClipBlurDown:
    """BD of benchmarks with a random blur: one sigma is drawn for each clip from a range."""

    scale: int = 4
    sigma: tuple[float, float] = (1.6, 1.6)
    size: int = 13

    def __post_init__(self) -> None:
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma: a range [low, high] above 0 is needed, got {list(self.sigma)}")
        BlurDown(self.scale, sigma=self.sigma[0], size=self.size)  # checks the size

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _each_frame(BlurDown(self.scale, sigma=float(rng.uniform(*self.sigma)), size=self.size), clip)


def _each_frame(degradation: Bicubic | BlurDown, clip: np.ndarray) -> np.ndarray:
    return np.stack([degradation(frame) for frame in clip])
