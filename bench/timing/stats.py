"""Mean, median, quartiles, and the percentile bootstrap of all intervals.

Resamples are seeded: equal values give equal intervals.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Interval = tuple[float, float]
LEVEL = 0.95
DRAWS_OF_MEANS, DRAWS_OF_TIMES = 10_000, 2_000
_AT_ONCE = 1 << 18  # values in memory
_KEPT = 1 << 20  # indices of resamples that are kept for further values, as many as before

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
    return middle(resampled_means(values))


def resampled_means(values: Sequence[float]) -> np.ndarray:
    """Means of resamples, (DRAWS_OF_MEANS,); of many values drawn in parts, so that memory does not grow with them."""
    if DRAWS_OF_MEANS * len(values) <= _KEPT:
        return np.asarray(values, float)[_picks(len(values))].mean(axis=1)
    rng, rows = np.random.default_rng(0), max(1, _AT_ONCE // len(values))
    parts = [min(rows, DRAWS_OF_MEANS - start) for start in range(0, DRAWS_OF_MEANS, rows)]
    return np.concatenate([resampled(values, part, rng).mean(axis=1) for part in parts])


@lru_cache(2)
def _picks(count: int) -> np.ndarray:
    """The indices that `resampled` draws from the seed 0 among `count` values, (DRAWS_OF_MEANS, count)."""
    return np.random.default_rng(0).integers(0, count, (DRAWS_OF_MEANS, count))


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
