"""Metrics of motion, over neighbouring frames: tOF and tLP (TecoGAN, Chu et al. 2020), warping error (Lai et al. 2018).

Flow is OpenCV's Farneback with TecoGAN's parameters; it is part of the signatures, as other flow gives other numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from bench.metrics import lpips
from bench.metrics.base import Kind, check_pair

FLOW = "farneback-0.5-3-15-3-5-1.2"


def flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Farneback's dense flow from one grey frame to the other: float32 (H, W, 2), (right, down) in pixels."""
    unused = np.zeros((*one.shape, 2), np.float32)  # a first guess, which these flags leave aside
    return np.asarray(cv2.calcOpticalFlowFarneback(one, other, unused, 0.5, 3, 15, 3, 5, 1.2, 0))


def gt_flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The flow between two grey GT frames, not to be written to: the last two are kept, for all metrics and methods."""
    before, now = (hashlib.sha256(np.ascontiguousarray(frame).data).digest() for frame in (one, other))
    return _kept_flow(_Greys(one.shape, before, now, (one, other)))


@dataclass(frozen=True)
class _Greys:
    """Two grey frames, equal to others with the same pixels."""

    shape: tuple[int, ...]
    before: bytes  # digests
    now: bytes
    frames: tuple[np.ndarray, np.ndarray] = field(compare=False, repr=False)


@lru_cache(2)  # forward and backward
def _kept_flow(greys: _Greys) -> np.ndarray:
    return flow(*greys.frames)


class Consecutive:
    """Accumulates a clip's values, one for each pair of neighbouring frames.

    Args:
        look: (sr, gt) -> the part of the pair that is kept until the next one comes.
        compare: (before, now) -> the value.
    """

    def __init__(self, look: Callable[[np.ndarray, Any], Any], compare: Callable[[Any, Any], float]) -> None:
        self._look, self._compare = look, compare
        self._before: Any = None
        self._values: list[float] = []

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        now = self._look(sr, gt)
        if self._before is not None:
            self._values.append(self._compare(self._before, now))
        self._before = now

    def values(self) -> list[float]:
        return list(self._values)


class Tof:
    """Mean length of the difference between SR's flow and GT's, on grey levels, inside TecoGAN's crop."""

    kind = Kind("tOF", "px", "lower", 3, window=2)
    signature = f"tof|{FLOW}|grey|uint8|crop-tecogan|mean-pairs,clips|v1"

    def begin(self) -> Consecutive:
        return Consecutive(_greys, self._difference)

    def _difference(self, before: tuple[np.ndarray, np.ndarray], now: tuple[np.ndarray, np.ndarray]) -> float:
        found = flow(before[0], now[0]), gt_flow(before[1], now[1])
        ours, truth = map(tecogan_crop, found)
        return float(np.linalg.norm(ours - truth, axis=2).mean(dtype=np.float64))


class Tlp:
    """|LPIPS(GT before, GT now) - LPIPS(SR before, SR now)| times 100, on AlexNet, inside TecoGAN's crop."""

    kind = Kind("tLP", "", "lower", 3, window=2)
    signature = "tlp|alex-v0.1|x100|rgb|uint8|crop-tecogan|mean-pairs,clips|v1"

    def __init__(self, device: str) -> None:
        self._lpips = lpips.build("alex", device)

    def begin(self) -> Consecutive:
        return Consecutive(self._features, self._difference)

    def _features(self, sr: np.ndarray, gt: np.ndarray) -> tuple[lpips.Features, lpips.Features]:
        check_pair(sr, gt, minimum=48)
        return self._lpips.prepare(tecogan_crop(sr)), self._lpips.prepare(tecogan_crop(gt))

    def _difference(
        self, before: tuple[lpips.Features, lpips.Features], now: tuple[lpips.Features, lpips.Features]
    ) -> float:
        ours, truth = (self._lpips.between(a, b) for a, b in zip(before, now))
        return abs(truth - ours) * 100


class WarpError:
    """Mean squared difference, times 1000, of an SR frame and the next one moved back along GT's flow, RGB in [0, 1].

    Only positions count that both frames show: occlusions by the forward-backward test and motion boundaries of Ruder
    et al. 2016, as in Lai et al. 2018, and what moves out of the frame, are left out. The paper's flow is FlowNet2's.
    """

    kind = Kind("E_warp", "x1e-3", "nearer", 3, window=2)
    signature = f"warp-error|{FLOW} on GT|rgb|uint8|crop0|occlusions-out|mean-pairs,clips|v1"
    _flow = staticmethod(gt_flow)

    def begin(self) -> Consecutive:
        return Consecutive(lambda sr, gt: (sr, _greys(sr, gt)[1]), self._error)

    def _error(self, before: tuple[np.ndarray, np.ndarray], now: tuple[np.ndarray, np.ndarray]) -> float:
        forward, backward = self._flow(before[1], now[1]), self._flow(now[1], before[1])
        moved, inside = warped(now[0].astype(np.float32) / 255, forward)
        seen = inside & ~occluded(forward, backward)
        if not seen.any():  # a cut: nothing to follow; Lai's program then divides by all positions, which is 0 as well
            return 0.0
        difference = moved[seen] - before[0][seen].astype(np.float32) / 255
        return 1000 * float(np.mean(np.square(difference), dtype=np.float64))


class WarpErrorOfSr(WarpError):
    """The warping error along SR's own flow, without GT: E*_warp as DOVE and EvalCrafter define it, after Lai et al.

    They use RAFT's flow, so their figures differ. Blur makes it small: it says nothing about detail.
    """

    kind = Kind("E_warp along SR", "x1e-3", "lower", 3, window=2, reference=False)
    signature = WarpError.signature.replace(" on GT|", " on SR|", 1)
    _flow = staticmethod(flow)

    def begin(self) -> Consecutive:
        return Consecutive(lambda sr, gt: (sr, _greys(sr, sr)[1]), self._error)


def tecogan_crop(frame: np.ndarray) -> np.ndarray:
    """The middle of a frame (H, W, ...): multiples of 32, at least 16 pixels smaller than the frame."""
    height, width = ((side - 16) // 32 * 32 for side in frame.shape[:2])
    top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


def warped(frame: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame (H, W, ...) sampled at every position moved by the flow, bilinearly; and a mask of those inside it."""
    height, width = along.shape[:2]
    x = along[..., 0] + np.arange(width, dtype=np.float32)
    y = along[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return cv2.remap(frame, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), inside


def occluded(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Positions of the first frame that the second does not show, or that lie on a motion boundary: bool (H, W)."""
    back = warped(backward, forward)[0]
    lengths = np.square(forward).sum(2) + np.square(back).sum(2)
    unseen = np.square(forward + back).sum(2) > 0.01 * lengths + 0.5
    down, right = np.diff(forward, axis=0, append=forward[-1:]), np.diff(forward, axis=1, append=forward[:, -1:])
    slopes = np.square(down).sum(2) + np.square(right).sum(2)
    return unseen | (slopes > 0.01 * np.square(forward).sum(2) + 0.002)


def _greys(sr: np.ndarray, gt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    check_pair(sr, gt, minimum=48)
    grey_sr, grey_gt = (cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (sr, gt))
    return grey_sr, grey_gt
