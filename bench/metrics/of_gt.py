"""GT's own value of a metric, for comparison with a method's value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.metrics.base import Accumulator, ClipMetric, FrameMetric, Kind, Metric


def of_gt(metric: Metric) -> Metric:
    """The metric that scores GT where the given one scores SR; it ranks nothing."""
    return ClipOfGt(metric) if isinstance(metric, ClipMetric) else FrameOfGt(metric)


class FrameOfGt:
    """GT's own value of a metric of single frames."""

    def __init__(self, metric: FrameMetric) -> None:
        self.metric = metric
        self.kind, self.signature = _kind(metric.kind), _signature(metric.signature)

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """The score of a uint8 (H, W, 3) RGB GT frame; `sr` is ignored."""
        return self.metric.score(_given(gt), gt)


class ClipOfGt:
    """GT's own value of a metric of frames in order."""

    def __init__(self, metric: ClipMetric) -> None:
        self.metric = metric
        self.kind, self.signature = _kind(metric.kind), _signature(metric.signature)

    def begin(self) -> AccumulatorOfGt:
        return AccumulatorOfGt(self.metric.begin())


class AccumulatorOfGt:
    """Accumulates the scores of one clip's GT."""

    def __init__(self, accumulator: Accumulator) -> None:
        self._accumulator = accumulator

    def add(self, sr: np.ndarray, gt: np.ndarray | None) -> None:
        """Add the next GT frame, uint8 (H, W, 3) RGB; `sr` is ignored."""
        self._accumulator.add(_given(gt), gt)

    def values(self) -> list[float]:
        return self._accumulator.values()


def _given(gt: np.ndarray | None) -> np.ndarray:
    if gt is None:
        raise ValueError("no ground truth")
    return gt


def _kind(kind: Kind) -> Kind:
    return replace(kind, title=f"{kind.title} of GT", better="none", reference=True, best=None)


def _signature(signature: str) -> str:
    name, bar, recipe = signature.partition("|")
    return f"{name}|of GT{bar}{recipe}"
