"""Speed versus quality as SVG that follows the page's theme: a panel a data set and metric, time on a log axis."""

from __future__ import annotations

import math
from html import escape

from bench.report.page import marks
from bench.report.page.figures import three
from bench.report.tables import Column, Table

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 16, 42
LETTER = 6.3  # average width of a letter of a label
_PLACES = ((10, 4, "start"), (-10, 4, "end"), (0, -10, "middle"), (0, 19, "middle"), (9, -7, "start"), (-9, -7, "end"))


def section(tables: list[Table], methods: list[str]) -> str:
    """All panels; a sentence where there is nothing to draw."""
    parts = []
    for table in tables:
        time = next((column for column in table.columns if column.metric == "ms_per_frame"), None)
        drawn = [_panel(table, time, column, methods) for column in table.columns if column.signature]
        drawn = [panel for panel in drawn if panel]
        if drawn:
            parts.append(f'<h3>{escape(table.title)}</h3><div class="panels">{"".join(drawn)}</div>')
    return "".join(parts) or "<p>No method has both a time and a score.</p>"


def _panel(table: Table, time: Column | None, column: Column, methods: list[str]) -> str | None:
    points = {m: p for m in table.methods if (p := _point(table, m, time, column))}
    if not points:
        return None
    logs = [math.log10(x) for x, _ in points.values()]
    left, right = min(logs) - 0.35, max(logs) + 0.35
    low, high = min(y for _, y in points.values()), max(y for _, y in points.values())
    margin = (high - low) * 0.18 or abs(high) * 0.05 or 0.1
    low, high = low - margin, high + margin
    up = column.better == "higher"

    def across(x: float) -> float:
        return LEFT + (math.log10(x) - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        share = (y - low) / (high - low)
        return TOP + (1 - share if up else share) * (HEIGHT - TOP - BOTTOM)

    placed = {method: (across(x), down(y)) for method, (x, y) in points.items()}
    unit = f" [{column.unit}]" if column.unit else ""
    title = f"{column.title}{unit}"
    said = "; ".join(f"{m} {table.text(m, column)} at {three(x)} ms" for m, (x, _) in points.items())
    body = [_grid_x(left, right, across), _grid_y(low, high, down), _front(placed)]
    for method, (x, y) in placed.items():
        index = methods.index(method)
        tip = f"{method}: {table.text(method, column)} {column.unit}, {three(points[method][0])} ms per frame"
        body.append(
            f'<g class="mark {marks.css_class(index)}">{marks.shape(index, x, y)}<title>{escape(tip)}</title></g>'
        )
    body += _labels(placed)
    better = "higher is better" if up else "lower is better, axis turned"
    return (
        f'<figure class="card"><figcaption><b>{escape(title)}</b> <span>{better}</span>'
        f'</figcaption><svg class="panel" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(f"{title} against time per frame. {said}.")}">{"".join(body)}'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle" class="axis">'
        f"time per frame [ms], log scale</text></svg></figure>"
    )


def _point(table: Table, method: str, time: Column | None, column: Column) -> tuple[float, float] | None:
    across, up = table.cells.get((method, time)), table.cells.get((method, column))
    if across is None or up is None or not across.value or up.value is None or not math.isfinite(up.value):
        return None
    return across.value, up.value


def _grid_x(left: float, right: float, across) -> str:
    decades = range(math.floor(left), math.ceil(right) + 1)
    steps = (1,) if right - left > 2 else (1, 3) if right - left > 1 else (1, 2, 5)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return "".join(
        f'<line class="grid" x1="{across(t):.1f}" x2="{across(t):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{across(t):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{t:g}</text>'
        for t in ticks
        if left <= math.log10(t) <= right
    )


def _grid_y(low: float, high: float, down) -> str:
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(t):.1f}" y2="{down(t):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{down(t) + 4:.1f}" text-anchor="end">{t:.{digits}f}</text>'
        for t in ticks
    )


def _front(placed: dict[str, tuple[float, float]]) -> str:
    """The methods that no other beats in both: the Pareto front, as a stepped line."""
    front, highest = [], math.inf
    for x, y in sorted(placed.values()):
        if y < highest:
            highest = y
            front.append((x, y))
    if len(front) < 2:
        return ""
    path = f"M{front[0][0]:.1f} {front[0][1]:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in front[1:])
    return f'<path class="front" d="{path}"><title>Pareto front: no method is both faster and better</title></path>'


def _labels(placed: dict[str, tuple[float, float]]) -> list[str]:
    """Each point's name, where it meets neither another point, nor a label, nor the frame."""
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in placed.values()]
    found = []
    for method, (x, y) in placed.items():
        width = LETTER * len(method)
        best = min(_PLACES, key=lambda place: _cost(_extent(x, y, width, place), taken))
        taken.append(_extent(x, y, width, best))
        found.append(
            f'<text class="label" x="{x + best[0]:.1f}" y="{y + best[1]:.1f}" text-anchor="{best[2]}">'
            f"{escape(method)}</text>"
        )
    return found


def _extent(x: float, y: float, width: float, place: tuple[int, int, str]) -> tuple[float, float, float, float]:
    start = x + place[0] - {"start": 0.0, "middle": width / 2, "end": width}[place[2]]
    return start, y + place[1] - 11, start + width, y + place[1] + 3


def _cost(box: tuple[float, float, float, float], taken: list[tuple[float, float, float, float]]) -> int:
    hits = sum(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken)
    outside = box[0] < LEFT or box[2] > WIDTH or box[1] < 0 or box[3] > HEIGHT - BOTTOM
    return hits + 2 * outside
