"""Speed versus quality: a panel for each data set and metric, marker size for memory, the Pareto front as a line."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report import intervals
from bench.report.columns import Column
from bench.report.look import PlotOptions, order_of
from bench.report.plots import style
from bench.report.plots.labels import NamedPoint, place
from bench.report.points import LACKING, points_of, times_of
from bench.report.tables import Table, tables
from bench.store.record import Record


def speed_quality(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw speed versus quality; None if no method has both a time and a score."""
    metrics, width = options.metrics, options.width or "page"
    found = []
    for table in tables(records):
        for time in times_of(table):
            scores = [c for c in table.columns if c.ranks and c.signature and (not metrics or c.metric in metrics)]
            scores = [c for c in scores if points_of(table, time, c).of]
            if scores:
                found.append((table, time, scores))
    if not found:
        return None
    methods = order_of(records)
    with style.styled(options.theme) as chosen:
        figure, free = _draw(found, methods, chosen, width, options.captioned, named=True)
        if not free:  # too many names for the room: a legend takes them instead
            plt.close(figure)
            figure, _ = _draw(found, methods, chosen, width, options.captioned, named=False)
    return figure


def _draw(found: list, methods: list[str], theme: style.Theme, width: str, captioned: bool, named: bool):
    """Draw the figure: (figure, whether all names found room)."""
    across = min(3, max(len(scores) for _, _, scores in found)) if width == "page" else 1
    lines = [(t, time, scores[i : i + across]) for t, time, scores in found for i in range(0, len(scores), across)]
    figure, panels = style.panels(len(lines), across, width, 2.45)
    drawn, titled = [], set()
    for line, (table, time, scores) in zip(panels, lines):
        for axes in line[len(scores) :]:
            axes.set_visible(False)
        for axes, column in zip(line, scores):
            drawn.append((axes, *_panel(axes, table, time, column, methods, theme)))
        head = f"{table.title}, {time.device}" if time.device else table.title
        if head not in titled:
            line[0].set_title(head, loc="left", fontweight="bold")
            titled.add(head)
    if not named:
        style.legend(figure, [_handle(method, index, theme) for index, method in enumerate(methods)])
    _size_legend(figure, [t for t, _, _ in found], theme, beside_title=across > 1 and named)
    if captioned:
        texts = dict.fromkeys(f"{table.title}: {table.caption}" for table, _, _ in found)
        crops = ", ".join(dict.fromkeys(style.crop_note(c) for _, _, scores in found for c in scores))
        how = _HOW.format(crops=crops)
        if any(points_of(table, time, c).counted for table, time, scores in found for c in scores):
            how += LACKING
        style.caption(figure, "\n".join([*texts, how]), theme, style.WIDTHS[width])
    figure.canvas.draw()  # gives the axes their place
    figure.set_layout_engine("none")  # names are put where there is room in it, and must not move it
    return figure, all(place(axes, points, front) for axes, points, front in drawn) if named else True


def _handle(method: str, index: int, theme: style.Theme) -> Line2D:
    return Line2D(
        [], [], marker=style.marker(index), linestyle="", color=style.color(theme, index), markersize=5, label=method
    )


_HOW = (
    "Scores: mean of clips, {crops}. Line: Pareto front. "
    "Bars, 95 %: of scores over clips, each clip's own difficulty taken off; of times over repetitions."
)


