"""95 % intervals: Student's over clips for scores, the percentile bootstrap over repetitions for times.

The sampling unit of a score is the clip, because frames of one clip are alike. That of a time is the repetition,
because the clips are the timed work, not a sample of it. Methods see the same clips, so they are compared on
differences within the clips. The generator is seeded: equal values give equal intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from bench.timing.stats import (
    FEWEST_TIMES,
    Interval,
    mean_interval,
    median_interval,
    middle,
    resampled_medians,
    student,
)

of_mean = mean_interval


def of_difference(ours: Mapping[str, float], theirs: Mapping[str, float]) -> Interval | None:
    """Interval of the mean of ours minus theirs, over the clips that both have."""
    return of_mean([ours[clip] - theirs[clip] for clip in ours if clip in theirs])


def of_total(repetitions: Sequence[Sequence[float]]) -> Interval | None:
    """Interval of the sum of the clips' median times.

    Args:
        repetitions: for each clip the seconds of its repetitions.
    Returns:
        None if a clip has fewer than three repetitions, or all together have fewer than six: too few for an interval.
    """
    if not _carries(repetitions):
        return None
    return median_interval(repetitions[0]) if len(repetitions) == 1 else middle(_totals(_tuples(repetitions), 0))


def of_ratio(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> Interval | None:
    """Interval of our total time over theirs, both resampled; None if either has none."""
    if not (_carries(ours) and _carries(theirs)):
        return None
    return middle(_totals(_tuples(ours), 0) / _totals(_tuples(theirs), 1))


def within_clips(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Interval | None]:
    """Interval of each method's mean, with each clip's own difficulty removed (Cousineau 2005, with Morey's factor).

    So the bars of methods on the same clips may be compared by eye. A method that is alone on its clips keeps its plain
    interval. Every interval is that of the method's own mean.

    Args:
        scores: method -> clip -> score.
    """
    groups: dict[frozenset[str], dict[str, Mapping[str, float]]] = {}
    for method, found in scores.items():
        groups.setdefault(frozenset(found), {})[method] = found
    bars = {method: bar for alike in groups.values() for method, bar in _on_same_clips(alike).items()}
    return {method: bars[method] for method in scores}


def _on_same_clips(scores: Mapping[str, Mapping[str, float]]) -> dict[str, Interval | None]:
    clips = list(next(iter(scores.values())))
    table = np.array([[found[clip] for clip in clips] for found in scores.values()], float)
    if len(clips) < 2 or not np.isfinite(table).all():
        return dict.fromkeys(scores)
    if len(scores) > 1:
        means = table.mean(axis=1, keepdims=True)
        factor = math.sqrt(len(scores) / (len(scores) - 1))
        table = means + (table - table.mean(axis=0) + table.mean() - means) * factor
    return {method: of_mean(list(line)) for method, line in zip(scores, table)}


def of_slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, Interval | None] | None:
    """The slope of a straight line through points, and its interval (Student's, for equal errors of all points).

    Returns:
        None under three different x; no interval under four points.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    if len(set(xs.tolist())) < 3:
        return None
    centred = xs - xs.mean()
    spread = float((centred**2).sum())
    slope = float((centred * ys).sum()) / spread
    if len(xs) < 4:
        return slope, None
    errors = float(np.square(ys - ys.mean() - slope * centred).sum())
    half = student(len(xs) - 2) * math.sqrt(errors / (len(xs) - 2) / spread)
    return slope, (slope - half, slope + half)


def _carries(repetitions: Sequence[Sequence[float]]) -> bool:
    enough = bool(repetitions) and min(map(len, repetitions)) > 2 and sum(map(len, repetitions)) >= FEWEST_TIMES
    return enough and all(math.isfinite(seconds) for each in repetitions for seconds in each)


def _tuples(repetitions: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, repetitions))


@lru_cache(512)  # a method's are wanted for each metric of time, and beside each other method
def _totals(repetitions: tuple[tuple[float, ...], ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sum([resampled_medians(each, rng) for each in repetitions], axis=0)
