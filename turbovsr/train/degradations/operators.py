"""The single operations of the second-order degradation, each with its ranges.

Each is called with a clip (T, H, W, 3), float32 RGB in 0..255, and a random generator, and returns such a clip; the
values may leave 0..255 until something stores the clip in 8 bits. What is drawn for the first frame walks a little from
frame to frame, as a camera does: `*_step` is the largest change between neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from turbovsr.train.degradations import codec, kernels

Range = tuple[float, float]
INTERPOLATIONS = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "bicubic": cv2.INTER_CUBIC}
SMALLEST_EDGE = 16  # ours: 0.15 times 0.3 of a training crop would leave a codec nothing to code


def check_range(name: str, bounds: Range, lowest: float, highest: float = math.inf) -> None:
    """Raise when bounds are not lowest <= low <= high <= highest."""
    if not lowest <= bounds[0] <= bounds[1] <= highest:
        limit = f"from {lowest:g}" + (f" to {highest:g}" if highest < math.inf else " up")
        raise ValueError(f"{name} must be [low, high], {limit}, got {list(bounds)}")


def check_odds(name: str, odds: tuple[float, ...], count: int) -> None:
    """Raise when the odds are not `count` shares that add up to 1."""
    if len(odds) != count or min(odds) < 0 or not math.isclose(sum(odds), 1, abs_tol=1e-3):
        raise ValueError(f"{name} must be {count} shares that add up to 1, got {list(odds)}")


def walk(rng: np.random.Generator, bounds: Range, step: float, frames: int) -> np.ndarray:
    """A value for each frame, (frames,): the first uniform in the bounds, each next one at most `step` away."""
    values = np.empty(frames)
    values[0] = rng.uniform(*bounds)
    for index, change in enumerate(rng.uniform(-step, step, frames - 1), start=1):
        values[index] = np.clip(values[index - 1] + change, *bounds)
    return values


def to_uint8(clip: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(clip), 0, 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True)
class Blur:
    """A kernel of random kind, size and shape, with `probability`."""

    KINDS = ("iso", "aniso", "generalised iso", "generalised aniso", "plateau iso", "plateau aniso", "sinc")

    probability: float = 1.0
    sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    odds: tuple[float, ...] = (0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1)  # of `KINDS`
    sigma: Range = (0.2, 3.0)  # pixels, on either axis
    sigma_step: float = 0.02
    angle_step: float = 0.31416  # radians; the angle itself is any
    generalised_beta: Range = (0.5, 4.0)
    generalised_beta_step: float = 0.05
    plateau_beta: Range = (1.0, 2.0)
    plateau_beta_step: float = 0.1
    cutoff_step: float = 0.0628  # of the sinc filter, radians a pixel

    def __post_init__(self):
        check_odds("blur.odds", self.odds, len(self.KINDS))
        check_range("blur.sigma", self.sigma, 0.05)
        check_range("blur.generalised_beta", self.generalised_beta, 0.1)
        check_range("blur.plateau_beta", self.plateau_beta, 0.1)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if rng.random() >= self.probability:
            return clip
        kind = self.KINDS[rng.choice(len(self.KINDS), p=np.array(self.odds) / sum(self.odds))]
        size = int(rng.choice(self.sizes))
        if kind == "sinc":
            return sinc_filter(clip, rng, size, (math.pi / (3 if size < 13 else 5), math.pi), self.cutoff_step)
        frames = len(clip)
        sigma_x = walk(rng, self.sigma, self.sigma_step, frames)
        sigma_y = sigma_x if kind.endswith(" iso") or kind == "iso" else walk(rng, self.sigma, self.sigma_step, frames)
        angle = walk(rng, (-math.pi, math.pi), self.angle_step, frames)
        shape = kind.split()[0] if " " in kind else "gaussian"
        beta = np.ones(frames)
        if shape == "generalised":
            beta = walk(rng, self.generalised_beta, self.generalised_beta_step, frames)
        elif shape == "plateau":
            beta = walk(rng, self.plateau_beta, self.plateau_beta_step, frames)
        return filtered(clip, [kernels.shaped(size, shape, *values) for values in zip(sigma_x, sigma_y, angle, beta)])


def sinc_filter(clip: np.ndarray, rng: np.random.Generator, size: int, cutoffs: Range, step: float) -> np.ndarray:
    return filtered(clip, [kernels.sinc(size, cutoff) for cutoff in walk(rng, cutoffs, step, len(clip))])


def filtered(clip: np.ndarray, by_frame: list[np.ndarray]) -> np.ndarray:
    return np.stack([cv2.filter2D(frame, -1, kernel) for frame, kernel in zip(clip, by_frame)])


@dataclass(frozen=True, kw_only=True)
class Resize:
    """To a random size, all frames of a clip alike, even in both directions."""

    odds: tuple[float, float, float] = (0.2, 0.7, 0.1)  # of growing, shrinking, keeping
    scale: Range = (0.15, 1.5)
    interpolations: tuple[str, ...] = ("bilinear", "area", "bicubic")  # each as likely as the others

    def __post_init__(self):
        check_odds("resize.odds", self.odds, 3)
        check_range("resize.scale", self.scale, 0.01)
        if not self.scale[0] <= 1 <= self.scale[1]:
            raise ValueError(f"resize.scale must have 1 inside, got {list(self.scale)}")
        unknown = set(self.interpolations) - set(INTERPOLATIONS)
        if unknown or not self.interpolations:
            raise ValueError(f"resize.interpolations must be some of {', '.join(INTERPOLATIONS)}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        way = rng.choice(3, p=np.array(self.odds) / sum(self.odds))
        scale = (rng.uniform(1, self.scale[1]), rng.uniform(self.scale[0], 1), 1.0)[way]
        height, width = (max(SMALLEST_EDGE, 2 * int(scale * edge // 2)) for edge in clip.shape[1:3])
        return self.to_size(clip, (height, width), rng)

    def to_size(self, clip: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """The clip at (height, width), by one of the interpolations."""
        chosen = INTERPOLATIONS[self.interpolations[rng.integers(len(self.interpolations))]]
        return np.stack([cv2.resize(frame, size[::-1], interpolation=chosen) for frame in clip])


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Gaussian noise, or Poisson noise as photons make it; grey or coloured."""

    gaussian_share: float = 0.5
    grey_share: float = 0.4
    sigma: Range = (1.0, 30.0)  # of Gaussian noise, grey levels
    sigma_step: float = 0.1
    poisson_scale: Range = (0.05, 3.0)
    poisson_scale_step: float = 0.005

    def __post_init__(self):
        check_range("noise.sigma", self.sigma, 0)
        check_range("noise.poisson_scale", self.poisson_scale, 0)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        gaussian, grey = rng.random() < self.gaussian_share, rng.random() < self.grey_share
        if gaussian:
            strength = walk(rng, self.sigma, self.sigma_step, len(clip))
            shape = (*clip.shape[:3], 1 if grey else 3)
            return clip + strength.astype(np.float32)[:, None, None, None] * rng.standard_normal(shape, np.float32)
        strength = walk(rng, self.poisson_scale, self.poisson_scale_step, len(clip))
        return np.stack([frame + scale * photons(frame, grey, rng) for frame, scale in zip(clip, strength)])


