"""Degradations of whole clips as benchmarks use them: the same frames on every run, drawn from (seed, set, clip).

lr = degradation.of_set("vid4").clip(gt, "city")    # uint8 (T, H, W, 3) -> uint8 (T, H / scale, W / scale, 3)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from frames.degradations import versions
from frames.degradations.clips import ClipDegradation
from frames.degradations.once import Once
from frames.degradations.realbasicvsr import RealBasicVSR
from frames.degradations.realesrgan import RealESRGAN


@dataclass(frozen=True)
class Seeded:
    """A degradation of whole clips whose random numbers depend on (seed, set, clip) alone.

    All frames of a clip are in memory at once, as float32, because a codec's rate depends on all of them. So the first
    ten frames of a clip get other LR frames when they are degraded alone.

    Attributes:
        name: as in the config.
        degrade: the degradation of a clip.
        seed: decides parameters and noise; None if nothing is random, which keeps it out of the signature.
        data: name of the data set.
        details: settings for the signature, e.g. "crf28".
    """

    name: str
    degrade: ClipDegradation = field(repr=False)
    seed: int | None
    data: str = ""
    details: str = ""

    @property
    def scale(self) -> int:
        return self.degrade.scale

    @property
    def signature(self) -> str:
        """Name and settings for records: "realbasicvsr-x4-v2-seed0", "compressed-x4-crf28-25fps"."""
        parts = [self.name, f"x{self.scale}", self.details, "" if self.seed is None else f"seed{self.seed}"]
        return "-".join(filter(None, parts))

    @property
    def made_with(self) -> str:
        """The encoders and libraries that the LR frames depend on, with their versions, in one line."""
        return versions.stamp()

    def of_set(self, data: str) -> Seeded:
        """The same degradation for the clips of the data set `data`."""
        return replace(self, data=data)

    def clip(self, gt: Iterable[np.ndarray], clip: str) -> np.ndarray:
        """Make the LR frames of a clip.

        Args:
            gt: uint8 (H, W, 3) RGB frames, H and W multiples of the scale. Sides that are odd at the LR size, which
                video codecs do not take, are extended by repeating the edge, and cut back afterwards.
            clip: the clip's name.
        Returns:
            uint8 (T, H / scale, W / scale, 3).
        Raises:
            ValueError: `degrade` makes other frames than that.
        """
        frames = np.stack(list(gt))
        height, width = frames.shape[1] // self.scale, frames.shape[2] // self.scale
        down, right = (self.scale * (side % 2) for side in (height, width))
        if down or right:
            frames = np.pad(frames, ((0, 0), (0, down), (0, right), (0, 0)), "edge")
        lr = self.degrade(frames, np.random.default_rng(seed_of(self.seed or 0, self.data, clip)))
        due = (len(frames), *(side // self.scale for side in frames.shape[1:3]), 3)
        if lr.dtype != np.uint8 or lr.shape != due:
            raise ValueError(f"degradation {self.name} made {lr.dtype} {lr.shape}; it must make uint8 {due}")
        return np.ascontiguousarray(lr[:, :height, :width])


def seed_of(seed: int, data: str, clip: str) -> int:
    """Derive a 64-bit seed from (seed, set, clip), the same on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join((str(seed), data, clip)).encode()).digest()[:8], "big")


def realbasicvsr(*, name: str, scale: int, seed: int = 0) -> Seeded:
    """RealBasicVSR's second-order degradation with video codecs; see `RealBasicVSR`."""
    details = "v2"  # without it: frames made before 2026-11-30, with other blur kernels and weaker Poisson noise
    return Seeded(name, RealBasicVSR(scale=scale), checked_seed(seed), details=details)


def realesrgan(*, name: str, scale: int, seed: int = 0) -> Seeded:
    """Real-ESRGAN's second-order degradation, without video codecs; see `RealESRGAN`."""
    details = "v3"  # v2: other exponents of blur kernels; none: also weaker noise and another second resize
    return Seeded(name, RealESRGAN(scale=scale), checked_seed(seed), details=details)


def compressed(
    *, name: str, scale: int, crf: float | None = 28, bitrate: float | None = None, fps: float = 25
) -> Seeded:
    """Bicubic reduction, then H.264 at a constant rate factor or a bitrate, and nothing else; see `Once`."""
    degrade = Once(scale=scale, crf=crf, bitrate=bitrate, fps=fps)
    if crf is None and bitrate is None:
        raise ValueError("crf=null and bitrate=null: set one of them")
    rate = f"crf{crf:g}" if bitrate is None else f"v2-{bitrate:g}kbps"  # without v2: frames coded at 1 a second
    return Seeded(name, degrade, None, details=f"{rate}-{fps:g}fps")


def once(
    *,
    name: str,
    scale: int,
    seed: int = 0,
    blur: float | None = 1.2,
    noise: float | None = 6,
    jpeg: int | None = 60,
    crf: float | None = 28,
) -> Seeded:
    """Blur, bicubic reduction, noise, JPEG and H.264, each once and with fixed parameters; see `Once`."""
    degrade = Once(scale=scale, blur=blur, noise=noise, jpeg=jpeg, crf=crf)
    parts = {"blur": blur, "noise": noise, "jpeg": jpeg, "crf": crf}
    details = "-".join(f"{part}{value:g}" for part, value in parts.items() if value is not None)
    if crf is not None:
        details += f"-{degrade.fps:g}fps"
    return Seeded(name, degrade, checked_seed(seed), details=details)


def checked_seed(seed: int) -> int:
    """Return the seed of a degradation; ValueError unless it is a whole number from 0 up."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"degradation.seed={seed}: a seed is a whole number from 0 up")
    return seed
