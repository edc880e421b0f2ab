"""Cache of features that metrics compute from GT frames only, in bounded memory, shared by all methods."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from bench.metrics.base import FrameMetric, PreparesGt, as_number


class GtFeatures:
    """Scores pairs, preparing each GT frame once for a metric that has the two-step form.

    When the budget is used up the newest entry makes room, not the oldest: methods go over the same frames in the same
    order, one after the other, and then the oldest entry is the next one needed. Frames scored by several methods
    before the next frame comes need room for one frame only.

    Args:
        budget: bytes. A frame whose features are larger is scored in the metric's one-step form, which keeps none.
    """

    def __init__(self, budget: int = 1 << 30) -> None:
        self.budget = budget
        self.prepared = 0  # how often a GT frame went through a network
        self._kept: dict[tuple, tuple[int, Any]] = {}

    @property
    def bytes(self) -> int:
        """Bytes of the features held now."""
        return sum(size for size, _ in self._kept.values())

    def score(self, metric: FrameMetric, sr: np.ndarray, gt: np.ndarray | None) -> float:
        """The same number as `metric.score(sr, gt)`, faster for a GT frame that was seen before.

        Raises:
            ValueError: the frames cannot be compared.
            TypeError: the metric returns something else than a number.
        """
        return as_number(self._scored(metric, sr, gt))

    def clear(self) -> None:
        """Drop all features, before the frames of another clip."""
        self._kept.clear()

    def _scored(self, metric: FrameMetric, sr: np.ndarray, gt: np.ndarray | None) -> Any:
        if gt is None or not isinstance(metric, PreparesGt) or sr.shape != gt.shape:  # score() says what is wrong
            return metric.score(sr, gt)
        size = metric.prepared_bytes(gt)
        if size > self.budget:
            return metric.score(sr, gt)
        key = metric.signature, metric.device, gt.shape, hashlib.sha256(np.ascontiguousarray(gt).data).digest()
        if key not in self._kept:
            while self.bytes + size > self.budget:
                self._kept.popitem()  # the newest
            self._kept[key] = size, metric.prepare(gt)
            self.prepared += 1
        return metric.compare(sr, self._kept[key][1])