def photons(frame: np.ndarray, grey: bool, rng: np.random.Generator) -> np.ndarray:
    """Poisson noise of a frame in grey levels, (H, W, 1 or 3): variance level / n for the n levels the frame has,
    rounded up to a power of two."""
    counted = np.clip(np.rint(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None] if grey else frame), 0, 255)
    levels = 2 ** math.ceil(math.log2(len(np.unique(counted))))
    return (rng.poisson(counted * levels) / levels - counted).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    quality: Range = (30, 95)
    quality_step: float = 3

    def __post_init__(self):
        check_range("jpeg.quality", self.quality, 1, 100)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        qualities = walk(rng, self.quality, self.quality_step, len(clip))
        frames = [codec.jpeg(frame, round(quality)) for frame, quality in zip(to_uint8(clip), qualities)]
        return np.stack(frames).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Codec:
    encoders: tuple[str, ...] = field(default=("libx264", "h264", "mpeg4"))  # each as likely as the others
    bitrate: Range = (1e4, 1e5)  # bits a frame

    def __post_init__(self):
        check_range("codec.bitrate", self.bitrate, 100)
        unknown = set(self.encoders) - set(codec.DECODERS)
        if unknown or not self.encoders:
            raise ValueError(f"codec.encoders must be some of {', '.join(codec.DECODERS)}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        encoder = self.encoders[rng.integers(len(self.encoders))]
        return codec.video(to_uint8(clip), encoder, round(rng.uniform(*self.bitrate))).astype(np.float32)
