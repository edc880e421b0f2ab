"""Score the predictions of one clip together: each GT frame is read once, goes through each network once, and is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import numpy as np

from bench.datasets.clip import Clip
from bench.doctor.sample import needed
from bench.io.prefetch import ahead
from bench.metrics.base import ClipMetric, ClipScore, Metric
from bench.metrics.protocol import Protocol
from bench.metrics.signature import short
from bench.metrics.truths import Truths


@dataclass
class Sheet:
    """One prediction on its way through the metrics; afterwards `values`, or the `error` that ended it alone."""

    frames: Iterable[np.ndarray]  # SR, uint8 (H, W, 3) RGB
    metrics: dict[str, Metric | ClipMetric]
    protocol: Protocol
    values: dict[str, list[float] | None] = field(default_factory=dict)
    error: Exception | None = None
    looked_at: dict[int, np.ndarray] = field(default_factory=dict)  # the SR frames that the doctor wants
    _clips: dict[str, ClipScore] = field(default_factory=dict)

    def begin(self, clip: Clip) -> None:
        """Open a list for every metric that can be had: those that need GT have None without it."""
        for name, metric in self.metrics.items():
            possible = clip.has_gt or not metric.kind.reference
            self.values[name] = [] if possible else None
            if possible and hasattr(metric, "begin"):
                self._clips[name] = metric.begin()

    def add(self, sr: np.ndarray, gt: np.ndarray | None, truths: Truths, beside: ThreadPoolExecutor) -> list[Future]:
        """One frame: networks here, everything else in the thread beside, in order."""
        pending = []
        for name, metric in self.metrics.items():
            if self.values[name] is None:
                continue
            if name in self._clips:
                pending.append(beside.submit(self._clips[name].add, sr, gt))
            elif not hasattr(metric, "prepare"):
                pending.append(beside.submit(self._append, name, metric, sr, gt))
        for name, metric in self.metrics.items():
            if self.values[name] is not None and hasattr(metric, "prepare"):
                self.values[name].append(truths.score(metric, sr, gt))
        return pending

    def end(self) -> None:
        for name, clip_score in self._clips.items():
            self.values[name] = clip_score.values()

    def _append(self, name: str, metric: Metric, sr: np.ndarray, gt: np.ndarray | None) -> None:
        self.values[name].append(metric.score(sr, gt))


def score_together(sheets: list[Sheet], clip: Clip, step: Callable[[], None]) -> dict[int, np.ndarray]:
    """Fill in the sheets of one clip; `step` is called after each frame of each sheet.

    An exception in one sheet's frames or metrics ends that sheet alone.

    Returns:
        The GT frames that the doctor wants, by index; each sheet's `looked_at` has the SR frames.
    Raises:
        ValueError, OSError: a GT frame cannot be read.
    """
    for sheet in sheets:
        _guarded(sheet, lambda sheet: sheet.begin(clip))
    sources = [ahead(iter(sheet.frames), depth=2) for sheet in sheets]
    gt = ahead(clip.gt()) if clip.has_gt else iter([None] * clip.frames)
    chosen = [set(sheet.protocol.indices(clip.frames)) if not sheet.error else set() for sheet in sheets]
    truths = Truths()
    wanted_sr, wanted_gt = map(set, needed(clip.frames, clip.frames)) if clip.has_gt else (set(), set())
    gt_frames: dict[int, np.ndarray] = {}
    with ThreadPoolExecutor(1) as beside:
        pending: list[tuple[Sheet, Future]] = []
        for index, truth in enumerate(gt):
            now = []
            if index in wanted_gt:
                gt_frames[index] = truth
            for sheet, source, indices in zip(sheets, sources, chosen):
                sr = _guarded(sheet, lambda _: _next(source, index, clip))
                if index in wanted_sr and sheet.error is None:
                    sheet.looked_at[index] = sr
                if index in indices and sheet.error is None:
                    now += [(sheet, future) for future in
                            _guarded(sheet, lambda sheet: sheet.add(sr, truth, truths, beside)) or []]
                step()
            truths.clear()
            _collect(pending)  # of the frame before: the thread beside is never more than a frame behind
            pending = now
        _collect(pending)
    for sheet in sheets:
        _guarded(sheet, Sheet.end)
    return gt_frames


def described(metric: Metric | ClipMetric, values: list[float] | None, indices: list[int]) -> dict:
    """What a record keeps of one metric: kind, recipe, values and the indices of their frames."""
    reason = None if values is not None else "no ground truth"
    indices = None if values is None else indices[: len(values)]
    recipe = {"signature": metric.signature, "short": short(metric.kind.title, metric.signature)}
    return {**asdict(metric.kind), **recipe, "frames": values, "indices": indices, "reason": reason}


def _next(source: Iterator[np.ndarray], index: int, clip: Clip) -> np.ndarray:
    try:
        return next(source)
    except StopIteration:
        raise ValueError(f"clip {clip.name} has {clip.frames} frames, but there are only {index} SR frames") from None


def _collect(pending: list[tuple[Sheet, Future]]) -> None:
    for sheet, future in pending:
        _guarded(sheet, lambda _: future.result())


def _guarded(sheet: Sheet, action: Callable):
    if sheet.error is None:
        try:
            return action(sheet)
        except Exception as error:  # one prediction's fault must not cost the others
            sheet.error = error
    return None
