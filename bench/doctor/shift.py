"""Detection of shifts by whole and part pixels, and of a zoom about the centre (an effect of `align_corners=True`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from bench.doctor.excerpt import Excerpt, plane, unexplained
from bench.doctor.finding import Compensation, Finding, Warp

_SIGMA = 2.0  # smooths both: the error then is a parabola near its minimum, and detail that differs plays no part
_SMALLEST = 0.15  # pixels: below it a shift costs next to nothing
_SURE = 0.25  # pixels: undoing a smaller one must raise the PSNR, else noise or blur may have caused it
_GAIN = 0.02  # dB
_AGREEING = 0.6  # share of the blocks that must show it: a change of single edges is no shift of the frame
_BLOCKS = 3
_ZOOMED = 0.4  # pixels at the border
_EQUAL = 1e-6  # of the residual: frames that explain each other up to rounding are in their place


def examine_shift(excerpt: Excerpt, comp: Compensation) -> tuple[Finding | None, Compensation]:
    """Estimate the displacement, and report it if undoing it helps more than the opposite displacement would."""
    pairs = list(excerpt.pairs(comp))
    warp = estimate(pairs)
    height, width = pairs[0][1].shape[:2]
    if warp.reach(height, width) < _SMALLEST:
        return None, comp
    margin = int(np.ceil(warp.reach(height, width))) + 4
    if min(height, width) <= 2 * margin + 16:
        return None, comp
    as_is, there, opposite = (_residual(pairs, each, margin) for each in (Warp(), warp, warp.reversed()))
    if as_is < _EQUAL:  # a pattern without structure in one direction fits itself at any displacement
        return None, comp
    # A true shift d costs d^2, the opposite displacement (2d)^2: four times as much. The loss by resampling itself is
    # the same in both directions.
    if there > 0.995 * as_is or opposite - there < 2 * (as_is - there):
        return None, comp
    undone = replace(comp, warp=warp)
    before = excerpt.psnr(comp, margin)
    after = excerpt.psnr(undone, max(0, margin - undone.margin))
    if warp.reach(height, width) < _SURE and after < before + _GAIN:
        return None, comp
    return Finding("zoom" if warp.zy or warp.zx else "shift", _text(warp, height, width), before, after), undone


def estimate(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Warp:
    """The displacement of SR against GT that all frames share, or a zoom if the blocks of the frame agree on one.

    Args:
        pairs: uint8 (H, W, 3) SR and GT frames of one size.
    """
    planes = [(plane(sr, _SIGMA), plane(gt, _SIGMA)) for sr, gt in pairs]
    height, width = planes[0][1].shape
    if min(height, width) < 32:
        return Warp()
    planes = [(_levelled(sr, gt), gt) for sr, gt in planes]
    row, column = _whole(planes)
    fit = _refined(planes, row, column)
    blocks = _blocks(planes, row, column)
    zooms = (
        [
            _slope([(block.y, block.dy, block.wy) for block in blocks], height),
            _slope([(block.x, block.dx, block.wx) for block in blocks], width),
        ]
        if len(blocks) >= 6
        else [0.0, 0.0]
    )
    if max(abs(zooms[0]) * height, abs(zooms[1]) * width) / 2 < _ZOOMED:
        length = fit.dy**2 + fit.dx**2
        shared = [0.4 < (b.dy * fit.dy + b.dx * fit.dx) / length < 1.6 for b in blocks if length]
        if len(shared) >= 4 and np.mean(shared) < _AGREEING:
            return Warp()
        return Warp(_snapped(fit.dy), _snapped(fit.dx))
    middle = [
        np.average([b.dy for b in blocks], weights=[b.wy for b in blocks]),
        np.average([b.dx for b in blocks], weights=[b.wx for b in blocks]),
    ]
    warp = Warp(float(middle[0]), float(middle[1]), *zooms)
    return warp if all(zooms) else _on_both_axes(pairs, warp)


def residual_after_shift(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """The residual of the unchanged frames, and after the best shift; both on the same inner part."""
    warp = estimate(pairs)
    height, width = pairs[0][1].shape[:2]
    margin = max(0, min(int(np.ceil(warp.reach(height, width))) + 4, min(height, width) // 2 - 8))
    return _residual(pairs, Warp(), margin), _residual(pairs, warp, margin)


def _on_both_axes(pairs: list[tuple[np.ndarray, np.ndarray]], warp: Warp) -> Warp:
    """The same zoom along the axis whose blocks lie on no line, if it fits better: align_corners zooms along both.

    Their mean displacement then says little, either, so that none is tried as well.
    """
    height, width = pairs[0][1].shape[:2]
    both = replace(warp, zy=warp.zy or warp.zx * width / height, zx=warp.zx or warp.zy * height / width)
    margin = max(0, min(int(np.ceil(both.reach(height, width))) + 4, min(height, width) // 2 - 8))
    return min(both, replace(both, dy=0.0, dx=0.0), warp, key=lambda each: _residual(pairs, each, margin))


@dataclass(frozen=True)
class _Fit:
    """The minimum of the squared error around a whole-pixel displacement, in one block."""

    dy: float
    dx: float
    wy: float = 0.0  # curvature: how sure the estimate is
    wx: float = 0.0
    y: float = 0.0  # the block's centre, from the frame's
    x: float = 0.0


def _levelled(sr: np.ndarray, gt: np.ndarray) -> np.ndarray:
    """SR with GT's mean and spread: range and brightness must not count as displacement."""
    spread = float(sr.std())
    return (sr - sr.mean()) * (float(gt.std()) / spread if spread else 0.0) + gt.mean()


