"""Detection of wrong frame counts; frames that are early, late, missing or repeated; and reversed clips."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from bench.doctor.excerpt import Excerpt, anchors, gain_db, needed, offsets, plane, unexplained
from bench.doctor.finding import ORDERS, Compensation, Finding
from bench.doctor.shift import residual_after_shift

_SIGMA = 2.0
_OFFSET_DB, _ORDER_DB = 0.05, 0.2
_SORTED = "the frames are in the order of their numbers as text ({}, ...): number them with leading zeros"
_ORDER_TEXTS = {
    "backwards": "the frames run backwards: the first of SR is the last of GT",
    "text from 0": _SORTED.format("0, 1, 10, 11"),
    "text from 1": _SORTED.format("1, 10, 11, 12"),
}
_AGREEING = 0.7  # share of the frames with motion that must prefer the same
_DECISIVE_DB = 3.0  # by which a frame must fit one GT frame better than all others, to rule out an offset by itself
_MOVING = 0.01  # share of GT unexplained from one sampled frame to the next, above which it moves; noise leaves less
_LEAST = 16  # pixels a side of the thinned plane: motion in smaller ones may lie between the pixels of LR
_STILL = 1.0  # grey levels of the smoothed plane: a codec changes a repeated frame by less


def examine_order(excerpt: Excerpt, comp: Compensation) -> tuple[list[Finding], Compensation]:
    """Match each sampled SR frame with GT frames near in time, and with the reversed clip.

    Frames that are out of order without one rule for all cannot be compensated: that finding's `after` is None.
    """
    findings = []
    count = _count(excerpt)
    residuals = _Residuals(excerpt, comp)
    best = residuals.best_offset()
    order, gain = residuals.best_order()
    undone = comp
    fits = bool(order) and residuals.in_place(residuals.by(order))
    if fits and (best == 0 or gain > residuals.gain(lambda index: index + best)):
        undone = replace(comp, order=order)
        findings.append(Finding("order", _ORDER_TEXTS[order], excerpt.psnr(comp), excerpt.psnr(undone)))
    elif disorder := _disorder(residuals):
        findings.append(Finding("order", disorder, excerpt.psnr(comp)))
    elif unruly := residuals.by(order) if order and not fits else residuals.misfit():
        findings.append(Finding("order", _no_rule(residuals, unruly), excerpt.psnr(comp)))
    elif best and not _rather_a_shift(excerpt, comp, best):
        undone = replace(comp, offset=best)
        way = "early: SR frame i shows GT frame i + " if best > 0 else "late: SR frame i shows GT frame i - "
        frames = "1 frame" if abs(best) == 1 else f"{abs(best)} frames"
        findings.append(Finding("offset", f"SR is {frames} {way}{abs(best)}", excerpt.psnr(comp), excerpt.psnr(undone)))
    if count:
        ends = undone.offset == excerpt.gt_count - excerpt.sr_count != 0
        where = "; they end together, so the first ones differ" if ends else "; they begin together" * (not findings)
        findings.insert(0, Finding("count", count + where))
    return findings, undone


def _count(excerpt: Excerpt) -> str | None:
    ours, truth = excerpt.sr_count, excerpt.gt_count
    if ours == truth:
        return None
    text = f"SR has {ours} frames, GT {truth}"
    for rule in (8, 4):
        if ours < truth and ours == (truth - 1) // rule * rule + 1:
            return f"{text}, as if cut to {rule}k+1 frames"
        if ours > truth and ours == -(-(truth - 1) // rule) * rule + 1:
            return f"{text}, as if padded to {rule}k+1 frames and not cut back"
    return text


class _Residuals:
    """The share of SR frame i that GT frame j does not explain, each pair computed once."""

    def __init__(self, excerpt: Excerpt, comp: Compensation) -> None:
        self.excerpt = excerpt
        self.indices = anchors(min(excerpt.sr_count, excerpt.gt_count))
        self._read = set(needed(excerpt.sr_count, excerpt.gt_count)[1])
        self._sr = {index: _thin(comp.sr(excerpt.sr[index])) for index in self.indices}
        self._comp = comp
        self._gt: dict[int, np.ndarray] = {}
        self._known: dict[tuple[int, int], float] = {}

    def residual(self, index: int, partner: int) -> float:
        if (index, partner) not in self._known:
            self._known[index, partner] = unexplained(self._sr[index], self._true(partner))
        return self._known[index, partner]

    def _true(self, partner: int) -> np.ndarray:
        if partner not in self._gt:
            self._gt[partner] = _thin(self._comp.gt(self.excerpt.gt[partner]))
        return self._gt[partner]

    def gain(self, partner_of: Callable[[int], int], agreeing: float = _AGREEING) -> float:
        """The gain in dB if SR is matched with other GT frames than those of the same index; 0 unless most agree.

        Args:
            agreeing: share of the frames with motion that must prefer it.
        """
        pairs = [
            (self.residual(i, i), self.residual(i, partner_of(i)))
            for i in self.indices
            if 0 <= partner_of(i) < self.excerpt.gt_count
        ]
        moving = [(same, other) for same, other in pairs if abs(same - other) > 0.01 * max(same, other, 1e-6)]
        if not moving or np.mean([other < same for same, other in moving]) < agreeing:
            return 0.0
        return gain_db(sum(same for same, _ in pairs), sum(other for _, other in pairs))

    def best_order(self) -> tuple[str, float]:
        """The rule of `ORDERS` that fits best, and its gain in dB; no rule if none gains more than the threshold.

        By the rules of names as text every frame must agree: of shuffled frames some agree with any rule.
        """
        gains = {order: self.gain(self.by(order), _AGREEING if order == "backwards" else 1.0) for order in ORDERS}
        best = max(gains, key=gains.__getitem__)
        return (best, gains[best]) if gains[best] > _ORDER_DB else ("", 0.0)

    def by(self, order: str) -> Callable[[int], int]:
        """The GT frame that each SR frame shows by a rule of `ORDERS`."""
        return partial(Compensation(order=order).partner, gt_count=self.excerpt.gt_count)

    def in_place(self, partner_of: Callable[[int], int]) -> bool:
        """Whether most frames fit their partner as well as any GT frame that was read: shuffled ones do not."""
        pairs = [(i, p) for i in self.indices if 0 <= (p := partner_of(i)) < self.excerpt.gt_count]
        fits = [self.residual(i, p) <= 1.01 * min(self.residual(i, each) for each in self._read) for i, p in pairs]
        return float(np.mean(fits)) >= _AGREEING

    def best_offset(self) -> int:
        """The offset that fits best by more than the threshold, and no other GT frame fits better; else 0."""
        best, gain = self._offset()
        return best if gain > _OFFSET_DB and self.in_place(partial(operator.add, best)) else 0

    def misfit(self) -> Callable[[int], int] | None:
        """The offset that fits better than none, as GT frames, where others fit better still: no rule; else None."""
        best, gain = self._offset()
        partner_of = partial(operator.add, best)
        return partner_of if gain > _ORDER_DB and not self.in_place(partner_of) else None

    def _offset(self) -> tuple[int, float]:
        """The offset that fits best, and its gain in dB."""
        tried = offsets(self.excerpt.sr_count, self.excerpt.gt_count)
        gains = {offset: self.gain(partial(operator.add, offset)) for offset in tried if offset}
        best = max(gains, key=gains.__getitem__)
        return best, gains[best]

    def own_partners(self) -> dict[int, int]:
        """SR frame -> the GT frame that it fits decisively better than all others tried, where there is one."""
        tried = offsets(self.excerpt.sr_count, self.excerpt.gt_count)
        found = {}
        for index in self.indices:
            within = [index + offset for offset in tried if 0 <= index + offset < self.excerpt.gt_count]
            best, *others = sorted(within, key=partial(self.residual, index))
            if others and gain_db(self.residual(index, others[0]), self.residual(index, best)) > _DECISIVE_DB:
                found[index] = best
        return found

    def is_still(self) -> bool:
        """Whether all sampled SR frames are the same while those of GT move."""
        pairs = list(pairwise(self.indices))
        ours = [float(np.abs(self._sr[before] - self._sr[now]).max()) for before, now in pairs]
        truth = [float(np.abs(self._true(before) - self._true(now)).max()) for before, now in pairs]
        small = min(self._sr[self.indices[0]].shape) < _LEAST
        if small or not pairs or max(ours) >= _STILL or max(truth) < _STILL:
            return False
        return float(np.mean([unexplained(self._true(before), self._true(now)) for before, now in pairs])) > _MOVING


def _disorder(residuals: _Residuals) -> str:
    """A message on frames that no single offset puts right; empty if there are none."""
    if residuals.is_still():
        return "SR shows one frame throughout, where GT moves"
    partners = residuals.own_partners()
    if len({partner - index for index, partner in partners.items()}) < 2:
        return ""
    (one, its), (other, theirs) = next(
        (a, b) for a, b in pairwise(sorted(partners.items())) if a[1] - a[0] != b[1] - b[0]
    )
    return (
        f"frames are missing, repeated or swapped: SR frame {one} shows GT frame {its}, SR frame {other} shows GT "
        f"frame {theirs}"
    )


def _no_rule(residuals: _Residuals, partner_of: Callable[[int], int]) -> str:
    """A message on frames that fit those of a wrong order better than their own, but no order well."""
    count = residuals.excerpt.gt_count
    partners = {index: partner_of(index) for index in residuals.indices if 0 <= partner_of(index) < count}
    index = max(partners, key=lambda i: gain_db(residuals.residual(i, i), residuals.residual(i, partners[i])))
    return (
        f"the frames are in an order that follows no rule: SR frame {index} fits GT frame {partners[index]} better "
        f"than GT frame {index}"
    )


def _rather_a_shift(excerpt: Excerpt, comp: Compensation, offset: int) -> bool:
    """Whether a shift in space fits better than an offset in time, and both together less than twice as well.

    Under a pan the two look alike.
    """
    _, shifted = residual_after_shift(list(excerpt.pairs(comp)))
    offset_alone, both = residual_after_shift(list(excerpt.pairs(replace(comp, offset=offset))))
    return shifted < offset_alone and shifted < 2 * both


def _thin(frame: np.ndarray) -> np.ndarray:
    """Every second pixel of the smoothed green plane, enough to compare whole frames."""
    return np.ascontiguousarray(plane(frame, _SIGMA)[::2, ::2])
