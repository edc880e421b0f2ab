"""Search for the largest clip that fits: sizes grow until one does not fit, then the gap is halved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, lcm, sqrt

from bench.store.trials import FITS, SLOW, Axis, AxisName, ClipSize, Outcome

TOLERANCE = 0.10
"""The search ends when the smallest clip that does not fit exceeds the largest that fits by at most this share."""
SMALLEST, ASPECT, STEP = 64 * 36, 16 / 9, 4
STRIDE, LONG_STRIDE = 2, 4
"""Factors by which sizes grow; the long one if little of the memory and of the time was used."""


@dataclass(frozen=True)
class TrialSummary:
    """The outcome of one trial, as the search sees it."""

    outcome: Outcome
    reason: str = ""
    is_light: bool = False  # little of the memory and of the time was used


@dataclass(frozen=True)
class Rules:
    """The sizes and lengths that a method takes (see `bench.methods.descriptor`)."""

    side: int = 1  # the shortest side, in LR pixels
    side_step: int = 1  # each side is a multiple of this
    frames: int = 1  # the shortest clip
    frames_step: int = 1  # lengths are k * frames_step + frames_plus
    frames_plus: int = 0

    def length(self, frames: int) -> int:
        """The longest clip of at most `frames` frames that the method takes, or the shortest that it takes at all."""
        steps = max(0, (frames - self.frames_plus) // self.frames_step)
        shortest = -(-max(0, self.frames - self.frames_plus) // self.frames_step)
        return max(1, max(steps, shortest) * self.frames_step + self.frames_plus)

    def size(self, pixels: int) -> tuple[int, int]:
        """(width, height) of about so many pixels, in the shape of a film frame (16:9)."""
        step = lcm(STEP, self.side_step)
        least = -(-self.side // step) * step
        height = max(step, least, round(sqrt(pixels / ASPECT) / step) * step)
        return max(step, least, round(height * ASPECT / step) * step), height


@dataclass(frozen=True)
class Ladder:
    """The clips along one axis, by their extent: LR pixels of a frame, or frames of a clip."""

    name: AxisName
    rules: Rules
    fixed: tuple[int, int]  # of axis "frame" (frames, 0); of axis "clip" (width, height)

    @property
    def first(self) -> ClipSize:
        return self.at(SMALLEST if self.name == "frame" else 1)

    def at(self, extent: int) -> ClipSize:
        """The clip of about this extent."""
        if self.name == "frame":
            return ClipSize(*self.rules.size(extent), self.rules.length(self.fixed[0]))
        return ClipSize(*self.fixed, self.rules.length(extent))

    def extent(self, point: ClipSize) -> int:
        return point.pixels if self.name == "frame" else point.frames


def search(ladder: Ladder, outcomes: Mapping[ClipSize, TrialSummary]) -> tuple[Axis, ClipSize | None]:
    """The state of an axis by the outcomes so far, and the next clip to try; None: the search is over.

    After a clip that fits the search tries larger ones; after one that runs out of memory or fails, smaller ones. A
    clip that is stopped by the clock ends it, because larger ones would be stopped, too.
    """
    tried: list[ClipSize] = []
    largest: ClipSize | None = None
    beyond: ClipSize | None = None
    point: ClipSize | None = ladder.first
    while point is not None:
        if point not in outcomes:
            return _axis(ladder, tried, largest, beyond, outcomes, complete=False), point
        tried.append(point)
        outcome = outcomes[point].outcome
        if outcome == FITS:
            largest = point
        else:
            beyond = point
        if outcome == SLOW:
            break
        point = _next(ladder, largest, beyond, LONG_STRIDE if outcomes[point].is_light else STRIDE)
    return _axis(ladder, tried, largest, beyond, outcomes, complete=True), None


def _next(ladder: Ladder, largest: ClipSize | None, beyond: ClipSize | None, stride: int) -> ClipSize | None:
    if largest is None:
        return None
    low = ladder.extent(largest)
    if beyond is None:
        further = ladder.at(stride * low)
        return further if ladder.extent(further) > low else None
    high = ladder.extent(beyond)
    if high <= (1 + TOLERANCE) * low:
        return None
    between = (ladder.at(target) for target in (isqrt(low * high), (low + high) // 2))
    return next((point for point in between if low < ladder.extent(point) < high), None)


def _axis(
    ladder: Ladder,
    tried: list[ClipSize],
    largest: ClipSize | None,
    beyond: ClipSize | None,
    outcomes: Mapping[ClipSize, TrialSummary],
    complete: bool,
) -> Axis:
    met = outcomes[beyond] if beyond else None
    return Axis(
        name=ladder.name,
        largest=largest,
        beyond=beyond,
        outcome=met.outcome if met else None,
        reason=met.reason if met else "",
        is_complete=complete,
        points=sorted(tried, key=ladder.extent),
    )
