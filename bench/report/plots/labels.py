"""Placement of names beside points without overlap of points, bars, other names or the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

# Directions in the order of preference: right, left, above, below, then the corners.
_DIRECTIONS = (0, 180, 90, 270, 45, 135, 315, 225, 20, 160, 340, 200)
_MOST_COVERED = 9  # boxes of a line (see `_along`) that a name may cover


@dataclass(frozen=True)
class NamedPoint:
    """A marker with a name; `x` and `y` in data coordinates, `size` its diameter in points."""

    x: float
    y: float
    name: str
    color: str
    size: float
    x_bar: tuple[float, float] | None = None  # ends of the bar, in data
    y_bar: tuple[float, float] | None = None


def place(axes: Axes, points: list[NamedPoint], lines: Sequence[np.ndarray]) -> bool:
    """Write names beside points, once the axes have their place (`figure.canvas.draw()`) and the layout is fixed.

    Args:
        axes: with its limits set.
        points: the points to name; all of them are obstacles.
        lines: polylines in data coordinates that names should not cover.
    Returns:
        Whether every name found a free place; it ends at the first one that did not.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    pixel = axes.figure.dpi / 72
    taken = [text.get_window_extent(renderer) for text in axes.texts] + _obstacles(axes, points, pixel)
    soft = [box for line in lines for box in _along(axes, line, pixel)]
    inside = axes.get_window_extent(renderer)
    for point in sorted(points, key=lambda p: (p.x, p.y)):
        best: tuple[int, Annotation, Bbox] | None = None
        for angle in _DIRECTIONS:
            text = _beside(axes, point, angle)
            box = Bbox.from_extents(*text.get_window_extent(renderer).extents)
            within = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            free = within and not any(map(box.overlaps, taken))
            covered = sum(map(box.overlaps, soft)) if free else 0
            if free and covered < (best[0] if best else _MOST_COVERED + 1):
                if best:
                    best[1].remove()
                best = (covered, text, box)
            else:
                text.remove()
            if best and not best[0]:
                break
        if best is None:
            return False
        taken.append(best[2])
    return True


def _beside(axes: Axes, point: NamedPoint, angle: float) -> Annotation:
    """Write a point's name in a direction, in degrees."""
    reach = point.size / 2 + 2.5
    offset = (reach * math.cos(math.radians(angle)), reach * math.sin(math.radians(angle)))
    return axes.annotate(
        point.name,
        (point.x, point.y),
        xytext=offset,
        textcoords="offset points",
        ha="left" if offset[0] > 1 else "right" if offset[0] < -1 else "center",
        va="bottom" if offset[1] > 2.5 else "top" if offset[1] < -2.5 else "center",
        fontsize=7,
        color=point.color,
    )


def _obstacles(axes: Axes, points: list[NamedPoint], pixel: float) -> list[Bbox]:
    """Markers and error bars, as boxes on the canvas."""
    boxes = []
    for point in points:
        x, y = axes.transData.transform((point.x, point.y))
        half = (point.size / 2 + 0.5) * pixel
        boxes.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
        if point.y_bar:
            (_, low), (_, high) = (axes.transData.transform((point.x, end)) for end in point.y_bar)
            boxes.append(Bbox.from_extents(x - pixel, min(low, high), x + pixel, max(low, high)))
        if point.x_bar:
            (low, _), (high, _) = (axes.transData.transform((end, point.y)) for end in point.x_bar)
            boxes.append(Bbox.from_extents(min(low, high), y - pixel, max(low, high), y + pixel))
    return boxes


def _along(axes: Axes, line: np.ndarray, pixel: float) -> list[Bbox]:
    """Small boxes along a polyline."""
    corners = axes.transData.transform(line)
    boxes = []
    for (x0, y0), (x1, y1) in zip(corners[:-1], corners[1:]):
        count = max(2, int(math.hypot(x1 - x0, y1 - y0) / (4 * pixel)))
        for share in np.linspace(0, 1, count):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            boxes.append(Bbox.from_extents(x - pixel, y - pixel, x + pixel, y + pixel))
    return boxes