def _whole(planes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[int, int]:
    """The whole-pixel displacement: downhill from none, or from the peak of phase correlation where that is better."""
    shape = planes[0][1].shape
    step = 2 if min(shape) >= 256 else 1  # smoothed planes lose nothing, and the walk below finds the exact pixel
    window = cv2.createHanningWindow((-(-shape[1] // step), -(-shape[0] // step)), cv2.CV_32F)
    limit = min(shape) // 4
    starts = {(0, 0)}
    for sr, gt in planes:
        (dx, dy), _ = cv2.phaseCorrelate(gt[::step, ::step].copy(), sr[::step, ::step].copy(), window)
        if max(abs(dx), abs(dy)) * step <= limit:
            starts.add((round(dy * step), round(dx * step)))
    margin = max(max(abs(dy), abs(dx)) for dy, dx in starts) + 4
    while min(shape) <= 2 * margin + 16:  # in a small frame only small displacements can be found
        margin //= 2
        starts = {start for start in starts if max(map(abs, start)) + 2 <= margin}
        if margin < 4:
            return 0, 0
    row, column = min(starts, key=lambda start: _error(planes, start[0], start[1], margin))
    for _ in range(8):
        near = {
            (row + y, column + x): _error(planes, row + y, column + x, margin)
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
            if max(abs(row + y), abs(column + x)) < margin
        }
        best = min(near, key=near.__getitem__)
        if best == (row, column):
            break
        row, column = best
    return row, column


def _error(planes: list[tuple[np.ndarray, np.ndarray]], dy: int, dx: int, margin: int) -> float:
    total = 0.0
    for sr, gt in planes:
        height, width = gt.shape
        inner = gt[margin : height - margin, margin : width - margin]
        moved = sr[margin + dy : height - margin + dy, margin + dx : width - margin + dx]
        total += cv2.norm(moved, inner, cv2.NORM_L2SQR)
    return total


def _refined(planes: list[tuple[np.ndarray, np.ndarray]], row: int, column: int) -> _Fit:
    """A parabola through the errors at the whole-pixel minimum and beside it, in each direction."""
    margin = max(abs(row), abs(column)) + 2
    if min(planes[0][1].shape) <= 2 * margin + 8:
        return _Fit(row, column)
    middle = _error(planes, row, column, margin)
    dy, wy = _vertex(_error(planes, row - 1, column, margin), middle, _error(planes, row + 1, column, margin))
    dx, wx = _vertex(_error(planes, row, column - 1, margin), middle, _error(planes, row, column + 1, margin))
    return _Fit(row + dy, column + dx, wy, wx)


def _vertex(before: float, middle: float, after: float) -> tuple[float, float]:
    curvature = before - 2 * middle + after
    return (float(np.clip((before - after) / (2 * curvature), -2, 2)), curvature) if curvature > 0 else (0.0, 0.0)


def _blocks(planes: list[tuple[np.ndarray, np.ndarray]], row: int, column: int) -> list[_Fit]:
    """The refined displacement of each of 3x3 blocks that has structure in both directions."""
    height, width = planes[0][1].shape
    tall, wide = height // _BLOCKS, width // _BLOCKS
    fits = []
    for top in range(0, tall * _BLOCKS, tall):
        for left in range(0, wide * _BLOCKS, wide):
            part = [
                (sr[top : top + tall, left : left + wide], gt[top : top + tall, left : left + wide])
                for sr, gt in planes
            ]
            fit = _refined(part, row, column)
            if fit.wy > 0 and fit.wx > 0:
                fits.append(replace(fit, y=top + (tall - height) / 2, x=left + (wide - width) / 2))
    return fits


def _slope(points: list[tuple[float, float, float]], side: int) -> float:
    """Displacement per pixel, by weighted least squares; 0 where the blocks do not lie on a line.

    Args:
        points: (place, displacement, weight) of each block.
        side: of the frame.
    """
    place, moved, weight = np.array(points).T
    weight = np.minimum(weight, 4 * np.median(weight))  # one contrasty block must not decide alone
    design = np.stack([np.ones_like(place), place], 1)
    root = np.sqrt(weight)
    (base, slope), *_ = np.linalg.lstsq(design * root[:, None], moved * root, rcond=None)
    residual = float(np.sqrt(np.average((moved - base - slope * place) ** 2, weights=weight)))
    return float(slope) if residual < 0.25 * abs(slope) * side / 2 else 0.0


def _snapped(shift: float) -> float:
    """Round to a whole pixel if it is nearer than the estimate's accuracy, else to 0.01."""
    return float(round(shift)) if abs(shift - round(shift)) < 0.08 else round(shift, 2)


def _residual(pairs: list[tuple[np.ndarray, np.ndarray]], warp: Warp, margin: int) -> float:
    inner = slice(margin, -margin or None)
    residuals = [
        unexplained(plane(warp(sr), _SIGMA)[inner, inner], plane(gt, _SIGMA)[inner, inner]) for sr, gt in pairs
    ]
    return float(np.mean(residuals))


def _text(warp: Warp, height: int, width: int) -> str:
    if warp.zy or warp.zx:
        ends = abs(warp.zx) * width / 2, abs(warp.zy) * height / 2
        return (
            f"SR is zoomed about its centre: {ends[0]:.2f} px at the left and right, {ends[1]:.2f} px at the top "
            "and bottom; resizing with align_corners=True does this"
        )
    ways = [
        f"{abs(value):g} px {word[value < 0]}"
        for value, word in ((warp.dx, ("to the right", "to the left")), (warp.dy, ("down", "up")))
        if abs(value) >= 0.08
    ]
    whole = warp.dx == round(warp.dx) and warp.dy == round(warp.dy)
    hint = "" if whole else "; pixel corners taken for centres ((scale - 1) / 2 px) do this"
    return f"SR is shifted {' and '.join(ways)}{hint}"
