"""MS-SSIM of Wang, Simoncelli and Bovik 2003 as the authors' MATLAB code computes it: SSIM's terms at five scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.protocol import Protocol
from bench.metrics.ssim import plane_terms
from frames.color import color_token, cropped, planes

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The exponents of the scales, finest first: contrast and structure of each, the last one's with luminance."""
LEAST = 161
"""Pixels a side: the fifth scale, a sixteenth of the frame, holds one window of 11 pixels."""


@dataclass(frozen=True)
class MsSsim:
    """MS-SSIM of frames in one colour space; crop, rounding and frames are the protocol's."""

    color: str
    protocol: Protocol
    kind = Kind("MS-SSIM", "", "higher", 4)

    @property
    def signature(self) -> str:
        y = color_token(self.color, self.protocol.y_rounding("ssim"))
        color = "rgb-mean-of-channels" if self.color == "rgb" else y
        crop = f"crop{self.protocol.crop}" + ("|pyiqa-cs>=0" if self.protocol.definition == "pyiqa" else "")
        return self.protocol.signed(f"ms-ssim|{color}|gauss11-1.5-valid|5-scales|uint8|{crop}|mean-frames,clips|v1")

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """MS-SSIM in [0, 1] of two uint8 (H, W, 3) RGB frames; in RGB, the mean of the channels' MS-SSIM.

        Raises:
            ValueError: unlike sizes, or a side below `LEAST` pixels without the crop.
        """
        check_pair(sr, gt)
        crop = self.protocol.crop
        sr, gt = cropped(sr, crop), cropped(gt, crop)
        if min(sr.shape[:2]) < LEAST:
            left = f"{sr.shape[1]}x{sr.shape[0]}" + (f" inside a border of {crop}" if crop else "")
            raise ValueError(f"MS-SSIM needs {LEAST} pixels a side for its five scales, this frame has {left}")
        pairs = zip(*(planes(frame, self.color, self.protocol.y_rounding("ssim")) for frame in (sr, gt)))
        return float(np.mean([plane_ms_ssim(x, y, self.protocol.definition == "pyiqa") for x, y in pairs]))


def plane_ms_ssim(x: np.ndarray, y: np.ndarray, pyiqa: bool = False) -> float:
    """MS-SSIM of two planes (H, W) with values in [0, 255], each side at least `LEAST`.

    A scale whose mean term is negative counts as 0: the definition has no real value there.

    Args:
        pyiqa: as pyiqa does it: negative terms are 0 position by position, and odd sides get a row or column of
            zeros at their beginning where the authors' code repeats the last one.
    """
    x, y = (plane.astype(np.float32) if plane.dtype == np.uint8 else plane for plane in (x, y))
    value = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            x, y = halved(x, pyiqa), halved(y, pyiqa)
        ssim, contrast = plane_terms(x, y, clamped=pyiqa)
        value *= max(0.0, ssim if scale == len(WEIGHTS) - 1 else contrast) ** weight
    return value


def halved(plane: np.ndarray, pyiqa: bool = False) -> np.ndarray:
    """Means of blocks of 2x2; an odd side is made even as `plane_ms_ssim` says."""
    odd = [side % 2 for side in plane.shape]
    if any(odd):
        pads = [(n, 0) if pyiqa else (0, n) for n in odd]
        plane = np.pad(plane, pads) if pyiqa else np.pad(plane, pads, mode="edge")
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) * plane.dtype.type(0.25)


def build(color: str | None, protocol: Protocol) -> MsSsim:
    """The metric in a colour, or in the protocol's for SSIM where that is None."""
    return MsSsim(color or protocol.ssim, protocol)
