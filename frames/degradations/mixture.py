"""A mixture of degradations for training on video of unknown origin: clean, lightly and heavily degraded clips."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from frames.degradations import codec
from frames.degradations.clips import ClipBicubic
from frames.degradations.operators import Blur, Jpeg, Noise, Range, check_odds, check_range, to_uint8
from frames.degradations.realbasicvsr import RealBasicVSR


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Degradation of a video that was downscaled and shared: blur, bicubic reduction, noise, compression.

    Args:
        blur: applied at GT size.
        noise: applied at LR size with probability `noise_probability`.
        odds: of no compression, JPEG, H.264, and H.264 after JPEG (as cheap cameras do it).
        crf: constant rate factor of H.264 at 25 frames a second, drawn uniformly from this range.
    """

    scale: int = 4
    blur: Blur = field(default_factory=lambda: Blur(probability=0.6, sigma=(0.2, 2.5)))
    noise: Noise = field(default_factory=lambda: Noise(sigma=(0.5, 10.0), poisson_scale=(0.02, 1.0)))
    noise_probability: float = 0.5
    odds: tuple[float, float, float, float] = (0.15, 0.2, 0.4, 0.25)
    jpeg: Jpeg = field(default_factory=lambda: Jpeg(quality=(40, 95)))
    crf: Range = (16, 34)

    def __post_init__(self) -> None:
        check_odds("odds", self.odds, 4)
        check_range("crf", self.crf, 0, 51)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3), even in both directions."""
        lr = ClipBicubic(scale=self.scale)(to_uint8(self.blur(clip.astype(np.float32), rng)), rng)
        if rng.random() < self.noise_probability:
            lr = to_uint8(self.noise(lr.astype(np.float32), rng))
        kind = rng.choice(4, p=np.array(self.odds) / sum(self.odds))
        if kind in (1, 3):
            lr = to_uint8(self.jpeg(lr.astype(np.float32), rng))
        return codec.video(lr, "libx264", crf=round(float(rng.uniform(*self.crf)), 1)) if kind >= 2 else lr


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """One of three degradations, drawn for each clip: bicubic, `shared`, or the second-order `heavy`.

    Args:
        odds: of the three, in this order.
    """

    scale: int = 4
    odds: tuple[float, float, float] = (0.2, 0.3, 0.5)
    shared: Shared = field(default_factory=Shared)
    heavy: RealBasicVSR = field(default_factory=RealBasicVSR)

    def __post_init__(self) -> None:
        check_odds("odds", self.odds, 3)
        if not self.scale == self.shared.scale == self.heavy.scale:
            raise ValueError(f"scale must be the same in all three, got {self.scale}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3)."""
        kinds = (ClipBicubic(scale=self.scale), self.shared, self.heavy)
        return kinds[rng.choice(3, p=np.array(self.odds) / sum(self.odds))](clip, rng)
