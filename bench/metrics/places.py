"""The place in a frame where a metric's score is worst, for pages that show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from bench.metrics import flicker
from bench.metrics.checkerboard import Checkerboard

WINDOW = 64  # pixels: the smallest side of the windows in which a lattice is sought
_SIGMA = 16.0  # pixels: the size of a place
_BLOCK = 4  # pixels: maps are averaged over blocks of this size before they are compared

Pair = tuple[np.ndarray, np.ndarray | None]
"""SR and GT of one frame, uint8 (H, W, 3) RGB of one size."""
Centre = Callable[[Pair, Pair | None, int], tuple[int, int]]
"""(the frame, the one after it, the scale) -> (x, y) of the worst place, in pixels."""


def finder(signature: str, window: int) -> tuple[str, Centre]:
    """The search for the worst place of a metric: in words, and as a function.

    Args:
        signature: of the metric; its first part names the metric.
        window: consecutive frames behind a value.
    """
    name, where, *_ = [*signature.split("|"), "", ""]
    if name == "checkerboard":
        return "where a lattice of the scale stands out farthest from GT's own", lattice
    if name == "flicker":
        still = where.startswith("still")
        area = "stands still" if still else "moves, along its flow"
        text = f"where SR's change to the next frame is farthest from GT's, of all where GT {area}"
        return text, partial(change_of_area, moving=not still)
    if window > 1:
        return "where SR's change to the next frame is farthest from GT's", change
    return "where SR and GT differ most", difference


def difference(now: Pair, after: Pair | None, scale: int) -> tuple[int, int]:
    """The place where SR and GT differ most; without GT, where SR is farthest from its mean."""
    sr, gt = now
    return _peak(np.abs(sr.astype(np.float32) - (sr.mean() if gt is None else gt)).mean(2))


def change(now: Pair, after: Pair | None, scale: int) -> tuple[int, int]:
    """The place where SR's change to the next frame is farthest from GT's; without GT, where SR changes most."""
    if after is None:
        return difference(now, after, scale)
    return _peak(_change(now[0], after[0]) - _change(now[1], after[1]))


def change_of_area(now: Pair, after: Pair | None, scale: int, moving: bool) -> tuple[int, int]:
    """The place of `change`, among the pixels that count for the flicker of still or moving areas."""
    if after is None or now[1] is None or after[1] is None:
        return difference(now, after, scale)
    first, second = flicker.planes_of(now[0], now[1]), flicker.planes_of(after[0], after[1])
    ours, theirs, chosen = flicker.changes(first, second, moving)
    return _peak(np.where(chosen, ours - theirs, 0))


def lattice(now: Pair, after: Pair | None, scale: int) -> tuple[int, int]:
    """The centre of the window whose ratio of `checkerboard` is farthest from GT's; without GT, from 1."""
    side = max(WINDOW, 16 * scale)
    metric = Checkerboard(scale, window=side)
    try:
        ours = metric.by_window(now[0])
    except ValueError:  # a frame that is smaller than a window
        return difference(now, after, scale)
    distance = np.abs(ours - (1 if now[1] is None else metric.by_window(now[1])))
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return (int(column) + 1) * side // 2, (int(row) + 1) * side // 2


def _change(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray:
    """The absolute change between two frames, float (H, W); 0 if one is None."""
    return np.zeros(()) if one is None or other is None else np.abs(other.astype(np.float32) - one).mean(2)


def _peak(values: np.ndarray) -> tuple[int, int]:
    """(x, y) of the largest absolute value of a map (H, W) after it is smoothed."""
    height, width = (max(1, side // _BLOCK) for side in values.shape)
    small = cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    smooth = np.abs(cv2.GaussianBlur(small, (0, 0), _SIGMA / _BLOCK, borderType=cv2.BORDER_CONSTANT))
    row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
    return int((column + 0.5) * values.shape[1] / width), int((row + 0.5) * values.shape[0] / height)
