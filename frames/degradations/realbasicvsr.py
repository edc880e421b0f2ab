"""The second-order degradation of RealBasicVSR (arXiv 2111.12704), with the parameters of its public configuration.

First stage: blur, resize, noise, JPEG, video codec. Second stage: blur in 8 of 10 clips, resize, noise, JPEG; then, in
random order, the codec again, and the resize to the LR size followed by a sinc filter in 8 of 10 clips.

Differences from the public code, with reasons: docs/data.md. Above all, a clip keeps one size within a stage (there it
drifts from frame to frame), no edge falls below 16 pixels, and GT is not sharpened first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from frames.degradations.operators import (
    Blur,
    Codec,
    Jpeg,
    Noise,
    Range,
    Resize,
    check_range,
    check_share,
    check_sizes,
    sinc_filter,
    to_uint8,
)


@dataclass(frozen=True, kw_only=True)
class FirstStage:
    """Blur, resize, noise, JPEG and video codec of a float32 clip (T, H, W, 3) in 0..255."""

    blur: Blur = field(default_factory=Blur)
    resize: Resize = field(default_factory=Resize)
    noise: Noise = field(default_factory=Noise)
    jpeg: Jpeg = field(default_factory=Jpeg)
    codec: Codec = field(default_factory=Codec)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        for operation in (self.blur, self.resize, self.noise, self.jpeg, self.codec):
            clip = operation(clip, rng)
        return clip


@dataclass(frozen=True, kw_only=True)
class SecondStage:
    """Blur, resize, noise and JPEG; then codec and final resize with sinc filter, in random order."""

    blur: Blur = field(default_factory=lambda: Blur(probability=0.8, sigma=(0.2, 1.5)))
    resize: Resize = field(default_factory=lambda: Resize(odds=(0.3, 0.4, 0.3), scale=(0.3, 1.2)))
    noise: Noise = field(default_factory=lambda: Noise(sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5)))
    jpeg: Jpeg = field(default_factory=Jpeg)
    codec: Codec = field(default_factory=Codec)
    sinc_probability: float = 0.8
    sinc_sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    sinc_cutoff: Range = (math.pi / 3, math.pi)  # radians a pixel
    sinc_cutoff_step: float = 0.0628

    def __post_init__(self) -> None:
        check_range("sinc_cutoff", self.sinc_cutoff, 0.01, 3.15)
        check_share("sinc_probability", self.sinc_probability)
        check_sizes("sinc_sizes", self.sinc_sizes)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        """Degrade a float32 clip (T, H, W, 3) in 0..255 and bring it to `size` = (height, width)."""
        for operation in (self.blur, self.resize, self.noise, self.jpeg):
            clip = operation(clip, rng)
        last = [self.codec, lambda frames, rng: self._final_resize(frames, rng, size)]
        for index in rng.permutation(2):
            clip = last[index](clip, rng)
        return clip

    def _final_resize(self, clip: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        clip = self.resize.to_size(clip, size, rng)
        if rng.random() >= self.sinc_probability:
            return clip
        return sinc_filter(clip, rng, int(rng.choice(self.sinc_sizes)), self.sinc_cutoff, self.sinc_cutoff_step)


@dataclass(frozen=True, kw_only=True)
class RealBasicVSR:
    """Both stages of RealBasicVSR's degradation, for clips and, as clips of one frame, images."""

    scale: int = 4
    first: FirstStage = field(default_factory=FirstStage)
    second: SecondStage = field(default_factory=SecondStage)

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"scale must be at least 1, got {self.scale}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3).

        Raises:
            ValueError: a side of the LR frames is odd, which video codecs do not take.
        """
        height, width = clip.shape[1] // self.scale, clip.shape[2] // self.scale
        if height % 2 or width % 2:
            raise ValueError(
                f"video codecs take even sizes: the sides of GT must be multiples of {2 * self.scale}, got"
                f" {clip.shape[2]}x{clip.shape[1]}"
            )
        return to_uint8(self.second(self.first(clip.astype(np.float32), rng), rng, (height, width)))
