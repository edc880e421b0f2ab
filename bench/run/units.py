"""Units of work: what a worker takes at a time. One clip with the methods that take turns on it, or a part of that."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bench.metrics.accumulators import reason_absent
from bench.metrics.base import ClipMetric, Metric

if TYPE_CHECKING:
    from bench.datasets.clip import Clip
    from bench.run.plan import MethodOnData

Step = Literal["all", "upscale", "frames", "order", "score"]
STEPS: tuple[Step, ...] = ("all", "upscale", "frames", "order", "score")
PARTS: tuple[Step, ...] = ("frames", "order")
"""Parts of a clip's scoring: metrics of single frames on some of its frames, and metrics of frames in order."""
SCORING: tuple[Step, ...] = (*PARTS, "score")
CLIPS_EACH = 8
"""Workers that time nothing and have so many clips each take whole clips: GT is read, and goes through the metrics'
networks, once for all methods. With fewer clips they take one method each, so that none waits long for the last."""
SCORING_SHARE = 0.1
"""A unit of scoring is at most this share of what each worker has to score, or one frame. With larger ones workers wait
for the last; with smaller ones there are more units for the same (see the study `simulate`)."""
FRAME_SHARE = 0.8
"""A part is split by methods only if it is more than this share of what each worker has to score, because GT then goes
through the networks once for each of them."""


@dataclass(frozen=True)
class Unit:
    """One clip of a data set with all methods that take turns on it; with one method where workers have few clips.

    `step`: upscaling and scoring, or one of the two; scoring comes `after` the units that upscale its methods. If it is
    cut in parts, a last unit joins them.
    """

    number: int  # its place in the plan
    data: str
    clip: str
    methods: list[str]
    frames: int = 0
    pixels: int = 0  # of all LR frames together; 0 if parts have scored them before
    cost_s: float | None = None  # estimated; None: not known
    step: Step = "all"
    after: list[int] = field(default_factory=list)
    first: int = 0  # of its frames in the clip

    @property
    def where(self) -> str:
        of_frames = f" scoring frames {self.first} to {self.first + self.frames - 1}"
        what = {"all": "", "upscale": " upscaling", "frames": of_frames, "order": " scoring in order"}
        return f"{self.data}/{self.clip}{what.get(self.step, ' scoring')} {', '.join(self.methods)}"

    @property
    def scores(self) -> bool:
        """Whether it only scores, and upscales nothing."""
        return self.step in SCORING

    @property
    def joins(self) -> bool:
        """Whether it is the last of a clip whose scoring is cut in parts."""
        return self.step == "score" and not self.pixels


@dataclass(frozen=True)
class Split:
    """The division of a run of many workers into units.

    Args:
        methods: one method a unit where nothing is timed, so that several workers share a clip.
        scoring: 0: a unit upscales and scores. Otherwise scoring is a unit of its own, cut in parts of about so many LR
            pixels, counted once for each method.
    """

    methods: bool = False
    scoring: int = 0


def split_for(plans: Sequence[MethodOnData], workers: int, scoring: bool) -> Split:
    """The division for a number of workers; 0: unknown."""
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
            if split.scoring:
                after = list(range(first, len(found)))
                found += _parts(len(found), clip, group, split.scoring, after)
                last = _unit(len(found), clip, group, "score", list(range(first, len(found))))
                found.append(last if len(last.after) == len(after) else replace(last, pixels=0))
    return found


