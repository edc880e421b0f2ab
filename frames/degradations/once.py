"""A first-order degradation with fixed parameters: blur, bicubic reduction, noise, JPEG, H.264, each at most once."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import cv2
import numpy as np

from frames.degradations import codec
from frames.degradations.benchmark import Bicubic
from frames.degradations.operators import to_uint8


@dataclass(frozen=True, kw_only=True)
class Once:
    """Degradation of a video that was filmed, downscaled and uploaded.

    None leaves a step out; so do a blur or noise of 0.

    Args:
        blur: deviation of a Gaussian in GT pixels.
        noise: deviation of Gaussian noise in grey levels at LR size, independent in each channel and frame.
        jpeg: quality of JPEG, frame by frame, from 1 to 100.
        crf: constant rate factor of libx264 from 0 (lossless) to 51.
        bitrate: instead of `crf`, the rate of libx264 in kbit/s.
        fps: frames a second of the compressed video; both mean more bits a frame at a lower one.
    Raises:
        ValueError: a value out of range, or both `crf` and `bitrate`.
    """

    scale: int = 4
    blur: float | None = 0.0
    noise: float | None = 0.0
    jpeg: int | None = None
    crf: float | None = None
    bitrate: float | None = None
    fps: float = 25.0

    def __post_init__(self) -> None:
        for name in ("blur", "noise", "jpeg", "crf", "bitrate", "fps"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
                raise ValueError(f"{name}={value}: give a number, or null to leave it out")
        if not 0.1 <= (self.fps or 0) <= 1000:
            raise ValueError(f"fps={self.fps}: give a number from 0.1 to 1000")
        if not 0 <= (self.blur or 0) <= 20 or not 0 <= (self.noise or 0) <= 255:
            raise ValueError(f"blur={self.blur}, noise={self.noise}: deviations from 0 to 20 pixels and 255 levels")
        if self.jpeg is not None and not (isinstance(self.jpeg, Integral) and 1 <= self.jpeg <= 100):
            raise ValueError(f"jpeg={self.jpeg}: a quality is a whole number from 1 to 100")
        if self.crf is not None and self.bitrate is not None:
            raise ValueError(f"crf={self.crf:g} and bitrate={self.bitrate:g}: H.264 takes one of both; set one to null")
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise ValueError(f"crf={self.crf}: libx264 takes 0 (lossless) to 51")
        if self.bitrate is not None and not 1 <= self.bitrate <= 1e6:
            raise ValueError(f"bitrate={self.bitrate}: libx264 takes from 1 to 1e6 kbit/s")

    def __call__(self, clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """uint8 (T, H, W, 3) RGB -> uint8 (T, H / scale, W / scale, 3), even in both directions for H.264."""
        reduce = Bicubic(self.scale)
        lr = np.stack([reduce(self._blurred(frame)) for frame in clip])
        if self.noise:
            lr = to_uint8(lr + self.noise * rng.standard_normal(lr.shape, np.float32))
        if self.jpeg is not None:
            lr = np.stack([codec.jpeg(frame, self.jpeg) for frame in lr])
        if self.crf is not None:
            return codec.video(lr, "libx264", crf=self.crf, fps=self.fps)
        return lr if self.bitrate is None else codec.video(lr, "libx264", round(1000 * self.bitrate), fps=self.fps)

    def _blurred(self, frame: np.ndarray) -> np.ndarray:
        if not self.blur:
            return frame
        kernel = cv2.getGaussianKernel(2 * round(4 * self.blur) + 1, self.blur, cv2.CV_32F)
        return to_uint8(cv2.sepFilter2D(frame, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101))
