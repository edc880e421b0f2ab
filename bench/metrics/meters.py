"""One way to score a clip for metrics of single frames and metrics of clips alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics.base import ClipMetric, ClipScore, Metric
from bench.metrics.truths import Truths


def refusal(metric: Metric | ClipMetric, indices: Sequence[int], has_gt: bool) -> str | None:
    """Why a metric has no value for a clip, or None if it has.

    Args:
        indices: of the frames that the protocol scores.
    """
    if metric.kind.reference and not has_gt:
        return "no ground truth"
    if metric.kind.window > 1 and list(indices) != list(range(indices[0], indices[0] + len(indices))):
        return f"{metric.kind.title} needs consecutive frames, the protocol leaves some out"
    if len(indices) < metric.kind.window:
        return f"{metric.kind.title} needs {metric.kind.window} frames"
    return None


def meter(metric: Metric | ClipMetric, truths: Truths) -> ClipScore:
    """What is told a clip's frames one by one and then has their values.

    Args:
        truths: shared by all that is compared with the same GT.
    """
    return metric.begin() if hasattr(metric, "begin") else _Frames(metric, truths)


class _Frames:
    def __init__(self, metric: Metric, truths: Truths) -> None:
        self._metric, self._truths = metric, truths
        self._values: list[float] = []

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        self._values.append(self._truths.score(self._metric, sr, gt))

    def values(self) -> list[float]:
        return list(self._values)
