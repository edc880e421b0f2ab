"""What a handful of repetitions can say: median, quartiles, and an interval by the bootstrap."""

from __future__ import annotations

import statistics

import numpy as np

median = statistics.median


def quartiles(values: list[float]) -> tuple[float, float]:
    """Lower and upper quartile (inclusive method); a single value is both."""
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def median_interval(values: list[float], level: float = 0.95, draws: int = 2000) -> tuple[float, float] | None:
    """Percentile bootstrap interval of the median; None under four values, which cannot carry one."""
    if len(values) < 4:
        return None
    rng = np.random.default_rng(0)  # the same values give the same interval
    medians = np.median(rng.choice(np.asarray(values), (draws, len(values))), axis=1)
    tail = (1 - level) / 2
    return float(np.quantile(medians, tail)), float(np.quantile(medians, 1 - tail))
