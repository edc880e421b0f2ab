"""Scores of single frames that are known before a clip is scored, by the digests of these frames."""

from __future__ import annotations

from collections import deque

import numpy as np

from bench.metrics.accumulators import ScoresFrames
from bench.metrics.base import FrameMetric, Metric
from bench.metrics.of_gt import ClipOfGt, FrameOfGt
from bench.store.keys import HARNESS, frames_digest, source_digest
from bench.store.store import FrameValues


def recipe_of(metric: Metric) -> str:
    """What a metric's stored scores depend on beside the frames: its signature, and a foreign metric's sources.

    The harness's own metrics change their signature with their code. Those of other packages may be under development.
    """
    made_by = metric.metric if isinstance(metric, (FrameOfGt, ClipOfGt)) else metric
    package = type(made_by).__module__.partition(".")[0]
    return metric.signature if package == HARNESS else f"{metric.signature}|sources {source_digest(package)}"


class FrameScores:
    """Scores of single frames of one prediction: known ones, and those that had to be `computed`.

    A score is known by its metric and the digest of its frames, whoever computed it.
    """

    def __init__(self, known: FrameValues | None = None) -> None:
        self._known = known or {}
        self.computed: FrameValues = {}
        self._seen: deque[tuple[np.ndarray, np.ndarray | None, str]] = deque(maxlen=2)

    def over(self, frames: ScoresFrames) -> ScoresFrames:
        """A scorer that looks up known scores, and leaves the others to `frames`."""
        return _Over(self, frames)

    def of(self, metric: FrameMetric, sr: np.ndarray, gt: np.ndarray | None, frames: ScoresFrames) -> float:
        """The score of a frame, known or else computed by `frames`."""
        recipe, digest = recipe_of(metric), self._digest(sr, gt)
        value = self._known.get(recipe, {}).get(digest)
        if value is None:
            value = frames.score(metric, sr, gt)
            self.computed.setdefault(recipe, {})[digest] = value
        return value

    def _digest(self, sr: np.ndarray, gt: np.ndarray | None) -> str:
        """The digest of a pair; the last two are remembered, as all metrics ask for them, some a frame later."""
        for one, other, digest in tuple(self._seen):
            if one is sr and other is gt:
                return digest
        digest = frames_digest([sr] if gt is None else [sr, gt])
        self._seen.append((sr, gt, digest))
        return digest


class _Over:
    def __init__(self, known: FrameScores, frames: ScoresFrames) -> None:
        self._known, self._frames = known, frames

    def score(self, metric: FrameMetric, sr: np.ndarray, gt: np.ndarray | None) -> float:
        return self._known.of(metric, sr, gt, self._frames)
