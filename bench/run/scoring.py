"""Score the predictions of one clip together: each GT frame is read once and goes through each network once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from bench.datasets.clip import Clip
from bench.doctor.excerpt import needed
from bench.metrics.accumulators import accumulator, reason_absent
from bench.metrics.base import Accumulator, Metric, as_number, check_pair, is_network
from bench.metrics.gt_features import GtFeatures
from bench.metrics.protocol import Protocol
from bench.metrics.signature import short
from bench.run.frame_scores import FrameScores, package_of
from bench.store.keys import HARNESS
from bench.store.plausible import is_beyond
from bench.store.record import Score
from frames.errors import one_line
from frames.prefetch import ahead


@dataclass
class PredictionScores:
    """The scores of one prediction: `values` of each metric, or the reason why it has none.

    `error` is a failure of the whole prediction: frames that cannot be read, too few, or of a wrong size.
    """

    frames: Iterable[np.ndarray]  # SR, uint8 (H, W, 3) RGB
    metrics: dict[str, Metric]
    protocol: Protocol
    values: dict[str, list[float]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    passing: set[str] = field(
        default_factory=set
    )  # metrics whose reason may not hold the next time: out of memory, ...
    error: Exception | None = None
    known: FrameScores | None = None  # scores of single frames that need not be computed; None: there are none
    doctor_frames: dict[int, np.ndarray] = field(default_factory=dict)  # the SR frames that the doctor wants
    _accumulators: dict[str, Accumulator] = field(default_factory=dict)
    _foreign: set[str] = field(default_factory=set)  # metrics of other packages
    _added: int = 0  # frames

    def begin(self, clip: Clip, features: GtFeatures) -> set[int]:
        """Open the accumulators of the metrics that can have values; returns the indices of the scored frames."""
        indices = self.protocol.indices(clip.frames)
        frames = features if self.known is None else self.known.over(features)
        for name, metric in self.metrics.items():
            if reason := reason_absent(metric, indices, clip.has_gt):
                self.reasons[name] = reason
            else:
                self._accumulators[name] = accumulator(metric, frames)
                if package_of(metric) != HARNESS:
                    self._foreign.add(name)
        return set(indices)

    def add(self, index: int, sr: np.ndarray, gt: np.ndarray | None, executor: ThreadPoolExecutor) -> list[Future]:
        """Add one frame: to networks here, to all other metrics in the thread of `executor`, in order.

        Raises:
            ValueError: SR and GT have unlike sizes.
        """
        if gt is not None:
            check_pair(sr, gt)
        self._added += 1
        networks = {name for name, metric in self.metrics.items() if is_network(metric)}
        pending = [
            executor.submit(self._take, name, index, sr, gt) for name in self._accumulators if name not in networks
        ]
        for name in networks & self._accumulators.keys():
            self._take(name, index, sr, gt)
        return pending

    def end(self) -> None:
        """Take the values of all accumulators."""
        for name, each in self._accumulators.items():
            if name not in self.reasons:
                try:
                    values = self._checked(name, each)
                except Exception as error:  # a program that failed, for one
                    self._absent(name, error, "")
                    continue
                lost = next((i for i, value in enumerate(values) if math.isnan(value) or is_beyond(value)), None)
                if lost is None:
                    self.values[name] = values
                else:
                    what = "not a number" if math.isnan(values[lost]) else f"{values[lost]:g}, which no record takes"
                    self.reasons[name] = f"value {lost} is {what}"

    def _checked(self, name: str, each: Accumulator) -> list[float]:
        """The values of a metric as plain numbers, as many as its `kind` says."""
        values, window = list(map(as_number, each.values())), self.metrics[name].kind.window
        due = self._added - window + 1
        if len(values) != due:
            said = f"{len(values)} values of {self._added} frames do not fit window={window} of its kind"
            raise TypeError(f"{said}; {due} are due (one number for a whole clip is returned {due} times)")
        return values

    def _take(self, name: str, index: int, sr: np.ndarray, gt: np.ndarray | None) -> None:
        """Give a frame to one metric; a metric that refuses it costs that metric alone."""
        if name not in self.reasons:
            try:
                if name in self._foreign:  # it may write into its frames, which the others get, too
                    sr, gt = sr.copy(), None if gt is None else gt.copy()
                self._accumulators[name].add(sr, gt)
            except Exception as error:
                self._absent(name, error, f"frame {index}: ")

    def _absent(self, name: str, error: Exception, where: str) -> None:
        self.reasons[name] = where + one_line(error)
        if not isinstance(error, ValueError):
            self.passing.add(name)


def score_together(
    predictions: list[PredictionScores], clip: Clip, step: Callable[[], None], part: range | None = None
) -> dict[int, np.ndarray]:
    """Score the predictions of one clip; `step` is called after each frame of each prediction.

    A failure of a prediction's frames costs that prediction alone, and a refusal of a frame that metric alone.

    Args:
        part: indices of the frames to score, the only ones that the predictions then have; for metrics of single
            frames, without the doctor. None: all frames.
    Returns:
        The GT frames that the doctor wants, by index; each prediction's `doctor_frames` has the SR frames.
    Raises:
        ValueError, OSError: a GT frame cannot be read.
    """
    features = GtFeatures()
    chosen = [_guarded(each, partial(each.begin, clip, features)) or set() for each in predictions]
    sources = [ahead(iter(each.frames), depth=2) for each in predictions]
    indices_read = range(clip.frames) if part is None else part
    gt = ahead(clip.gt(part)) if clip.has_gt else iter([None] * len(indices_read))
    is_examined = clip.has_gt and part is None
    wanted_sr, wanted_gt = map(set, needed(clip.frames, clip.frames)) if is_examined else (set(), set())
    gt_frames: dict[int, np.ndarray] = {}
    with ThreadPoolExecutor(1) as executor:
        pending: list[Future] = []
        for index, gt_frame in enumerate(gt, indices_read.start):
            now: list[Future] = []
            if index in wanted_gt and gt_frame is not None:
                gt_frames[index] = gt_frame
            for each, source, indices in zip(predictions, sources, chosen):
                sr = _guarded(each, partial(_next, source, index, clip))
                if index in wanted_sr and each.error is None:
                    each.doctor_frames[index] = sr
                if index in indices and each.error is None:
                    now += _guarded(each, partial(each.add, index, sr, gt_frame, executor)) or []
                step()
            features.clear()
            wait(pending)  # of the frame before: the other thread is never more than a frame behind
            pending = now
        wait(pending)
    for each in predictions:
        _guarded(each, each.end)
    return gt_frames


def described(metric: Metric, values: list[float] | None, indices: list[int], reason: str | None) -> Score:
    """The part of a record on one metric: kind, recipe, and values with the indices of their (first) frames."""
    scored = None if values is None else indices[: len(indices) - metric.kind.window + 1]
    return Score(
        **asdict(metric.kind),
        signature=metric.signature,
        short=short(metric.kind.title, metric.signature),
        values=values,
        indices=scored,
        reason=reason,
    )


def _next(source: Iterator[np.ndarray], index: int, clip: Clip) -> np.ndarray:
    try:
        return next(source)
    except StopIteration:
        raise ValueError(f"clip {clip.name} has {clip.frames} frames, but there are only {index} SR frames") from None


def _guarded(prediction: PredictionScores, action: Callable[[], Any]) -> Any:
    if prediction.error is None:
        try:
            return action()
        except Exception as error:  # one prediction's fault must not cost the others
            prediction.error = error
    return None
