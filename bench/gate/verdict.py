"""Verdicts on a change from its interval and the margin (the table is in docs/gate.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.timing.stats import Interval, mean_interval

FAILING = ("worse", "missing", "not finite")
"""Verdicts that fail a gate; `inconclusive` does so under --strict alone."""


def interval_of_mean(values: Sequence[float]) -> Interval | None:
    """95 % interval of the mean; None under two values, unless the one is exactly 0 (nothing moved)."""
    return (0.0, 0.0) if list(values) == [0.0] else mean_interval(values)


def verdict_of(change: float, interval: Interval | None, margin: float) -> str:
    """The verdict on a mean change over clips, positive where the second run is better.

    Non-inferiority: `same` if a worsening beyond the margin is excluded; `worse` if the change itself lies beyond the
    margin; `inconclusive` if the change lies within the margin and the interval does not, or there is no interval.
    """
    if not math.isfinite(change):
        return "not finite"
    if change < -margin:
        return "worse"
    if interval is None:
        return "inconclusive"
    if interval[0] > 0:
        return "better"
    if interval[0] >= -margin:
        return "same"
    return "inconclusive"


def change_of(before: float, after: float, higher_is_better: bool) -> float:
    """The change of one value, positive if it got better.

    Equal infinities are no change; one infinity, two unlike ones or NaN give NaN.
    """
    if before == after:
        return 0.0
    if not (math.isfinite(before) and math.isfinite(after)):
        return math.nan
    return after - before if higher_is_better else before - after