def _parts(number: int, clip: Clip, group: list[MethodOnData], most: int, after: list[int]) -> list[Unit]:
    """The parts of a clip's scoring, numbered from `number`; none if it has at most `most` LR pixels in all."""
    parts = math.ceil(_pixels(clip) * len(group) / most)
    if parts == 1:
        return []
    found: list[Unit] = []
    indices, steps = _indices_and_steps(group[0], clip)
    if "frames" in steps:
        count = min(parts, len(indices))
        bounds = [len(indices) * index // count for index in range(count + 1)]
        for some in (indices[at:to] for at, to in zip(bounds, bounds[1:])):
            pixels = _pixels(clip) * len(some) // len(indices)
            by_method = math.ceil(pixels * len(group) / (most * FRAME_SHARE / SCORING_SHARE))
            for methods in _in_parts(group, by_method):
                unit = _unit(number + len(found), clip, methods, "frames", after)
                found.append(replace(unit, first=some[0], frames=some[-1] + 1 - some[0], pixels=pixels))
    if "order" in steps:
        for methods in _in_parts(group, parts):
            found.append(_unit(number + len(found), clip, methods, "order", after))
    return found if len(found) > 1 else []  # one would be all of it


def _indices_and_steps(plan: MethodOnData, clip: Clip) -> tuple[list[int], set[Step]]:
    """The indices of the frames that are scored, and the kinds of parts that the metrics need."""
    try:
        indices = plan.protocol.indices(clip.frames)
    except ValueError:  # the clip is too short: it fails with that reason
        return [], set()
    able = [each for each in plan.metrics.values() if reason_absent(each, indices, clip.has_gt) is None]
    return indices, {step for step in PARTS for metric in able if sees(step, metric)}


def sees(step: Step, metric: Metric) -> bool:
    """Whether a part of this kind computes a metric."""
    return isinstance(metric, ClipMetric) == (step == "order")


def _in_parts(group: list[MethodOnData], parts: int) -> list[list[MethodOnData]]:
    """Divide a clip's methods into so many equal parts, at least one and at most one for each method."""
    size = math.ceil(len(group) / max(1, min(len(group), parts)))
    return [group[at : at + size] for at in range(0, len(group), size)]


def _pixels(clip: Clip) -> int:
    """The pixels of all LR frames of a clip."""
    return clip.frames * clip.lr_size[0] * clip.lr_size[1]


def _unit(number: int, clip: Clip, part: Sequence[MethodOnData], step: Step, after: Sequence[int] = ()) -> Unit:
    methods = [plan.method for plan in part]
    return Unit(number, part[0].data, clip.name, methods, clip.frames, _pixels(clip), step=step, after=list(after))


def turns(plans: Sequence[MethodOnData]) -> list[list[MethodOnData]]:
    """Groups of plans that take turns on a clip: those of one data set on one device with equally many threads.

    With timing.interleave=false each plan is a group of its own.
    """
    groups: dict[tuple, list[MethodOnData]] = {}
    for index, plan in enumerate(plans):
        key: tuple = (plan.data, plan.config.device, plan.config.threads)
        groups.setdefault(key if plan.config.timing.interleave else (*key, index), []).append(plan)
    return list(groups.values())


def longest_first(units: Sequence[Unit], methods: Sequence[str] = (), plan: Sequence[Unit] = ()) -> list[Unit]:
    """Units in the order in which one of many workers takes them: those of methods in memory, then by cost.

    Upscaling counts with the scoring that waits for it, which is among the units of the `plan`. A unit of unknown cost
    counts by its pixels, at the mean cost of a pixel of units with a known cost.
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
        loads = bool(methods) and not unit.scores and list(methods) != unit.methods
        return loads, -cost, unit.number

    return sorted(units, key=order)


class Opened:
    """The plans and clips of a run, looked up by the names in a unit."""

    def __init__(self, plans: Sequence[MethodOnData]) -> None:
        self.plans = list(plans)
        self._by_name = {(plan.data, plan.method): plan for plan in plans}
        self._clips = {(plan.data, clip.name): clip for plan in plans for clip in plan.clips}

    def group(self, unit: Unit) -> list[MethodOnData]:
        """The plans of the unit's methods."""
        return [self._by_name[unit.data, method] for method in unit.methods]

    def clip(self, unit: Unit) -> Clip:
        return self._clips[unit.data, unit.clip]
