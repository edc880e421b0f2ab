"""Detection of wrong sizes (transposed, another scale, cropped or padded, and at which side) and of turned frames."""

from __future__ import annotations

import cv2
import numpy as np

from bench.doctor.excerpt import Excerpt, anchors, plane, unexplained
from bench.doctor.finding import TURNS, Compensation, Finding, Window

_SIGMA = 1.0
_ANOTHER, _SAME = 0.3, 0.15  # shares that stay unexplained: of another picture at least, of the same at most
_MULTIPLES = (64, 32, 16, 8, 4, 2)


def examine_size(excerpt: Excerpt) -> tuple[Finding | None, Compensation]:
    """Name the likeliest cause of unlike sizes; the compensation makes the frames comparable."""
    index = anchors(min(excerpt.sr_count, excerpt.gt_count))[0]
    sr, gt = excerpt.sr[index], excerpt.gt[index]
    if sr.shape == gt.shape:
        return _in_place(excerpt, sr, gt)
    causes = [_turned(sr, gt), _scaled(sr, gt), _cropped(sr, gt)]
    resized = Compensation(resize=gt.shape[:2])
    unknown: Cause = (np.inf, "another shape, of too few pixels to tell why", resized)
    _, text, comp = min((cause for cause in causes if cause), key=lambda cause: cause[0], default=unknown)
    text = f"SR is {sr.shape[1]}x{sr.shape[0]}, GT {gt.shape[1]}x{gt.shape[0]}: {text}"
    return Finding("size", text, None, excerpt.psnr(comp)), comp


def _in_place(excerpt: Excerpt, sr: np.ndarray, gt: np.ndarray) -> tuple[Finding | None, Compensation]:
    """Examine frames of one size: a mirror or turn is found if they look like different pictures without it."""
    as_is = _residual(sr, gt)
    turned = _turned(sr, gt) if as_is > _ANOTHER else None
    if turned is None or turned[0] > _SAME:
        return None, Compensation()
    comp = turned[2]
    text = f"SR {turned[1].removeprefix('it ')}"
    return Finding("turn", text, excerpt.psnr(Compensation()), excerpt.psnr(comp)), comp


Cause = tuple[float, str, Compensation]
"""(share of GT that stays unexplained, text, compensation)."""


def _turned(sr: np.ndarray, gt: np.ndarray) -> Cause | None:
    causes = []
    for name in TURNS:
        comp = Compensation(turn=name)
        if (turned := comp.sr(sr)).shape == gt.shape:
            causes.append((_residual(turned, gt), f"it is {name}", comp))
    return min(causes, key=lambda cause: cause[0], default=None)


def _scaled(sr: np.ndarray, gt: np.ndarray) -> Cause | None:
    ratios = [true / ours for true, ours in zip(gt.shape[:2], sr.shape[:2])]
    if not 0.97 < ratios[0] / ratios[1] < 1.03:
        return None
    factor = sum(ratios) / 2
    comp = Compensation(resize=gt.shape[:2])
    if factor > 1:
        text = f"{factor:.3g} times smaller; are these the LR frames, or was another scale meant?"
    else:
        text = f"{1 / factor:.3g} times larger; was another scale meant, or is GT a smaller version?"
    return _residual(comp.sr(sr), gt), text, comp


def _cropped(sr: np.ndarray, gt: np.ndarray) -> Cause | None:
    """Find the middle of SR in GT; SR may extend beyond GT on any side."""
    height, width = (min(sides) for sides in zip(sr.shape[:2], gt.shape[:2]))
    part = Window((sr.shape[0] - height // 2) // 2, (sr.shape[1] - width // 2) // 2, height // 2, width // 2)
    if min(part.height, part.width) < 8:
        return None
    scores = cv2.matchTemplate(plane(gt, _SIGMA), part(plane(sr, _SIGMA)), cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(np.argmax(scores), scores.shape)
    top, left = int(row) - part.top, int(column) - part.left  # of SR's corner in GT
    inner = [min(sr.shape[0], gt.shape[0] - top) - max(0, -top), min(sr.shape[1], gt.shape[1] - left) - max(0, -left)]
    if min(inner) < 8:
        return None
    comp = Compensation(
        sr_window=Window(max(0, -top), max(0, -left), *inner), gt_window=Window(max(0, top), max(0, left), *inner)
    )
    return _residual(comp.sr(sr), comp.gt(gt)), _place(sr, gt, top, left), comp


def _place(sr: np.ndarray, gt: np.ndarray, top: int, left: int) -> str:
    lack = gt.shape[0] - sr.shape[0], gt.shape[1] - sr.shape[1]
    verb = "cropped" if min(lack) >= 0 else "padded" if max(lack) <= 0 else "cropped and padded"
    if (top, left) == (0, 0):
        where = "at the bottom and right"
    elif all(abs(2 * at - side) <= 1 for at, side in zip((top, left), lack)):
        where = "around the centre"
    else:
        where = f"its corner lies at row {top}, column {left} of GT"
    for multiple in _MULTIPLES:
        if sr.shape[0] % multiple == sr.shape[1] % multiple == 0 and (gt.shape[0] % multiple or gt.shape[1] % multiple):
            return f"{verb} {where}, as if to a multiple of {multiple}"
    return f"{verb} {where}"


def _residual(sr: np.ndarray, gt: np.ndarray) -> float:
    return unexplained(plane(sr, _SIGMA), plane(gt, _SIGMA))
