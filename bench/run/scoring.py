"""Score the predictions of one clip together: each GT frame is read once and goes through each network once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

import numpy as np

from bench.datasets.clip import Clip
from bench.doctor.sample import needed
from bench.metrics.accumulators import accumulator, reason_absent
from bench.metrics.base import Accumulator, Metric, is_network
from bench.metrics.gt_features import GtFeatures
from bench.metrics.protocol import Protocol
from bench.metrics.signature import short
from bench.store.record import Score
from frames.prefetch import ahead


@dataclass
class Sheet:
    """One prediction on its way through the metrics; afterwards `values`, or the `error` that ended it alone."""

    frames: Iterable[np.ndarray]  # SR, uint8 (H, W, 3) RGB
    metrics: dict[str, Metric]
    protocol: Protocol
    values: dict[str, list[float] | None] = field(default_factory=dict)  # None: see `reason_absent`
    error: Exception | None = None
    looked_at: dict[int, np.ndarray] = field(default_factory=dict)  # the SR frames that the doctor wants
    _accumulators: dict[str, Accumulator] = field(default_factory=dict)

    def begin(self, clip: Clip, features: GtFeatures) -> set[int]:
        """Open the accumulators of the metrics that can have values; returns the indices of the scored frames."""
        indices = self.protocol.indices(clip.frames)
        for name, metric in self.metrics.items():
            if reason_absent(metric, indices, clip.has_gt):
                self.values[name] = None
            else:
                self._accumulators[name] = accumulator(metric, features)
        return set(indices)

    def add(self, sr: np.ndarray, gt: np.ndarray | None, beside: ThreadPoolExecutor) -> list[Future]:
        """One frame: networks here, everything else in the thread beside, in order."""
        networks = {name for name, metric in self.metrics.items() if is_network(metric)}
        pending = [beside.submit(each.add, sr, gt) for name, each in self._accumulators.items() if name not in networks]
        for name in networks & self._accumulators.keys():
            self._accumulators[name].add(sr, gt)
        return pending

    def end(self) -> None:
        self.values |= {name: each.values() for name, each in self._accumulators.items()}


def score_together(sheets: list[Sheet], clip: Clip, step: Callable[[], None]) -> dict[int, np.ndarray]:
    """Fill in the sheets of one clip; `step` is called after each frame of each sheet.

    An exception in one sheet's frames or metrics ends that sheet alone.

    Returns:
        The GT frames that the doctor wants, by index; each sheet's `looked_at` has the SR frames.
    Raises:
        ValueError, OSError: a GT frame cannot be read.
    """
    features = GtFeatures()
    chosen = [_guarded(sheet, lambda sheet: sheet.begin(clip, features)) or set() for sheet in sheets]
    sources = [ahead(iter(sheet.frames), depth=2) for sheet in sheets]
    gt = ahead(clip.gt()) if clip.has_gt else iter([None] * clip.frames)
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
                    now += [
                        (sheet, future) for future in _guarded(sheet, lambda sheet: sheet.add(sr, truth, beside)) or []
                    ]
                step()
            features.clear()
            _collect(pending)  # of the frame before: the thread beside is never more than a frame behind
            pending = now
        _collect(pending)
    for sheet in sheets:
        _guarded(sheet, Sheet.end)
    return gt_frames


def described(metric: Metric, values: list[float] | None, indices: list[int], has_gt: bool) -> Score:
    """What a record keeps of one metric: kind, recipe, values and the indices of their (first) frames."""
    recipe = {"signature": metric.signature, "short": short(metric.kind.title, metric.signature)}
    reason = reason_absent(metric, indices, has_gt) if values is None else None
    scored = None if values is None else indices[: len(indices) - metric.kind.window + 1]
    return Score(**asdict(metric.kind), **recipe, values=values, indices=scored, reason=reason)


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
