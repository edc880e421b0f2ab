"""Scores of single frames that are known before a clip is scored, by the digests of these frames."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from bench.metrics.accumulators import ScoresFrames
from bench.metrics.base import FrameMetric, Metric
from bench.metrics.of_gt import ClipOfGt, FrameOfGt
from bench.metrics.registry import OPTIONS
from bench.store.keys import HARNESS, combined, file_digest, frames_digest, named_files, source_digest
from bench.store.store import FrameValues

_NOT_OF_SCORES = ("_target_", "summary", "kind", "device")
"""Options that do not change a score, or that the sources stand for."""


def recipe_of(metric: Metric) -> str:
    """What a metric's stored scores depend on beside the frames: its signature; for a foreign one also its sources and
    options, with the content of the files that they name.

    The harness's own metrics change their signature with their code. Those of other packages may be under development.
    """
    package = package_of(metric)
    if package == HARNESS:
        return metric.signature
    rest = {key: value for key, value in _options(metric).items() if key not in _NOT_OF_SCORES}
    made_with = f"|options {_options_digest(json.dumps(rest, sort_keys=True, default=str))}" if rest else ""
    return f"{metric.signature}|sources {source_digest(package)}{made_with}"


def package_of(metric: Metric) -> str:
    """The top-level package that makes a metric: that of `_target_`, or that of its class."""
    target = _options(metric).get("_target_", type(_scoring(metric)).__module__)
    return str(target).partition(".")[0]


def _scoring(metric: Metric) -> Metric:
    """The metric that scores: of GT's own value the one that it is the value of."""
    return metric.metric if isinstance(metric, (FrameOfGt, ClipOfGt)) else metric


def _options(metric: Metric) -> Mapping[str, Any]:
    return getattr(_scoring(metric), OPTIONS, {})


@cache
def _options_digest(text: str) -> str:
    """The digest of options, given as JSON, and of the files and folders that they name."""
    options = json.loads(text)
    return combined(options, {key: file_digest(file) for key, file in named_files(options, deep=True).items()})


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
