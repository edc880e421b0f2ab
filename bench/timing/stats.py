"""Mean, median, quartiles, and 95 % intervals: Student's of means, order statistics or resamples of medians.

Resampled means of few values spread too little: of two clips their middle 95 % hold the mean in one case of two, of
four clips in four of five (docs/decisions/gate.md). Resamples of times are seeded: equal values give equal intervals.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Interval = tuple[float, float]
LEVEL = 0.95
DRAWS_OF_TIMES = 2_000
FEWEST_TIMES = 6
"""With five, even the smallest and the largest enclose the median in 94 % of cases only."""

median = statistics.median


def mean(values: Sequence[float]) -> float:
    """The mean; NaN where infinities of both signs meet."""
    return statistics.fmean(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def quartiles(values: Sequence[float]) -> Interval:
    """Lower and upper quartile (inclusive method); a single value is both."""
    if len(values) == 1:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def mean_interval(values: Sequence[float]) -> Interval | None:
    """95 % interval of the mean; None under two values, or when one is not finite (PSNR of equal frames)."""
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    if min(values) == max(values):
        return float(values[0]), float(values[0])
    half = student(len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    center = statistics.fmean(values)
    return center - half, center + half


def median_interval(values: Sequence[float]) -> Interval | None:
    """95 % interval of the median, two of the values; None for fewer than six, too few for one.

    It is exact for any distribution: the number of values below the median is binomial.
    """
    count = len(values)
    if count < FEWEST_TIMES:
        return None
    below, term, outside = 0, 1, 2  # of 2**count cases: those with so many values below, those beyond the interval
    while (more := outside + 2 * (term := term * (count - below) // (below + 1))) / 2**count <= 1 - LEVEL:
        below, outside = below + 1, more
    ordered = sorted(values)
    return ordered[below], ordered[-1 - below]


@lru_cache(64)
def student(freedom: int) -> float:
    """The t that Student's distribution exceeds, up or down, in 5 % of cases; scipy would slow every table's start."""
    low, high = 1.0, 13.0
    while low < (t := (low + high) / 2) < high:
        low, high = (t, high) if _within(t, freedom) < LEVEL else (low, t)
    return high


def _within(t: float, freedom: int) -> float:
    """The share of Student's distribution between -t and t (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle, odd = math.atan(t / math.sqrt(freedom)), freedom % 2
    term, total = math.cos(angle) if odd else 1.0, 0.0
    for power in range(1 + odd, freedom, 2):
        total += term
        term *= power / (power + 1) * math.cos(angle) ** 2
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


def resampled_medians(values: Sequence[float], rng: np.random.Generator) -> np.ndarray:
    """Medians of resamples, (DRAWS_OF_TIMES,); several clips may draw from one generator."""
    return np.median(resampled(values, DRAWS_OF_TIMES, rng), axis=1)


def resampled(values: Sequence[float], draws: int, rng: np.random.Generator) -> np.ndarray:
    """Resamples with replacement, (draws, len(values))."""
    return rng.choice(np.asarray(values, float), (draws, len(values)))


def middle(drawn: np.ndarray) -> Interval:
    """The middle 95 % of resampled figures."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return float(low), float(high)
