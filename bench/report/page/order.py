"""The worst frames, and the priority of frames within the page's budget."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

from bench.report.columns import headed
from bench.store.record import Record

WORST_SHOWN = 8
A_CLIP = 2  # at most so many of one clip in a list of the worst: one bad clip must not hide the others


@dataclass(frozen=True)
class Metric:
    """One metric under one recipe, as the page lists it."""

    name: str
    signature: str
    title: str
    unit: str
    better: str
    digits: int
    window: int = 1

    @property
    def header(self) -> str:
        """The head of a table's column: `PSNR-RGB [dB] ↑`."""
        return headed(self.title, self.unit, self.better)

    def badness(self, value: float) -> float:
        """The badness of a score, greater is worse; if nearer to GT is better, that of a distance (`rank_values`)."""
        return -value if self.better == "higher" else value


@dataclass(frozen=True)
class Bad:
    """A frame and the score that puts it into a list."""

    data: str
    clip: str
    frame: int
    method: str
    value: float


def metrics_of(records: list[Record]) -> list[Metric]:
    """The metrics that these records have scores by, in their order; unlike recipes are unlike metrics."""
    found = {}
    for record in records:
        for name, score in record.scores.items():
            if not score.values:
                continue
            key = (name, score.signature)
            found[key] = Metric(*key, score.short, score.unit, score.better, score.digits, score.window)
    return list(found.values())


def values(record: Record, metric: Metric) -> dict[int, float]:
    """Frame index -> score of one cell; empty if the metric was not computed."""
    score = record.scores.get(metric.name)
    return score.by_index if score and score.signature == metric.signature else {}


def rank_values(record: Record, metric: Metric) -> dict[int, float]:
    """Frame index -> the value that ranks it: its score, or the distance to GT's own; empty if that is not known."""
    return record.rank_values(metric.name) if values(record, metric) else {}


def worst(records: list[Record], metric: Metric, shown: int = WORST_SHOWN) -> list[Bad]:
    """The worst frames of these records by a metric, worst first, at most two of a clip and method."""
    return _worst([bad for record in records for bad in _worst_of_cell(record, metric)], shown)


def worst_lists(records: list[Record], metric: Metric) -> dict[str | None, list[Bad]]:
    """The worst frames by a metric: those of all methods, under None, then those of each method."""
    every: list[tuple[float, Bad]] = []
    by_method: dict[str | None, list[tuple[float, Bad]]] = {None: every}
    for record in records:
        found = _worst_of_cell(record, metric)
        every += found
        by_method.setdefault(record.method, []).extend(found)
    return {method: _worst(found) for method, found in by_method.items()}


def _worst_of_cell(record: Record, metric: Metric) -> list[tuple[float, Bad]]:
    """The frames of one clip and method that may be in a list, each with its badness, worst first."""
    ranked = [(metric.badness(v), frame) for frame, v in rank_values(record, metric).items() if not math.isnan(v)]
    bads = heapq.nlargest(A_CLIP, ranked, key=lambda each: each[0])  # of equal ones the first
    known = values(record, metric) if bads else {}
    return [(bad, Bad(record.data, record.clip, frame, record.method, known[frame])) for bad, frame in bads]


def _worst(found: list[tuple[float, Bad]], shown: int = WORST_SHOWN) -> list[Bad]:
    order = sorted(found, key=lambda each: -each[0])  # stable: the order of the records breaks ties
    return [bad for _, bad in order[:shown]]


def wanted(clip_records: list[Record], frames: int) -> list[int]:
    """All frames of a clip by priority: the worst by each metric, then an even spread."""
    first: list[int] = []
    for metric in metrics_of(clip_records):
        for bad in worst(clip_records, metric, 1):
            first.append(bad.frame)
    return list(dict.fromkeys([*first, *_spread(frames)]))


def _spread(frames: int) -> list[int]:
    """Frames in an order whose beginnings cover the clip evenly: 0, the last, the middle, the quarters, ..."""
    found = dict.fromkeys([0, frames - 1])
    step = frames
    while step > 1:
        step = -(-step // 2)
        found |= dict.fromkeys(range(0, frames, step))
    return list(found)
