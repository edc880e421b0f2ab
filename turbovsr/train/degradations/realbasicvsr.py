"""The second-order degradation of RealBasicVSR (arXiv 2111.12704), with the parameters of its public configuration.

Stage 1: blur, resize, noise, JPEG, video codec. Stage 2: blur in 8 of 10 clips, resize, noise, JPEG; then, in random
order, the codec again, and the resize to the LR size followed by a sinc filter in 8 of 10 clips.

Ours: a clip keeps one size within a stage (there it drifts from frame to frame), no edge falls below 16 pixels, and GT
is not sharpened first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from turbovsr.train.degradations.basic import SCALE
from turbovsr.train.degradations.operators import (
    Blur,
    Codec,
    Jpeg,
    Noise,
    Range,
    Resize,
    check_range,
    sinc_filter,
    to_uint8,
)


@dataclass(frozen=True, kw_only=True)
class FirstStage:
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
    blur: Blur = field(default_factory=lambda: Blur(probability=0.8, sigma=(0.2, 1.5)))
    resize: Resize = field(default_factory=lambda: Resize(odds=(0.3, 0.4, 0.3), scale=(0.3, 1.2)))
    noise: Noise = field(default_factory=lambda: Noise(sigma=(1.0, 25.0), poisson_scale=(0.05, 2.5)))
    jpeg: Jpeg = field(default_factory=Jpeg)
    codec: Codec = field(default_factory=Codec)
    sinc_probability: float = 0.8
    sinc_sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    sinc_cutoff: Range = (math.pi / 3, math.pi)  # radians a pixel
    sinc_cutoff_step: float = 0.0628

    def __post_init__(self):
        check_range("sinc_cutoff", self.sinc_cutoff, 0.01, 3.15)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        for operation in (self.blur, self.resize, self.noise, self.jpeg):
            clip = operation(clip, rng)
        ends = [self.codec, lambda frames, rng: self._arrive(frames, rng, size)]
        for index in rng.permutation(2):
            clip = ends[index](clip, rng)
        return clip

    def _arrive(self, clip: np.ndarray, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        clip = self.resize.to_size(clip, size, rng)
        if rng.random() >= self.sinc_probability:
            return clip
        return sinc_filter(clip, rng, int(rng.choice(self.sinc_sizes)), self.sinc_cutoff, self.sinc_cutoff_step)


@dataclass(frozen=True, kw_only=True)
class RealBasicVSR:
    """Both stages, clip by clip; images are clips of one frame."""

    first: FirstStage = field(default_factory=FirstStage)
    second: SecondStage = field(default_factory=SecondStage)

    def __call__(self, gt: Tensor, rng: np.random.Generator) -> Tensor:
        height, width = (edge // SCALE for edge in gt.shape[-2:])
        if height % 2 or width % 2:
            raise ValueError(
                f"the codec takes even LR sizes: make `crop` a multiple of {2 * SCALE}, got {gt.shape[-1]}"
            )
        pixels = gt.permute(0, 2, 3, 4, 1).add(1).mul(127.5).round().numpy()
        clips = [self.second(self.first(clip, rng), rng, (height, width)) for clip in pixels]
        lr = torch.from_numpy(np.stack([to_uint8(clip) for clip in clips]))
        return lr.permute(0, 4, 1, 2, 3).float().div(127.5).sub(1)
