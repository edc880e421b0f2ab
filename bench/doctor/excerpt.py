"""The excerpt of a clip that the doctor looks at, and the two measures by which it compares frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from bench.doctor.finding import ORDERS, Compensation, Frames

REACH = 3  # frames before and after that are tried
_ANCHORS = 5


def anchors(count: int) -> list[int]:
    """Indices of up to five frames, evenly spread around the middle, with neighbours on both sides if possible."""
    edge = min(REACH, (count - 1) // 2)
    return sorted({round(edge + (count - 1 - 2 * edge) * step / (_ANCHORS - 1)) for step in range(_ANCHORS)})


def offsets(sr_count: int, gt_count: int) -> list[int]:
    """The frame offsets to try, nearest first; where lengths differ, also the one at which both clips end together."""
    return sorted({*range(-REACH, REACH + 1), gt_count - sr_count}, key=abs)


def needed(sr_count: int, gt_count: int) -> tuple[list[int], list[int]]:
    """The indices of the SR and of the GT frames that an examination reads (some 5 and 45)."""
    chosen = anchors(min(sr_count, gt_count))
    tried = {index + offset for index in chosen for offset in offsets(sr_count, gt_count)}
    tried |= {Compensation(order=order).partner(index, gt_count) for order in ORDERS for index in chosen}
    return chosen, sorted(index for index in tried if 0 <= index < gt_count)


@dataclass(frozen=True)
class Excerpt:
    """SR and GT frames by index, with the number of frames that the clips have."""

    sr: Frames
    gt: Frames
    sr_count: int
    gt_count: int

    def pairs(self, comp: Compensation) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(SR, GT) frames of the anchors that have a partner, compensated, without the border that a warp made up."""
        for index in anchors(min(self.sr_count, self.gt_count)):
            partner = comp.partner(index, self.gt_count)
            if 0 <= partner < self.gt_count:
                inner = slice(comp.margin, -comp.margin or None)
                yield comp.sr(self.sr[index])[inner, inner], comp.gt(self.gt[partner])[inner, inner]

    def psnr(self, comp: Compensation, margin: int = 0) -> float:
        """Mean PSNR (dB, RGB) over the anchors, at most 100; `margin` further border pixels are left out."""
        found = []
        for sr, gt in self.pairs(comp):
            inner = slice(margin, -margin or None)
            sr, gt = np.ascontiguousarray(sr[inner, inner]), np.ascontiguousarray(gt[inner, inner])
            mse = cv2.norm(sr, gt, cv2.NORM_L2SQR) / sr.size
            found.append(10 * math.log10(255**2 / max(mse, 255**2 * 1e-10)))
        return sum(found) / len(found)


def plane(frame: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    """The green plane, float32 (H, W), smoothed by a Gaussian; swapped red and blue do not change it."""
    green = np.ascontiguousarray(frame[..., 1]).astype(np.float32)
    return cv2.GaussianBlur(green, (0, 0), sigma) if sigma else green


def unexplained(x: np.ndarray, y: np.ndarray) -> float:
    """1 - r^2 of two planes, in [0, 1]: the share of one's variance that a linear function of the other leaves.

    It does not depend on level and range, and hardly on gamma. A flat plane explains nothing: 1.
    """
    x, y = x - x.mean(), y - y.mean()
    energy = float(np.vdot(x, x)) * float(np.vdot(y, y))
    return 1.0 - float(np.vdot(x, y)) ** 2 / energy if energy > 0 else 1.0


def gain_db(before: float, after: float) -> float:
    """The decrease of an error from `before` to `after` in dB; errors below 1e-6 count as 1e-6."""
    return 10 * math.log10(max(before, 1e-6) / max(after, 1e-6))
