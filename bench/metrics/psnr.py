"""PSNR: 10 log10(255^2 / MSE), from exact integer sums on RGB."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.color import cropped, luma


@dataclass(frozen=True)
class Psnr:
    color: str
    crop: int
    kind = Kind("PSNR", "dB", "higher", 2)

    @property
    def signature(self) -> str:
        color = "rgb" if self.color == "rgb" else "y-bt601-studio"
        return f"psnr|{color}|uint8|crop{self.crop}|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """dB; infinity for equal frames."""
        check_pair(sr, gt, self.crop)
        sr, gt = cropped(sr, self.crop), cropped(gt, self.crop)
        if self.color == "rgb":
            mse = cv2.norm(np.ascontiguousarray(sr), np.ascontiguousarray(gt), cv2.NORM_L2SQR) / sr.size
        else:
            mse = float(np.mean(np.square(luma(sr) - luma(gt))))
        return 10 * math.log10(255.0**2 / mse) if mse else math.inf


def build(color: str, crop: int) -> Psnr:
    return Psnr(color, crop)
