"""Flicker: how much SR changes from frame to frame, relative to how much GT does, where GT stands still or moves.

In still areas the change is the mean of |SR now - SR before| on luma; in moving ones SR is compared with the next frame
moved back along GT's flow, without occlusions. A pair's value is

    (change of SR + q) / (change of GT + q),

taken over the same pixels; q = 1/3 level is the mean change that rounding alone gives two frames. 1: as calm as GT;
more: it flickers; less: it is calmer, as blur is. Warping errors without GT's own value prefer blur (docs/metrics.md).
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.metrics.base import Kind, check_pair
from bench.metrics.temporal import FLOW, gt_flow, occluded, warped

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_STILL = 0.1  # pixels from frame to frame
_MARGIN = 9  # pixels around motion that do not count as still: flow is smooth across edges
_ROUNDING = 1 / 3  # levels
_LEAST = 0.01  # share of a frame's pixels that a pair needs for a value of its own, and all pairs for any
Planes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Luma of SR and of GT, float32 (H, W), and GT's grey levels, uint8 (H, W)."""


class Flicker:
    """Ratios of neighbouring frames' changes, SR's to GT's.

    Args:
        moving: measure moving areas, along GT's flow; else still areas.
    """

    def __init__(self, moving: bool = False) -> None:
        self.moving = moving
        where = "along GT's flow" if moving else f"still {_STILL}px"
        self.kind = Kind(f"{'moving flicker' if moving else 'flicker'} (GT: 1)", "", "nearer", 2, window=2, best=1.0)
        self.signature = f"flicker|{where}|{FLOW} on GT|luma|uint8|crop0|mean-pairs,clips|v2"

    def begin(self) -> FlickerOfClip:
        return FlickerOfClip(self.moving)


class FlickerOfClip:
    """Accumulates the changes of one clip."""

    def __init__(self, moving: bool) -> None:
        self._moving = moving
        self._before: Planes | None = None
        self._pairs: list[tuple[float, float, float]] = []  # sum of SR's changes, of GT's, share of the pixels

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        """Add the next frames, uint8 (H, W, 3) RGB of at least 48 pixels a side."""
        if gt is None:
            raise ValueError("no ground truth")
        check_pair(sr, gt, minimum=48)
        now = planes_of(sr, gt)
        if self._before is not None:
            self._pairs.append(self._changes(self._before, now))
        self._before = now

    def values(self) -> list[float]:
        """One ratio for each pair of frames; a pair with hardly any such area gets the ratio of the whole clip.

        Raises:
            ValueError: all pairs of the clip together have no such area, or less than a hundredth of a frame.
        """
        if sum(share for _, _, share in self._pairs) < _LEAST:
            raise ValueError(f"GT has hardly any {'moving' if self._moving else 'still'} area between its frames")
        whole = _ratio(*(sum(column) for column in zip(*self._pairs)))
        return [_ratio(*pair) if pair[2] >= _LEAST else whole for pair in self._pairs]

    def _changes(self, before: Planes, now: Planes) -> tuple[float, float, float]:
        ours, theirs, chosen = changes(before, now, self._moving)
        sums = [float(each[chosen].mean()) if chosen.any() else 0.0 for each in (ours, theirs)]
        share = float(chosen.mean())
        return sums[0] * share, sums[1] * share, share


def planes_of(sr: np.ndarray, gt: np.ndarray) -> Planes:
    """Prepare a pair of uint8 (H, W, 3) RGB frames: luma of SR, luma of GT, and GT's grey levels for the flow."""
    return sr @ _LUMA, gt @ _LUMA, cv2.cvtColor(np.ascontiguousarray(gt), cv2.COLOR_RGB2GRAY)


def changes(before: Planes, now: Planes, moving: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each pixel's change in levels, of SR and of GT, float (H, W); and a mask of the pixels to use, bool (H, W)."""
    forward = gt_flow(before[2], now[2])
    moves = np.hypot(forward[..., 0], forward[..., 1]) > _STILL
    if moving:
        after, inside = zip(*(warped(plane, forward) for plane in now[:2]))
        chosen = moves & inside[0] & ~occluded(forward, gt_flow(now[2], before[2]))
    else:
        after = now[:2]
        chosen = cv2.dilate(moves.astype(np.uint8), np.ones((2 * _MARGIN + 1,) * 2, np.uint8)) == 0
    ours, theirs = (np.abs(a - b) for a, b in zip(after, before))
    return ours, theirs, chosen


def _ratio(sr: float, gt: float, share: float) -> float:
    """The ratio of mean changes, from sums weighted by the share of the pixels that they were taken over."""
    return (sr / share + _ROUNDING) / (gt / share + _ROUNDING)
