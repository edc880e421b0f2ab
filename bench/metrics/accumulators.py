"""One way to score a clip for metrics of single frames and metrics of clips alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bench.metrics.base import Accumulator, ClipMetric, FrameMetric, Metric
from bench.metrics.unavailable import Unavailable


class ScoresFrames(Protocol):
    """Scores pairs of frames, such as `bench.metrics.gt_features.GtFeatures`."""

    def score(self, metric: FrameMetric, sr: np.ndarray, gt: np.ndarray | None) -> float:
        """The score of a pair, the same number as `metric.score(sr, gt)`."""
        ...


def reason_absent(metric: Metric, indices: Sequence[int], has_gt: bool) -> str | None:
    """The reason why a metric has no value for a clip, known before any frame is seen; None if it may have one.

    Args:
        indices: of the frames that the protocol scores.
    """
    if isinstance(metric, Unavailable):
        return metric.unavailable
    if metric.kind.reference and not has_gt:
        return "no ground truth"
    in_order = metric.kind.window > 1 or isinstance(metric, ClipMetric)
    if in_order and list(indices) != list(range(indices[0], indices[0] + len(indices))):
        return f"{metric.kind.title} needs consecutive frames, the protocol leaves some out"
    if len(indices) < metric.kind.window:
        return f"{metric.kind.title} needs {metric.kind.window} frames"
    return None


def accumulator(metric: Metric, frames: ScoresFrames) -> Accumulator:
    """A fresh accumulator of one clip's scores.

    Args:
        frames: scores single frames, such as the cache of GT features that all predictions of one GT share.
    """
    return metric.begin() if isinstance(metric, ClipMetric) else _PerFrame(metric, frames)


class _PerFrame:
    def __init__(self, metric: FrameMetric, frames: ScoresFrames) -> None:
        self._metric, self._frames = metric, frames
        self._values: list[float] = []

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        self._values.append(self._frames.score(self._metric, sr, gt))

    def values(self) -> list[float]:
        return list(self._values)
