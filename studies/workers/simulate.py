"""The full table with more workers than there are here: each takes the unit with the most work behind it when it is
free, as `bench.run.units.longest_first` has it. Costs are those of `studies.workers.unit_costs`."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.run.units import CLIPS_EACH, SCORING_SHARE
from studies.workers.unit_costs import Costs

SETS, CLIPS, FRAMES = 7, 50, 100
PIXELS = 1920 * 1080 / 16  # of an LR frame
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass
class Task:
    """One unit: seconds, and which others must be done before."""

    seconds: float
    after: list[int] = field(default_factory=list)


def lengths(seed: int) -> list[int]:
    """Frames of each clip of the table: 20 to 100."""
    rng = random.Random(seed)
    return [rng.randint(FRAMES // 5, FRAMES) for _ in range(SETS * CLIPS)]


def whole(costs: Costs, frames: list[int]) -> list[Task]:
    """A clip with all methods: what one worker does, and what timed runs do."""
    each = sum(costs.upscaling.values()) + costs.gt + costs.scoring * len(costs.upscaling)
    return [Task(each * PIXELS * count) for count in frames]


def apart(costs: Costs, frames: list[int]) -> list[Task]:
    """A clip with one method, scored by whoever upscaled it: GT goes through the networks once a method."""
    rates = [rate + costs.gt + costs.scoring for rate in costs.upscaling.values()]
    return [Task(rate * PIXELS * count) for count in frames for rate in rates]


def scored_apart(costs: Costs, frames: list[int], most: float = math.inf) -> list[Task]:
    """Upscaling a clip with one method, and scoring it with as many as have `most` frames together."""
    found: list[Task] = []
    rates = list(costs.upscaling.values())
    for count in frames:
        first = len(found)
        parts = min(len(rates), max(1, math.ceil(count * len(rates) / most)))
        size = math.ceil(len(rates) / parts)
        found += [Task(rate * PIXELS * count) for rate in rates]
        for at in range(0, len(rates), size):
            some = range(at, min(at + size, len(rates)))
            seconds = (costs.gt + costs.scoring * len(some)) * PIXELS * count
            found.append(Task(seconds, [first + index for index in some]))
    return found


def finished(tasks: list[Task], workers: int, costs: Costs) -> float:
    """Seconds until the last unit is done."""
    behind, open_after = [task.seconds for task in tasks], [len(task.after) for task in tasks]
    followers: dict[int, list[int]] = {}
    for index, task in enumerate(tasks):
        for before in task.after:
            behind[before] += task.seconds
            followers.setdefault(before, []).append(index)
    ready = [(-behind[index], index) for index, task in enumerate(tasks) if not task.after]
    heapq.heapify(ready)
    free = [costs.start] * workers  # when each worker is free
    running: list[tuple[float, int]] = []  # (end, unit)
    lease, now = costs.lease + costs.look * (workers - 1), costs.start
    while ready or running:
        while ready and free and free[0] <= now:
            heapq.heappop(free)
            _, index = heapq.heappop(ready)
            heapq.heappush(running, (now + tasks[index].seconds + lease, index))
        if running:
            now, index = heapq.heappop(running)
            heapq.heappush(free, now)
            for follower in followers.get(index, ()):
                open_after[follower] -= 1
                if not open_after[follower]:
                    heapq.heappush(ready, (-behind[follower], follower))
    return now


def chosen(costs: Costs, frames: list[int], workers: int) -> list[Task]:
    """The cut that `bench.run.units.split_for` makes without a clock, scoring apart where whole clips are too few."""
    if len(frames) >= CLIPS_EACH * workers:
        return whole(costs, frames)
    return scored_apart(costs, frames, SCORING_SHARE * sum(frames) * len(costs.upscaling) / workers)


def table(costs: Costs, seed: int = 0) -> Iterator[str]:
    """Efficiency against one worker by number of workers, for each way to cut the table."""
    frames = lengths(seed)
    one = finished(whole(costs, frames), 1, costs)
    yield str(costs)
    yield f"{len(frames)} clips of {len(costs.upscaling)} methods: {one / 3600:.0f} h by one worker"
    ways = {
        "a clip with all methods": lambda n: whole(costs, frames),
        "a clip with one method": lambda n: apart(costs, frames),
        "scored apart, all methods": lambda n: scored_apart(costs, frames),
        "scored apart, as cut": lambda n: chosen(costs, frames, n),
    }
    yield f"{'workers':>8}  " + "  ".join(f"{name:>26}" for name in ways)
    for workers in WORKERS:
        shares = [one / workers / finished(cut(workers), workers, costs) for cut in ways.values()]
        yield f"{workers:8}  " + "  ".join(f"{100 * share:25.1f}%" for share in shares)
