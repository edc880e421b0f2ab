"""The examination: size, order, shift, channels and tone in turn, each after compensation of earlier faults."""

from __future__ import annotations

from dataclasses import dataclass

from bench.doctor.excerpt import Excerpt
from bench.doctor.finding import Compensation, Finding, Frames
from bench.doctor.order import examine_order
from bench.doctor.shift import examine_shift
from bench.doctor.size import examine_size
from bench.doctor.tone import examine_channels, examine_contrast, examine_tone


@dataclass(frozen=True)
class Diagnosis:
    """All findings, and the compensation that undoes them together."""

    findings: list[Finding]
    compensation: Compensation


def examine(sr: Frames, gt: Frames, counts: tuple[int, int] | None = None) -> list[Finding]:
    """Find the faults of a prediction other than its quality; nothing is changed.

    Args:
        sr, gt: uint8 (H, W, 3) RGB frames by index: all of a clip in lists, or those of `excerpt.needed` in dicts.
        counts: numbers of frames of the SR and the GT clip; None: those that are given.
    Returns:
        Findings in the order size or turn, count, order or offset, shift or zoom, channels, range or gamma; empty if
        there is no fault.
    """
    return diagnose(sr, gt, counts).findings


def diagnose(sr: Frames, gt: Frames, counts: tuple[int, int] | None = None) -> Diagnosis:
    """Find the faults, and the compensation that undoes them together. Arguments as `examine`.

    Raises:
        ValueError: there are no frames.
    """
    sr_count, gt_count = counts or (len(sr), len(gt))
    if not sr_count or not gt_count:
        raise ValueError(f"nothing to examine: {sr_count} SR frames, {gt_count} GT frames")
    excerpt = Excerpt(sr, gt, sr_count, gt_count)
    finding, comp = examine_size(excerpt)
    findings = [finding] if finding else []
    if comp.resize:  # of another scale: finer faults cannot be told apart from effects of resizing
        return Diagnosis(findings, comp)
    if blank := examine_contrast(excerpt, comp):
        return Diagnosis([*findings, blank], comp)
    more, comp = examine_order(excerpt, comp)
    findings += more
    in_order = all(finding.kind != "order" or finding.after is not None for finding in more)
    # A frame compared with its neighbour in time looks displaced; colours are compared in large cells.
    for check in (*[examine_shift] * in_order, examine_channels, examine_tone):
        finding, comp = check(excerpt, comp)
        findings += [finding] if finding else []
    return Diagnosis(findings, comp)
