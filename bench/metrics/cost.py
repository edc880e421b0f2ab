"""The cost of a metric on this machine: seconds a frame, on frames of one stated size, within a bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import cv2
import numpy as np

from bench.metrics.accumulators import accumulator
from bench.metrics.base import ClipMetric, Metric
from bench.metrics.gt_features import GtFeatures

SIZE = (360, 640)
"""Height and width of the frames."""
BUDGET_S = 2.0
"""Seconds after which no further frame is begun."""
_MOST = 8  # frames


def seconds_per_frame(metric: Metric) -> float:
    """Measure a metric's seconds for a frame of `SIZE`, GT's features included.

    For a metric of frames it is the median without the first frame, which warms up, unless that alone takes the budget;
    for a metric of clips, the time of all frames and the end of the clip over the number of frames.

    Raises:
        ValueError, RuntimeError: the metric refuses such frames.
    """
    taken = accumulator(metric, GtFeatures())
    began = time.perf_counter()
    each: list[float] = []
    for sr, gt in _frames():
        before = time.perf_counter()
        taken.add(sr, gt)
        each.append(time.perf_counter() - before)
        if time.perf_counter() - began > BUDGET_S and len(each) >= metric.kind.window:
            break
    if isinstance(metric, ClipMetric):
        taken.values()
        return (time.perf_counter() - began) / len(each)
    return median(each[1:] or each)


def _frames() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """SR and GT, uint8 (H, W, 3): seeded blobs with noise, still on the left, two pixels a frame on the right.

    SR is GT blurred.
    """
    generator = np.random.default_rng(0)
    height, width = SIZE
    blobs = generator.random((24, 48, 3), np.float32)
    wide = cv2.resize(blobs, (width + 2 * _MOST, height), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(np.rint(255 * wide + generator.normal(0, 4, wide.shape)), 0, 255).astype(np.uint8)
    half = width // 2
    for index in range(_MOST):
        gt = np.hstack([picture[:, :half], picture[:, half + 2 * index : width + 2 * index]])
        yield cv2.GaussianBlur(gt, (5, 5), 1.0), gt