def _panel(axes: Axes, table: Table, time: Column, column: Column, methods: list[str], theme: style.Theme):
    """Draw one panel; returns (points to be named, polylines that names should not cover)."""
    points = points_of(table, time, column)
    bars = intervals.within_clips(
        {m: {clip: each[0] for clip, each in table.cells[m, column].evidence.items()} for m in points.of}
    )
    axes.set_xscale("log")
    named = []
    small_on_top = sorted(points.of.items(), key=lambda each: -(_memory(table, each[0]) or 0))
    for method, (x, y) in small_on_top:
        index, row = methods.index(method), table.cells[method, time]
        tone, size = style.color(theme, index), _diameter(_memory(table, method))
        x_bar = row.interval
        y_bar = bars[method]
        for bar_x, bar_y in ((x_bar, (y, y)), ((x, x), y_bar)):
            if bar_x and bar_y:
                axes.plot(bar_x, bar_y, color=tone, linewidth=1.0, solid_capstyle="butt", zorder=2)
        axes.plot(
            [x],
            [y],
            style.marker(index),
            color=tone,
            markersize=size,
            markeredgecolor=theme.background,
            markeredgewidth=0.8,
            zorder=3,
        )
        named.append(NamedPoint(x, y, points.name(method), tone, size, x_bar, y_bar))
    _limits(axes, named, column.better)
    front = points.front(column.better)
    steps = [(x2, y1) for (_, y1), (x2, _) in zip(front, front[1:])]  # no method lies in between: a stair
    lines = [np.array([p for pair in zip(front, [*steps, front[-1]]) for p in pair])] if len(front) > 1 else []
    for line in lines:
        axes.plot(*line.T, color=theme.faint, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.set_xlabel(f"{time.title} [{time.unit}]")
    axes.set_ylabel(style.axis_title(column), fontsize=7)
    if column.better == "nearer":
        return named, lines
    axes.annotate(
        "better",
        xy=(0.015, 0.99),
        xytext=(0.16, 0.885),
        xycoords="axes fraction",
        fontsize=6.5,
        color=theme.faint,
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-|>", "color": theme.faint, "lw": 0.8},
    )
    return named, lines


def _limits(axes: Axes, points: list[NamedPoint], better: str) -> None:
    """Set limits with room for the bars, the names and the arrow; up is better, except where nearer to GT is."""
    xs = [value for p in points for value in (p.x, *(p.x_bar or ()))]
    ys = [value for p in points for value in (p.y, *(p.y_bar or ()))]
    room = max(1.9, (max(xs) / min(xs)) ** 0.28)
    axes.set_xlim(min(xs) / room, max(xs) * room)
    margin = (max(ys) - min(ys)) * 0.2 or 0.05 * abs(max(ys)) or 0.1
    low, high = min(ys) - margin, max(ys) + margin
    axes.set_ylim(*((high, low) if better == "lower" else (low, high)))
    style.plain_numbers(axes.xaxis, min(xs), max(xs))


def _memory(table: Table, method: str) -> float | None:
    """A method's own peak memory in MiB; None if only that of the whole process is known."""
    own = (c for (name, c) in table.cells if name == method and c.metric == "peak_memory_mb" and c.better == "lower")
    column = next(own, None)
    return table.cells[method, column].value if column else None


def _diameter(megabytes: float | None) -> float:
    """A marker's diameter in points: its area grows with the memory's logarithm, from 5 at 256 MiB to 13 at 64 GiB."""
    if not megabytes:
        return 6.0
    share = min(1.0, max(0.0, math.log2(megabytes / 256) / 8))
    return math.sqrt(25 + share * (169 - 25))


def _size_legend(figure: Figure, tables_shown: list[Table], theme: style.Theme, beside_title: bool) -> None:
    """Add the legend of the sizes, powers of two around the memories, in the line of the title if there is room."""
    found = [m for table in tables_shown for name in table.methods if (m := _memory(table, name))]
    if not found:
        return
    low, high = math.floor(math.log2(min(found) / 1024)), math.ceil(math.log2(max(found) / 1024))
    handles = [Line2D([], [], linestyle="", label="peak memory")] + [
        Line2D([], [], marker="o", linestyle="", color=theme.faint, markersize=_diameter(1024 * 2.0**p), label=_gib(p))
        for p in sorted({low, round((low + high) / 2), high})
    ]
    where = {"loc": "upper right", "borderaxespad": 0.1} if beside_title else {"loc": "outside upper right"}
    figure.legend(handles=handles, fontsize=6.5, ncols=len(handles), columnspacing=0.9, handletextpad=0.1, **where)


def _gib(power: int) -> str:
    return f"{2**power} GiB" if power >= 0 else f"{1024 >> -power} MiB"
