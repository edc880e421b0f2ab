"""Operations of the second-order degradation, each with the ranges of its random parameters.

Each takes a clip (T, H, W, 3), float32 RGB in 0..255, and a random generator, and returns such a clip. Values may leave
0..255 until an operation stores the clip in 8 bits. Parameters are drawn for the first frame and change a little from
frame to frame, as those of a camera do: `*_step` is the largest change between neighbours.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from frames.degradations import codec, kernels

Range = tuple[float, float]
INTERPOLATIONS = {"bilinear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "bicubic": cv2.INTER_CUBIC}
SMALLEST_EDGE = 16  # our choice: 0.15 times 0.3 of a training crop is too small for a codec


LARGEST_KERNEL = 99  # pixels


def check_range(name: str, bounds: Range, lowest: float, highest: float = math.inf) -> None:
    """Raise unless lowest <= low <= high <= highest, all finite."""
    if not lowest <= bounds[0] <= bounds[1] <= highest or not math.isfinite(bounds[1]):
        limit = f"from {lowest:g}" + (f" to {highest:g}" if highest < math.inf else " up")
        raise ValueError(f"{name} must be [low, high], {limit}, got {list(bounds)}")


def check_one_inside(name: str, bounds: Range) -> None:
    """Raise unless 1 lies in the range."""
    if not bounds[0] <= 1 <= bounds[1]:
        raise ValueError(f"{name} must have 1 inside, got {list(bounds)}")


def check_odds(name: str, odds: tuple[float, ...], count: int) -> None:
    """Raise unless the odds are `count` shares that add up to 1."""
    if len(odds) != count or not min(odds) >= 0 or not math.isclose(sum(odds), 1, abs_tol=1e-3):
        raise ValueError(f"{name} must be {count} shares that add up to 1, got {list(odds)}")


def check_share(name: str, value: float) -> None:
    """Raise unless a probability is from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value}")


def check_sizes(name: str, sizes: tuple[int, ...]) -> None:
    """Raise unless the edges of kernels are odd and of a sane size."""
    if not sizes or any(size < 1 or size % 2 == 0 or size > LARGEST_KERNEL for size in sizes):
        raise ValueError(f"{name} must be odd numbers from 1 to {LARGEST_KERNEL}, got {list(sizes)}")


def walk(rng: np.random.Generator, bounds: Range, step: float, frames: int) -> np.ndarray:
    """A random walk, (frames,): the first value uniform in the bounds, each next one at most `step` away."""
    values = np.empty(frames)
    values[0] = rng.uniform(*bounds)
    for index, change in enumerate(rng.uniform(-step, step, frames - 1), start=1):
        values[index] = np.clip(values[index - 1] + change, *bounds)
    return values


def to_uint8(clip: np.ndarray) -> np.ndarray:
    """Round a clip to 8 bits."""
    rounded = np.rint(clip)
    return np.clip(rounded, 0, 255, out=rounded).astype(np.uint8)


def stacked(frames: Iterator[np.ndarray], count: int) -> np.ndarray:
    """A clip of `count` frames of one size, float32, each stored as it comes: `np.stack` holds all of them twice."""
    first = next(frames)
    clip = np.empty((count, *first.shape), np.float32)
    for index, frame in enumerate(itertools.chain([first], frames)):
        clip[index] = frame
    return clip


@dataclass(frozen=True, kw_only=True)
class Blur:
    """Blur by a kernel of random kind, size and shape, with `probability`."""

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
    beta_each_frame: bool = True  # as MMagic; False: once for a clip, as BasicSR
    cutoff_step: float = 0.0628  # of the sinc filter, radians a pixel

    def __post_init__(self) -> None:
        check_odds("odds", self.odds, len(self.KINDS))
        check_range("sigma", self.sigma, 0.05)
        check_range("generalised_beta", self.generalised_beta, 0.1)
        check_range("plateau_beta", self.plateau_beta, 0.1)
        if not self.beta_each_frame:
            check_one_inside("generalised_beta", self.generalised_beta)
            check_one_inside("plateau_beta", self.plateau_beta)
        check_share("probability", self.probability)
        check_sizes("sizes", self.sizes)

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
        beta = self._betas(shape, rng, frames)
        return filtered(clip, [kernels.shaped(size, shape, *values) for values in zip(sigma_x, sigma_y, angle, beta)])

    def _betas(self, shape: str, rng: np.random.Generator, frames: int) -> np.ndarray:
        """Exponents of a clip's kernels, (frames,), with the odds of the public code.

        BasicSR draws one from below 1 or, as often, from above, so half of the plateaus have exactly 1. MMagic gives
        the same function a value that walks as both ends of the range, which makes it any number between that and 1.
        """
        if shape == "gaussian":
            return np.ones(frames)
        bounds, step = {
            "generalised": (self.generalised_beta, self.generalised_beta_step),
            "plateau": (self.plateau_beta, self.plateau_beta_step),
        }[shape]
        if self.beta_each_frame:
            return 1 + rng.random(frames) * (walk(rng, bounds, step, frames) - 1)
        return np.full(frames, rng.uniform(bounds[0], 1) if rng.random() < 0.5 else rng.uniform(1, bounds[1]))


