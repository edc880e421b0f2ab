"""Speed versus quality as SVG in the page's theme: a panel for each data set and metric, time on a log axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.report.grid import figure
from bench.report.look import direction
from bench.report.page.figures import three
from bench.report.points import points_of, times_of
from bench.report.tables import Column, Table

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 16, 42
LETTER = 7.6  # width of a letter of a label, on average; labels are bold
LETTERS = 28  # a longer name is shortened; the point's tip has it whole
_PLACES = ((10, 4, "start"), (-10, 4, "end"), (0, -10, "middle"), (0, 19, "middle"), (9, -7, "start"), (-9, -7, "end"))
Box = tuple[float, float, float, float]
"""(left, top, right, bottom)."""


@dataclass(frozen=True)
class Mark:
    """A method's point, in pixels of the panel."""

    index: int  # in the order of colours
    x: float
    y: float
    tip: str


@dataclass(frozen=True)
class Label:
    """A method's name beside its point."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True)
class Panel:
    """One panel, ready to be drawn."""

    title: str
    note: str
    axis: str  # the title of the time's axis
    alt_text: str  # the panel in words, for screen readers
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]
    front: list[tuple[float, float]]  # corners; empty: no front
    marks: list[Mark]
    labels: list[Label]


def of_tables(tables: list[Table], methods: list[str]) -> list[tuple[str, list[Panel]]]:
    """(title, its panels) of each data set and device, without those that have none."""
    found = []
    for table in tables:
        for time in times_of(table):
            columns = [column for column in table.columns if column.signature and column.ranks]
            drawn = [panel for column in columns if (panel := _panel(table, time, column, methods))]
            if drawn:
                found.append((f"{table.title}, {time.device}" if time.device else table.title, drawn))
    return found


def _panel(table: Table, time: Column, column: Column, methods: list[str]) -> Panel | None:
    points = points_of(table, time, column)
    if not points.of:
        return None
    logs = [math.log10(x) for x, _ in points.of.values()]
    left, right = min(logs) - 0.35, max(logs) + 0.35
    low, high = min(y for _, y in points.of.values()), max(y for _, y in points.of.values())
    margin = (high - low) * 0.18 or abs(high) * 0.05 or 0.1
    low, high = low - margin, high + margin
    up = column.better != "lower"

    def across(x: float) -> float:
        return LEFT + (math.log10(x) - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        share = (y - low) / (high - low)
        return TOP + (1 - share if up else share) * (HEIGHT - TOP - BOTTOM)

    placed = {method: (across(x), down(y)) for method, (x, y) in points.of.items()}
    title = f"{column.title} [{column.unit}]" if column.unit else column.title
    texts = {method: f"{table.cell(method, column, counted=True).text} {column.unit}".rstrip() for method in placed}
    alt_text = "; ".join(f"{m} {texts[m]} at {three(x)} ms" for m, (x, _) in points.of.items())
    front = [(across(x), down(y)) for x, y in points.front(column.better)]
    marks = [
        Mark(
            methods.index(method),
            *place,
            f"{method}: {texts[method]}, {three(points.of[method][0])} ms per frame",
        )
        for method, place in placed.items()
    ]
    return Panel(
        title,
        direction(column.better) + (", axis turned" if column.better == "lower" else ""),
        f"{time.title} [{time.unit}], log scale",
        f"{title} against {time.title}. {alt_text}.",
        _ticks_x(left, right, across),
        _ticks_y(low, high, down),
        front if len(front) > 1 else [],
        marks,
        _labels({points.name(method): place for method, place in placed.items()}),
    )


def _ticks_x(left: float, right: float, across: Callable[[float], float]) -> list[tuple[float, str]]:
    decades = range(math.floor(left), math.ceil(right) + 1)
    steps = (1,) if right - left > 2 else (1, 3) if right - left > 1 else (1, 2, 5)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return [(across(tick), f"{tick:g}") for tick in ticks if left <= math.log10(tick) <= right]


def _ticks_y(low: float, high: float, down: Callable[[float], float]) -> list[tuple[float, str]]:
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    ticks = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [(down(tick), figure(tick, digits)) for tick in ticks]


def _labels(placed: dict[str, tuple[float, float]]) -> list[Label]:
    """Place each point's name where it overlaps no other point, no label, and not the frame.

    One that finds no such place is left out: the table above has each method's symbol, and the point's tip its name.
    """
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in placed.values()]
    found = []
    for method, (x, y) in placed.items():
        text = _shortened(method)
        width = LETTER * len(text)
        costs = [(_cost(_extent(x, y, width, place), taken), place) for place in _PLACES]
        cost, best = min(costs, key=lambda each: each[0])
        if not cost:
            taken.append(_extent(x, y, width, best))
            found.append(Label(x + best[0], y + best[1], best[2], text))
    return found


def _shortened(name: str) -> str:
    """A long name by its options alone, by which the methods of a sweep differ, or without its middle."""
    if len(name) > LETTERS and "[" in name:
        name = name[name.find("[") :]
    if len(name) <= LETTERS:
        return name
    half = (LETTERS - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _extent(x: float, y: float, width: float, place: tuple[int, int, str]) -> Box:
    start = x + place[0] - {"start": 0.0, "middle": width / 2, "end": width}[place[2]]
    return start, y + place[1] - 11, start + width, y + place[1] + 3


def _cost(box: Box, taken: list[Box]) -> int:
    hits = sum(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken)
    outside = box[0] < LEFT or box[2] > WIDTH or box[1] < 0 or box[3] > HEIGHT - BOTTOM
    return hits + 2 * outside
