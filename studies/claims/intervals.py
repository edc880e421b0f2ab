"""Means over seeds and clips, and their 95 % intervals.

Seeds and videos are both samples: the variance of the mean is the variance of the seeds' means divided by their number,
plus the same for the videos, and the interval is Student's with Satterthwaite's degrees of freedom. Three seeds are too
few for resampling, and clips of one video are not independent samples. Differences are first taken clip by clip and
seed by seed. One seed gives no interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean, half the width of its 95 % interval (None: no interval), and the numbers it was taken over."""

    mean: float
    half: float | None
    seeds: int
    videos: int
    clips: int

    @property
    def differs(self) -> bool:
        """Whether there is an interval and it does not include zero."""
        return self.half is not None and abs(self.mean) > self.half


def estimate(values: Mapping[int, Mapping[str, float]], videos: Mapping[str, str]) -> Estimate:
    """Estimate a mean over seeds and clips.

    Args:
        values: {seed: {clip: value}}, the same clips for each seed.
        videos: {clip: the video that it is from}.
    """
    clips = sorted(next(iter(values.values())))
    table = np.array([[of[clip] for clip in clips] for of in values.values()])
    names = sorted({videos[clip] for clip in clips})
    by_video = np.array([table[:, [videos[clip] == name for clip in clips]].mean() for name in names])
    sizes = len(table), len(names), len(clips)
    if min(sizes[:2]) < 2 or not np.isfinite(table).all():
        return Estimate(float(table.mean()), None, *sizes)
    parts = table.mean(axis=1).var(ddof=1) / sizes[0], by_video.var(ddof=1) / sizes[1]
    total = sum(parts)
    if total == 0:
        return Estimate(float(table.mean()), 0.0, *sizes)
    freedom = total**2 / sum(part**2 / (count - 1) for part, count in zip(parts, sizes))
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * math.sqrt(total)
    return Estimate(float(table.mean()), half, *sizes)


def difference(
    first: Mapping[int, Mapping[str, float]], second: Mapping[int, Mapping[str, float]], videos: Mapping[str, str]
) -> Estimate | None:
    """Estimate first minus second over the seeds that both have; None without any."""
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    return estimate({s: {clip: first[s][clip] - second[s][clip] for clip in first[s]} for s in seeds}, videos)
