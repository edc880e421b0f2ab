"""Units of work: what one worker takes at a time. One clip with the methods that take turns on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.datasets.clip import Clip
    from bench.run.plan import MethodOnData


@dataclass(frozen=True)
class Unit:
    """One clip of a data set with all methods that take turns on it; with one method where nothing is timed."""

    number: int  # its place in the plan
    data: str
    clip: str
    methods: list[str]
    frames: int = 0
    pixels: int = 0  # of all LR frames together
    cost_s: float | None = None  # estimated; None: not known

    @property
    def where(self) -> str:
        return f"{self.data}/{self.clip} {', '.join(self.methods)}"


def units_of(plans: Sequence[MethodOnData], apart: bool = False) -> list[Unit]:
    """All units of a run, in the order of its plans.

    Args:
        apart: one method a unit where nothing is timed, so that several workers share a clip. (A run of one worker
            reads each clip once for all its methods.)
    """
    found: list[Unit] = []
    for group in turns(plans):
        parts = [[plan] for plan in group] if apart and not group[0].is_timed else [group]
        for clip in group[0].clips:
            for part in parts:
                pixels = clip.frames * clip.lr_size[0] * clip.lr_size[1]
                methods = [plan.method for plan in part]
                found.append(Unit(len(found), part[0].data, clip.name, methods, clip.frames, pixels))
    return found


def turns(plans: Sequence[MethodOnData]) -> list[list[MethodOnData]]:
    """Plans that take turns on a clip: those of one data set on one device with equally many threads; each alone with
    timing.interleave=false."""
    groups: dict[tuple, list[MethodOnData]] = {}
    for index, plan in enumerate(plans):
        key: tuple = (plan.data, plan.config.device, plan.config.threads)
        groups.setdefault(key if plan.config.timing.interleave else (*key, index), []).append(plan)
    return list(groups.values())


def longest_first(units: Iterable[Unit], methods: Sequence[str] = ()) -> list[Unit]:
    """The order in which workers of many take units: those of the methods that are in memory, then by cost.

    A unit of unknown cost counts by its pixels, at the mean cost of a pixel of those that are known.
    """
    units = list(units)
    known = [unit for unit in units if unit.cost_s is not None and unit.pixels]
    seconds, pixels = sum(unit.cost_s or 0.0 for unit in known), sum(unit.pixels for unit in known)
    rate = seconds / pixels if pixels else 1.0

    def order(unit: Unit) -> tuple[bool, float, int]:
        cost = unit.cost_s if unit.cost_s is not None else rate * unit.pixels * len(unit.methods)
        return bool(methods) and list(methods) != unit.methods, -cost, unit.number

    return sorted(units, key=order)


def with_cost(unit: Unit, seconds: float | None) -> Unit:
    """The unit with an estimate."""
    return replace(unit, cost_s=seconds)


class Opened:
    """The plans of a run by what a unit names."""

    def __init__(self, plans: Sequence[MethodOnData]) -> None:
        self.plans = list(plans)
        self._by_name = {(plan.data, plan.method): plan for plan in plans}
        self._clips = {(plan.data, clip.name): clip for plan in plans for clip in plan.clips}

    def group(self, unit: Unit) -> list[MethodOnData]:
        """The plans of the unit's methods."""
        return [self._by_name[unit.data, method] for method in unit.methods]

    def clip(self, unit: Unit) -> Clip:
        return self._clips[unit.data, unit.clip]
