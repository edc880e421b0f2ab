"""Units of work: what a worker takes at a time. One clip with the methods that take turns on it, or a part of that."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.datasets.clip import Clip
    from bench.run.plan import MethodOnData

Step = Literal["all", "upscale", "score"]
STEPS: tuple[Step, ...] = ("all", "upscale", "score")
CLIPS_EACH = 8
"""Without a clock, workers that have so many clips each take them whole: GT is read, and goes through the metrics'
networks, once for all methods. With fewer clips they take one method each, so that none waits long for the last."""
SCORING_SHARE = 0.8
"""A unit of scoring is at most this share of what each worker has to score. Smaller ones cost more, for GT goes through
the networks in each; with larger ones workers wait for the last (see the study `simulate`)."""


@dataclass(frozen=True)
class Unit:
    """One clip of a data set with all methods that take turns on it; with one method where workers have few clips.

    `step`: upscaling and scoring, or one of the two; scoring comes `after` the units that upscale its methods.
    """

    number: int  # its place in the plan
    data: str
    clip: str
    methods: list[str]
    frames: int = 0
    pixels: int = 0  # of all LR frames together
    cost_s: float | None = None  # estimated; None: not known
    step: Step = "all"
    after: list[int] = field(default_factory=list)

    @property
    def where(self) -> str:
        what = {"all": "", "upscale": " upscaling", "score": " scoring"}[self.step]
        return f"{self.data}/{self.clip}{what} {', '.join(self.methods)}"


@dataclass(frozen=True)
class Split:
    """How a run of many workers is cut into units.

    Args:
        methods: one method a unit where nothing is timed, so that several workers share a clip.
        scoring: upscaling and scoring are units of their own, and a unit of scoring has as many of a clip's methods as
            have so many LR pixels together, one at the least; 0: they are one unit.
    """

    methods: bool = False
    scoring: int = 0


def split_for(plans: Sequence[MethodOnData], workers: int, scoring: bool) -> Split:
    """The cut for so many workers; 0: nobody knows how many will come."""
    clips = len({(plan.data, clip.name) for plan in plans for clip in plan.clips})
    pixels = sum(_pixels(clip) for plan in plans for clip in plan.clips)
    most = math.ceil(SCORING_SHARE * pixels / max(1, workers)) if workers else pixels
    return Split(not workers or clips < CLIPS_EACH * workers, max(1, most) if scoring else 0)


def units_of(plans: Sequence[MethodOnData], split: Split = Split()) -> list[Unit]:
    """All units of a run, in the order of its plans."""
    found: list[Unit] = []
    for group in turns(plans):
        parts = [[plan] for plan in group] if split.methods and not group[0].is_timed else [group]
        for clip in group[0].clips:
            first = len(found)
            found += [
                _unit(first + n, clip, part, "upscale" if split.scoring else "all") for n, part in enumerate(parts)
            ]
            upscaled = found[first:]
            for part in _scored_together(group, _pixels(clip), split.scoring):
                after = [each.number for each in upscaled if {plan.method for plan in part} & set(each.methods)]
                found.append(_unit(len(found), clip, part, "score", after))
    return found


def _scored_together(group: list[MethodOnData], pixels: int, most: int) -> list[list[MethodOnData]]:
    """Equal parts of a clip's methods with at most so many LR pixels each; none where scoring is no unit of its own."""
    if not most:
        return []
    parts = min(len(group), max(1, math.ceil(pixels * len(group) / most)))
    size = math.ceil(len(group) / parts)
    return [group[at : at + size] for at in range(0, len(group), size)]


def _pixels(clip: Clip) -> int:
    """Of all LR frames together."""
    return clip.frames * clip.lr_size[0] * clip.lr_size[1]


def _unit(number: int, clip: Clip, part: Sequence[MethodOnData], step: Step, after: Sequence[int] = ()) -> Unit:
    methods = [plan.method for plan in part]
    return Unit(number, part[0].data, clip.name, methods, clip.frames, _pixels(clip), step=step, after=list(after))


def turns(plans: Sequence[MethodOnData]) -> list[list[MethodOnData]]:
    """Plans that take turns on a clip: those of one data set on one device with equally many threads; each alone with
    timing.interleave=false."""
    groups: dict[tuple, list[MethodOnData]] = {}
    for index, plan in enumerate(plans):
        key: tuple = (plan.data, plan.config.device, plan.config.threads)
        groups.setdefault(key if plan.config.timing.interleave else (*key, index), []).append(plan)
    return list(groups.values())


def longest_first(units: Sequence[Unit], methods: Sequence[str] = (), plan: Sequence[Unit] = ()) -> list[Unit]:
    """The order in which workers of many take units: those of the methods that are in memory, then by cost.

    Upscaling counts with the scoring that waits for it, which is among the units of the `plan`. A unit of unknown cost
    counts by its pixels, at the mean cost of a pixel of those that are known.
    """
    plan = plan or units
    known = [unit for unit in plan if unit.cost_s is not None and unit.pixels]
    seconds, pixels = sum(unit.cost_s or 0.0 for unit in known), sum(unit.pixels for unit in known)
    rate = seconds / pixels if pixels else 1.0
    own = {u.number: u.cost_s if u.cost_s is not None else rate * u.pixels * len(u.methods) for u in plan}
    waiting: dict[int, float] = defaultdict(float)
    for unit in plan:
        for before in unit.after:
            waiting[before] += own[unit.number]

    def order(unit: Unit) -> tuple[bool, float, int]:
        cost = own[unit.number] + waiting[unit.number]
        loads = bool(methods) and unit.step != "score" and list(methods) != unit.methods
        return loads, -cost, unit.number

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
