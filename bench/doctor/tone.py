"""Detection of swapped channels, wrong range, gamma and nearly blank SR, from the means of large cells of the frames.

Blur narrows the levels of small places just as limited range does, but leaves the means of large cells unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from statistics import fmean

import cv2
import numpy as np

from bench.doctor.excerpt import Excerpt, gain_db
from bench.doctor.finding import Compensation, Finding

_CELLS = 12  # of the means, along the shorter side
_SMALLEST_CELL = 8  # pixels
_NAMES = "RGB"
_LEAST_CHROMA = 1.0  # grey levels: channels of greyer clips cannot be told apart
_LEAST_SPREAD = 8.0
_CLIPPED = 0.02  # cells with more samples at black or white than that share tell nothing of gain and level
_LEAST_ERROR = 1.0  # grey levels of the means: less is not reported
_TONE_DB = 3.0  # of the means' error
_BLANK = 0.1  # share of GT's spread; 12-bit samples in 16-bit files keep less, blur keeps more
_GAMMA = 0.06  # |ln| of the exponent: 2.2 against 1.8 is 0.2


def examine_contrast(excerpt: Excerpt, comp: Compensation) -> Finding | None:
    """Report SR frames that are nearly blank where GT is not; no other fault can be found in them."""
    pairs = list(excerpt.pairs(comp))
    ours, truth = (fmean(float(frame.std()) for frame in side) for side in zip(*pairs))
    if truth < _LEAST_SPREAD or ours > _BLANK * truth:
        return None
    (low, high), (true_low, true_high) = (
        (min(int(frame.min()) for frame in side), max(int(frame.max()) for frame in side)) for side in zip(*pairs)
    )
    text = (
        f"SR is next to blank: its levels are {low} to {high}, GT's {true_low} to {true_high}; samples in [0, 1] "
        "written as 8 bits, or 10 bits in files of 16, do this"
    )
    return Finding("range", text, excerpt.psnr(comp))


def examine_channels(excerpt: Excerpt, comp: Compensation) -> tuple[Finding | None, Compensation]:
    """Compare colour differences under every order of the channels."""
    sr, gt, _ = _means(excerpt, comp)
    chroma = gt - gt.mean(1, keepdims=True)
    if float(np.sqrt(np.mean(chroma**2))) < _LEAST_CHROMA:
        return None, comp
    errors: dict[tuple[int, int, int], float] = {
        (order[0], order[1], order[2]): float(np.mean((sr[:, order] - sr.mean(1, keepdims=True) - chroma) ** 2))
        for order in permutations(range(3))
    }
    best = min(errors, key=errors.__getitem__)
    if best == (0, 1, 2) or errors[best] > 0.5 * errors[0, 1, 2] or errors[0, 1, 2] - errors[best] < _LEAST_CHROMA**2:
        return None, comp
    undone = replace(comp, channels=best)
    order = "".join(_NAMES[best.index(channel)] for channel in range(3))
    finding = Finding("channels", f"SR's channels are {order} instead of RGB", excerpt.psnr(comp), excerpt.psnr(undone))
    return finding, undone


def examine_tone(excerpt: Excerpt, comp: Compensation) -> tuple[Finding | None, Compensation]:
    """Fit limited range, expanded range and gamma to the means of cells, and report the one that fits, if any."""
    sr, gt, clipped = (means.ravel() for means in _means(excerpt, comp))
    kept = clipped < _CLIPPED
    sr, gt = sr[kept], gt[kept]
    if len(gt) < 16 or float(gt.std()) < _LEAST_SPREAD:
        return None, comp
    as_is = _square(sr - gt)
    gain, level = np.polyfit(gt, sr, 1)
    free = _square(sr - gain * gt - level)
    curves = [_gamma(sr, gt)]
    if _LIMITED.near(gain, level) and _within_limits(excerpt, comp):
        curves.append(_LIMITED)
    if _EXPANDED.near(gain, level):
        curves.append(_EXPANDED)
    best = min(curves, key=lambda curve: _square(sr - curve.of_gt(gt)))
    residual = _square(sr - best.of_gt(gt))
    # A line of its own gain and level has two parameters, gamma one, a range none: brightness is not taken for gamma.
    allowed = free if best.kind == "gamma" else 1.5 * free + 0.5
    if not best.distinct or as_is < _LEAST_ERROR**2 or gain_db(as_is, residual) < _TONE_DB or residual > allowed:
        return None, comp
    table = np.clip(np.rint(best.of_sr(np.arange(256.0))), 0, 255).astype(int)
    undone = replace(comp, tone=tuple(table.tolist()))
    text = f"{best.text}; large areas are off by {as_is**0.5:.2g} levels, {residual**0.5:.2g} with it compensated"
    return Finding(best.kind, text, excerpt.psnr(comp), excerpt.psnr(undone)), undone


@dataclass(frozen=True)
class _Curve:
    """A curve from GT's levels to SR's, and its inverse."""

    kind: str
    text: str
    of_gt: Callable[[np.ndarray], np.ndarray]
    of_sr: Callable[[np.ndarray], np.ndarray]
    line: tuple[float, float] = (1.0, 0.0)  # gain and level of the range conversions
    distinct: bool = True

    def near(self, gain: float, level: float) -> bool:
        return abs(gain - self.line[0]) < 0.07 * self.line[0] and abs(level - self.line[1]) < 9


def _squeeze(levels: np.ndarray) -> np.ndarray:
    return 16 + levels * (219 / 255)


def _stretch(levels: np.ndarray) -> np.ndarray:
    return np.clip((levels - 16) * (255 / 219), 0, 255)


_LIMITED = _Curve(
    "range", "SR is in limited range (16 to 235), GT in full range", _squeeze, _stretch, (219 / 255, 16.0)
)
_EXPANDED = _Curve(
    "range", "SR was expanded from limited to full range, GT was not", _stretch, _squeeze, (255 / 219, -16 * 255 / 219)
)


def _gamma(sr: np.ndarray, gt: np.ndarray) -> _Curve:
    """Fit SR = GT^exponent on [0, 1] by least squares."""
    from scipy.optimize import minimize_scalar  # half a second to import

    base = np.clip(gt / 255, 1e-3, 1)
    fit = minimize_scalar(lambda log: _square(sr - 255 * base ** np.exp(log)), bounds=(-1.2, 1.2), method="bounded")
    exponent = float(np.exp(fit.x))
    return _Curve(
        "gamma",
        f"SR is GT to the power of {exponent:.2f} (1.8 instead of 2.2 is 1.22, and 0.82 the other way round)",
        lambda levels: 255 * np.clip(levels / 255, 0, 1) ** exponent,
        lambda levels: 255 * (levels / 255) ** (1 / exponent),
        distinct=abs(fit.x) > _GAMMA,
    )


def _means(excerpt: Excerpt, comp: Compensation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of cells of all sampled frames, float64 (N, 3) each: SR, GT, and SR's share of samples at black or white.

    Means are whole grey levels.
    """
    found: tuple[list[np.ndarray], ...] = ([], [], [])
    for sr, gt in excerpt.pairs(comp):
        cell = max(_SMALLEST_CELL, min(sr.shape[:2]) // _CELLS)
        size = max(1, sr.shape[1] // cell), max(1, sr.shape[0] // cell)
        at_ends = ((sr < 2) | (sr > 253)).view(np.uint8) * np.uint8(255)
        for frame, means in zip((sr, gt, at_ends), found):
            means.append(cv2.resize(frame, size, interpolation=cv2.INTER_AREA).reshape(-1, 3))
    sr_means, gt_means, ends = (np.concatenate(means).astype(np.float64) for means in found)
    return sr_means, gt_means, ends / 255


def _within_limits(excerpt: Excerpt, comp: Compensation) -> bool:
    """Whether SR stays in 16 .. 235, as limited range does, give or take a few levels and one sample in a thousand."""
    levels = np.concatenate([sr[::4, ::4].ravel() for sr, _ in excerpt.pairs(comp)])
    low, high = np.percentile(levels, (0.1, 99.9))
    return low >= 12 and high <= 239


def _square(difference: np.ndarray) -> float:
    return float(np.mean(difference**2))
