"""The second-order degradation of Real-ESRGAN (arXiv 2107.10833), with the parameters of its public configuration.

First stage: blur, resize, noise, JPEG. Second stage: blur in 8 of 10 clips, resize, noise; then, in random order,
JPEG, and the resize to the LR size followed by a sinc filter in 8 of 10 clips. RealBasicVSR differs: it has codecs, its
second resize is relative to the result of the first instead of the LR size, and noise is not clipped at once.

It was made for images. Our choice for clips: parameters are drawn once for all frames, noise anew for each. Other
differences from the public code: GT is not sharpened first, edges in between are even and never below 16 pixels, and
JPEG and resizes are OpenCV's (docs/data.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from frames.degradations.operators import Blur, Jpeg, Noise, Resize, sinc_filter, to_uint8

STILL: dict[str, Any] = {
    "sigma_step": 0,
    "angle_step": 0,
    "beta_each_frame": False,
    "cutoff_step": 0,
}
"""Steps of a blur that is the same in all frames."""
STILL_NOISE: dict[str, Any] = {"sigma_step": 0, "poisson_scale_step": 0}
SINC_SIZES = (7, 9, 11, 13, 15, 17, 19, 21)
SINC_CUTOFF = (np.pi / 3, np.pi)  # radians a pixel
SINC_PROBABILITY = 0.8


@dataclass(frozen=True, kw_only=True)
class RealESRGAN:
    """Both stages of Real-ESRGAN's degradation, for clips and, as clips of one frame, images."""

    scale: int = 4
    first_blur: Blur = field(default_factory=lambda: Blur(**STILL))
    first_resize: Resize = field(default_factory=Resize)
    first_noise: Noise = field(default_factory=lambda: Noise(**STILL_NOISE))
    second_blur: Blur = field(default_factory=lambda: Blur(probability=0.8, sigma=(0.2, 1.5), **STILL))
    second_resize: Resize = field(default_factory=lambda: Resize(odds=(0.3, 0.4, 0.3), scale=(0.3, 1.2)))
    second_noise: Noise = field(
        default_factory=lambda: Noise(sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5), **STILL_NOISE)
    )
    jpeg: Jpeg = field(default_factory=lambda: Jpeg(quality_step=0))

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"scale must be at least 1, got {self.scale}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3)."""
        size = clip.shape[1] // self.scale, clip.shape[2] // self.scale
        x = self.first_resize(self.first_blur(clip.astype(np.float32), rng), rng)
        x = self.jpeg(self.first_noise(x, rng).clip(0, 255), rng)
        x = self.second_blur(x, rng)
        x = self.second_resize.to_size(x, self.second_resize.drawn(size, rng), rng)
        x = self.second_noise(x, rng).clip(0, 255)
        last = [self.jpeg, lambda frames, rng: self._final_resize(frames, rng, size)]
        for index in rng.permutation(2):
            x = last[index](x, rng)
        return to_uint8(x)

    def _final_resize(self, clip: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        clip = self.second_resize.to_size(clip, size, rng)
        if rng.random() >= SINC_PROBABILITY:
            return clip
        return sinc_filter(clip, rng, int(rng.choice(SINC_SIZES)), SINC_CUTOFF, 0)
