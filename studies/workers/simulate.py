"""The full table with more workers than there are here: each takes the longest unit that is left when it is free."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator

METHODS, SETS, CLIPS, FRAMES = 10, 7, 50, 100
SECONDS_A_FRAME = (0.02, 0.05, 0.1, 0.1, 0.2, 0.4, 0.7, 1.0, 2.0, 3.0)
"""Of ten methods on a 1080p frame, upscaling and scoring together: from interpolation to many steps of diffusion."""
START_S = 60.0  # a worker begins: imports, weights, canary
LEASE_S = 0.02  # a unit: claim, look at the others' logs, log; the bar of the study `leases`
LOOK_S = 0.0005  # more of it for each other worker, whose log is opened
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def units(seed: int, apart: bool) -> list[float]:
    """Seconds of each unit: clips of 20 to 100 frames; all methods of a clip, or each alone."""
    rng = random.Random(seed)
    found = []
    for _ in range(SETS * CLIPS):
        frames = rng.randint(FRAMES // 5, FRAMES)
        costs = [frames * each for each in SECONDS_A_FRAME]
        found += costs if apart else [sum(costs)]
    return found


def finished(costs: list[float], workers: int) -> float:
    """Seconds until the last unit is done, the longest first."""
    free = [START_S] * workers
    heapq.heapify(free)
    lease = LEASE_S + LOOK_S * (workers - 1)
    for cost in sorted(costs, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + cost + lease)
    return max(free)


def table(seed: int = 0) -> Iterator[str]:
    """Efficiency against one worker, and the bound that the longest unit sets, by number of workers."""
    for apart, name in ((False, "a clip with all methods"), (True, "a clip with one method (timing=none)")):
        costs = units(seed, apart)
        one = finished(costs, 1)
        yield f"{len(costs)} units of {name}: {sum(costs) / 3600:.1f} h of work, the longest {max(costs) / 60:.0f} min"
        for workers in WORKERS:
            time = finished(costs, workers)
            yield f"  {workers:5} workers: {time / 3600:8.2f} h, efficiency {100 * one / time / workers:5.1f} %"