def sinc_filter(clip: np.ndarray, rng: np.random.Generator, size: int, cutoffs: Range, step: float) -> np.ndarray:
    """Low-pass filter with ringing; the cutoffs in radians a pixel."""
    return filtered(clip, [kernels.sinc(size, cutoff) for cutoff in walk(rng, cutoffs, step, len(clip))])


def filtered(clip: np.ndarray, by_frame: list[np.ndarray]) -> np.ndarray:
    """Filter each frame by its own kernel."""
    return stacked((cv2.filter2D(frame, -1, kernel) for frame, kernel in zip(clip, by_frame)), len(clip))


@dataclass(frozen=True, kw_only=True)
class Resize:
    """Resize to a random size, even in both directions and the same for all frames of a clip."""

    odds: tuple[float, float, float] = (0.2, 0.7, 0.1)  # of enlarging, reducing, keeping
    scale: Range = (0.15, 1.5)
    interpolations: tuple[str, ...] = ("bilinear", "area", "bicubic")  # each as likely as the others

    def __post_init__(self) -> None:
        check_odds("odds", self.odds, 3)
        check_range("scale", self.scale, 0.01)
        check_one_inside("scale", self.scale)
        unknown = set(self.interpolations) - set(INTERPOLATIONS)
        if unknown or not self.interpolations:
            raise ValueError(f"interpolations must be some of {', '.join(INTERPOLATIONS)}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.to_size(clip, self.drawn(clip.shape[1:3], rng), rng)

    def drawn(self, size: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
        """A random (height, width) relative to `size`."""
        choice = rng.choice(3, p=np.array(self.odds) / sum(self.odds))
        scale = (rng.uniform(1, self.scale[1]), rng.uniform(self.scale[0], 1), 1.0)[choice]
        height, width = (max(SMALLEST_EDGE, 2 * int(scale * edge // 2)) for edge in size)
        return height, width

    def to_size(self, clip: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """Resize to (height, width) by one of the interpolations."""
        chosen = INTERPOLATIONS[self.interpolations[rng.integers(len(self.interpolations))]]
        return stacked((cv2.resize(frame, size[::-1], interpolation=chosen) for frame in clip), len(clip))


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Gaussian noise or Poisson (photon) noise, grey or coloured.

    Photons are counted on pixels in 0..1, as by BasicSR and by MMEditing, which RealBasicVSR was trained with. MMagic,
    its successor, counts them on 0..255 with the same `poisson_scale`, which is a sixteenth of the noise.
    """

    gaussian_share: float = 0.5
    grey_share: float = 0.4
    sigma: Range = (1.0, 30.0)  # of Gaussian noise, grey levels
    sigma_step: float = 0.1
    poisson_scale: Range = (0.05, 3.0)
    poisson_scale_step: float = 0.005

    def __post_init__(self) -> None:
        check_range("sigma", self.sigma, 0)
        check_range("poisson_scale", self.poisson_scale, 0)
        check_share("gaussian_share", self.gaussian_share)
        check_share("grey_share", self.grey_share)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        gaussian, grey = rng.random() < self.gaussian_share, rng.random() < self.grey_share
        if gaussian:
            strength = walk(rng, self.sigma, self.sigma_step, len(clip)).astype(np.float32)
            shape = (*clip.shape[1:3], 1 if grey else 3)
            noisy = (frame + scale * rng.standard_normal(shape, np.float32) for frame, scale in zip(clip, strength))
        else:
            strength = walk(rng, self.poisson_scale, self.poisson_scale_step, len(clip)).astype(np.float32)
            noisy = (frame + scale * self._photons(frame, grey, rng) for frame, scale in zip(clip, strength))
        return stacked(noisy, len(clip))

    def _photons(self, frame: np.ndarray, grey: bool, rng: np.random.Generator) -> np.ndarray:
        """Poisson noise of a frame in grey levels, (H, W, 1 or 3).

        Its variance is 255 * level / n, where n is the number of levels in the frame, rounded up to a power of two.
        """
        counted = np.clip(np.rint(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None] if grey else frame), 0, 255)
        rate = 2 ** math.ceil(math.log2(len(np.unique(counted)))) / 255
        return (rng.poisson(counted * rate) / rate - counted).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """JPEG frame by frame."""

    quality: Range = (30, 95)
    quality_step: float = 3

    def __post_init__(self) -> None:
        check_range("quality", self.quality, 1, 100)

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        qualities = walk(rng, self.quality, self.quality_step, len(clip))
        coded = (codec.jpeg(to_uint8(frame), round(quality)) for frame, quality in zip(clip, qualities))
        return stacked(coded, len(clip))


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A video codec over the whole clip, at one frame a second as in RealBasicVSR."""

    encoders: tuple[str, ...] = field(default=("libx264", "h264", "mpeg4"))  # each as likely as the others
    bitrate: Range = (1e4, 1e5)  # bits a frame

    def __post_init__(self) -> None:
        check_range("bitrate", self.bitrate, 1000)  # x264 counts in thousands
        unknown = set(self.encoders) - set(codec.DECODERS)
        if unknown or not self.encoders:
            raise ValueError(f"encoders must be some of {', '.join(codec.DECODERS)}")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        encoder = self.encoders[rng.integers(len(self.encoders))]
        return codec.video(to_uint8(clip), encoder, round(rng.uniform(*self.bitrate)), fps=1).astype(np.float32)
