"""PSNR: 10 log10(255^2 / MSE), from exact integer sums on RGB, in double precision on luma and chroma."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.protocol import Protocol
from frames.color import color_token, cropped, planes

_PYIQA_FLOOR = 1e-8 * 255**2  # pyiqa adds 1e-8 to the MSE of samples in [0, 1]


@dataclass(frozen=True)
class Psnr:
    """PSNR of frames in one colour space; crop, rounding and frames are the protocol's."""

    color: str
    protocol: Protocol
    kind = Kind("PSNR", "dB", "higher", 2)

    @property
    def signature(self) -> str:
        color = "rgb" if self.color == "rgb" else color_token(self.color, self.protocol.y_rounding("psnr"))
        crop = f"crop{self.protocol.crop}" + ("|pyiqa-mse+1e-8" if self.protocol.definition == "pyiqa" else "")
        return self.protocol.signed(f"psnr|{color}|uint8|{crop}|mean-frames,clips|v1")

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """PSNR in dB of two uint8 (H, W, 3) RGB frames; infinity for equal ones (80 dB by pyiqa's definition)."""
        check_pair(sr, gt, self.protocol.crop)
        sr, gt = cropped(sr, self.protocol.crop), cropped(gt, self.protocol.crop)
        if self.color == "rgb":
            mse = cv2.norm(np.ascontiguousarray(sr), np.ascontiguousarray(gt), cv2.NORM_L2SQR) / sr.size
        else:
            pairs = zip(*(planes(frame, self.color, self.protocol.y_rounding("psnr")) for frame in (sr, gt)))
            mse = fmean(float(np.mean(np.square(x - y))) for x, y in pairs)
        mse += _PYIQA_FLOOR if self.protocol.definition == "pyiqa" else 0.0
        return 10 * math.log10(255.0**2 / mse) if mse else math.inf


def build(color: str | None, protocol: Protocol) -> Psnr:
    """The metric in a colour, or in the protocol's where that is None."""
    return Psnr(color or protocol.psnr, protocol)
