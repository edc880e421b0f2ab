"""Simulation of the full table with many workers: a free worker takes the unit with the most work behind it,
as `bench.run.units.longest_first` has it. Units are cut by `bench.run.units`, costs are those of `unit_costs`."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from bench.metrics.protocol import RGB
from bench.metrics.registry import build
from bench.run.plan import MethodOnData
from bench.run.units import Split, Unit, split_for, units_of
from studies.workers.unit_costs import Costs

SETS, CLIPS, FRAMES = 7, 50, 100
SIZE = (1080 // 4, 1920 // 4)
PIXELS = SIZE[0] * SIZE[1]  # of an LR frame
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@dataclass
class Task:
    """One unit: its seconds, and the numbers of the units that must be done before it."""

    seconds: float
    after: list[int] = field(default_factory=list)


def lengths(seed: int) -> list[int]:
    """Frames of each clip of the table: 20 to 100."""
    rng = random.Random(seed)
    return [rng.randint(FRAMES // 5, FRAMES) for _ in range(SETS * CLIPS)]


def cut_by_clip(costs: Costs, frames: list[int]) -> list[Task]:
    """Cut the table into clips with all methods, as one worker and timed runs do."""
    return _tasks(costs, frames, Split())


def cut_by_method(costs: Costs, frames: list[int]) -> list[Task]:
    """Cut the table into clips with one method, scored by the same worker: networks see GT once for each method."""
    return _tasks(costs, frames, Split(methods=True))


def cut_by_step(costs: Costs, frames: list[int], workers: int = 0) -> list[Task]:
    """Cut the table into upscaling and scoring, for a number of workers; 0: unknown, each clip is scored as a whole."""
    return _tasks(costs, frames, split_for(_plans(costs, frames), workers, scoring=True))


def _tasks(costs: Costs, frames: list[int], split: Split) -> list[Task]:
    """The units of a run, in the order of their numbers."""
    return [Task(_seconds(unit, costs), unit.after) for unit in units_of(_plans(costs, frames), split)]


def _plans(costs: Costs, frames: list[int]) -> list[MethodOnData]:
    """Stand-ins for the plans of an untimed run, with all that the cut into units reads."""
    clips = [SimpleNamespace(name=str(n), frames=count, lr_size=SIZE, has_gt=True) for n, count in enumerate(frames)]
    config = SimpleNamespace(device="cpu", threads=1, timing=SimpleNamespace(interleave=True))
    rest = {"clips": clips, "config": config, "is_timed": False, "metrics": {"psnr": build("psnr")}, "protocol": RGB}
    return [cast(MethodOnData, SimpleNamespace(data="table", method=name, **rest)) for name in costs.upscaling]


def _seconds(unit: Unit, costs: Costs) -> float:
    if unit.joins:
        return len(unit.methods) * (costs.joining * PIXELS * unit.frames + costs.ending)
    upscaling = 0.0 if unit.scores else sum(costs.upscaling[name] for name in unit.methods)
    scoring = 0.0 if unit.step == "upscale" else costs.gt + costs.scoring * len(unit.methods)
    return (upscaling + scoring) * PIXELS * unit.frames


def finished(tasks: list[Task], workers: int, costs: Costs) -> float:
    """Simulate the workers; returns the seconds until the last unit is done."""
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


def table(costs: Costs, seed: int = 0) -> Iterator[str]:
    """Efficiency against one worker by number of workers, for each way to cut the table."""
    frames = lengths(seed)
    one = finished(cut_by_clip(costs, frames), 1, costs)
    yield str(costs)
    yield f"{len(frames)} clips of {len(costs.upscaling)} methods: {one / 3600:.0f} h by one worker"
    ways = {
        "a clip with all methods": lambda n: cut_by_clip(costs, frames),
        "a clip with one method": lambda n: cut_by_method(costs, frames),
        "scored apart, a clip at once": lambda n: cut_by_step(costs, frames),
        "scored apart, as cut": lambda n: cut_by_step(costs, frames, n),
    }
    yield f"{'workers':>8}  " + "  ".join(f"{name:>28}" for name in ways)
    for workers in WORKERS:
        shares = [one / workers / finished(cut(workers), workers, costs) for cut in ways.values()]
        yield f"{workers:8}  " + "  ".join(f"{100 * share:27.1f}%" for share in shares)
