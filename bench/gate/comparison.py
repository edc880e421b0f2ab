"""Two runs side by side: what changed, how sure that is, and what the data could not have shown.

Quality is compared clip by clip on equal signatures; speed as the ratio to a reference method of the same run, never as
an absolute time across machines. The unit of resampling is the clip: frames of a clip are no independent witnesses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from bench.store.record import Record

MARGINS = {"psnr": 0.05, "ssim": 0.002, "lpips": 0.003, "dists": 0.003, "speed": 0.10}
"""What counts as no change, by metric family: dB, SSIM, distances; speed as a share."""

VERDICTS = ("better", "same", "worse", "undecidable", "missing")


@dataclass(frozen=True)
class Finding:
    """One (data, method, metric): `change` is positive where the second run is better."""

    data: str
    method: str
    metric: str
    before: float | None
    after: float | None
    change: float | None
    interval: tuple[float, float] | None  # 95 %, bootstrap over clips
    margin: float
    clips: int
    expected: int
    verdict: str
    note: str = ""

    @property
    def smallest_effect(self) -> float | None:
        """The smallest worsening that this data could have told from none beyond the margin."""
        if self.interval is None:
            return None
        return self.margin + (self.interval[1] - self.interval[0]) / 2


def compare(
    before: list[Record], after: list[Record], reference: str | None = None, margins: dict[str, float] | None = None
) -> list[Finding]:
    """All findings, in the order of the first run's records.

    Args:
        before, after: records of two runs; what is in `after` alone is not compared.
        reference: the method whose time is the unit of speed; None: speed is not compared.
        margins: by metric family, over `MARGINS`.
    """
    margins = MARGINS | (margins or {})
    then, now = _cells(before), _cells(after)
    findings = []
    for data, method in dict.fromkeys((d, m) for d, m, _ in then):
        clips = [clip for d, m, clip in then if (d, m) == (data, method)]
        pairs = [(then[data, method, clip], now.get((data, method, clip))) for clip in clips]
        for metric in dict.fromkeys(name for old, _ in pairs for name in old.scores):
            findings.append(_quality(data, method, metric, pairs, margins.get(metric.split("-")[0], 0.0)))
        if reference is not None and method != reference and any(old.timing for old, _ in pairs):
            base = [(then.get((data, reference, clip)), now.get((data, reference, clip))) for clip in clips]
            findings.append(_speed(data, method, reference, pairs, base, margins["speed"]))
    return findings


def interval_of_mean(values: list[float], draws: int = 10_000, level: float = 0.95) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the mean; None under two values, unless the one is exactly 0 (nothing moved)."""
    if len(values) < 2:
        return (0.0, 0.0) if values == [0.0] else None
    rng = np.random.default_rng(0)
    means = rng.choice(np.asarray(values, float), (draws, len(values))).mean(axis=1)
    tail = (1 - level) / 2
    return float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail))


def verdict_of(interval: tuple[float, float] | None, margin: float) -> str:
    """Non-inferiority: `same` when a worsening beyond the margin is excluded; `worse` when some worsening is sure and
    its middle lies beyond the margin; `undecidable` between the two, or without an interval.
    """
    if interval is None:
        return "undecidable"
    low, high = interval
    if low > 0:
        return "better"
    if low > -margin or low == high == 0:
        return "same"
    return "worse" if high < 0 and (low + high) / 2 < -margin else "undecidable"


def _cells(records: list[Record]) -> dict[tuple[str, str, str], Record]:
    return {(r.data, r.method, r.clip): r for r in records if r.status == "ok"}


def _quality(data: str, method: str, metric: str, pairs: list, margin: float) -> Finding:
    scored = [(old.scores[metric], new and new.scores.get(metric)) for old, new in pairs if metric in old.scores]
    scored = [(old, new) for old, new in scored if old.values]
    found = [(old, new) for old, new in scored if new and new.values]
    unlike = next(((old, new) for old, new in found if old.signature != new.signature), None)
    if unlike:
        note = f"signatures differ: {unlike[0].signature} and {unlike[1].signature}"
        return Finding(data, method, metric, None, None, None, None, margin, 0, len(scored), "undecidable", note)
    if len(found) < len(scored) or not found:
        note = f"{len(scored) - len(found)} clips of the first run are not in the second" if scored else "no scores"
        return Finding(data, method, metric, None, None, None, None, margin, len(found), len(scored), "missing", note)
    sign = 1 if found[0][0].better == "higher" else -1
    before, after = ([fmean(score.values) for score in side] for side in zip(*found))
    changes = [0.0 if a == b else sign * (a - b) for b, a in zip(before, after)]  # equal infinities are no change
    return _finding(data, method, metric, fmean(before), fmean(after), changes, margin, len(scored))


def _speed(data: str, method: str, reference: str, pairs: list, base: list, margin: float) -> Finding:
    """Times of the reference over times of the method, on clips timed in both runs: higher is faster."""
    name = f"speed / {reference}"
    ratios = []
    for (old, new), (old_base, new_base) in zip(pairs, base):
        times = [_seconds(record) for record in (old, old_base, new, new_base)]
        if None not in times:
            ratios.append((times[1] / times[0], times[3] / times[2]))
    if len(ratios) < len(pairs):
        note = f"{len(pairs) - len(ratios)} clips lack a time of {method} or {reference} in one of the runs"
        return Finding(data, method, name, None, None, None, None, margin, len(ratios), len(pairs), "missing", note)
    changes = [math.log(after / before) for before, after in ratios]
    before, after = (math.exp(fmean(map(math.log, side))) for side in zip(*ratios))
    return _finding(data, method, name, before, after, changes, math.log1p(margin), len(pairs))


def _seconds(record: Record | None) -> float | None:
    times = record and record.timing.get("tensors")
    return times.median_s if times else None


def _finding(data, method, metric, before, after, changes, margin, expected) -> Finding:
    interval = interval_of_mean(changes)
    note = "one clip cannot carry an interval" if interval is None else ""
    return Finding(
        data,
        method,
        metric,
        before,
        after,
        fmean(changes),
        interval,
        margin,
        len(changes),
        expected,
        verdict_of(interval, margin),
        note,
    )
